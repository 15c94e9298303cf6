//! The reference: what must hold, whatever happens.
//!
//! It knows of the Manager only what devices see, and the notes that it makes for its log, which tell in which order it has
//! decided. So it says nothing about how; but that a request was let through, say, must have been right at some moment
//! between the one when it was sent and the one when it arrived. Each rule is an `assert!` with the rule as its text.
//!
//! Devices are numbered by their ports, calls in the order in which they were made, what a service says to clients
//! (answers and notifications) in the order in which it said it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use msl_network_protocol::connection::Question;

/// A device.
pub(crate) type Port = u16;

/// A call, or something that a service has said.
pub(crate) type Number = u32;

/// The laboratory as it must be.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// The clients that the Manager has let in, and that have not left.
    pub(crate) clients: BTreeMap<Port, String>,
    /// The services, by name.
    pub(crate) services: BTreeMap<String, Service>,
    /// Whether the Manager was told to shut down.
    pub(crate) shutting_down: bool,
    calls: BTreeMap<Number, Call>,
    feeds: BTreeMap<(Port, Port), Feed>,
    /// The unlinks that each client has not read of, by the name of the service.
    unlinks: BTreeMap<(Port, String), VecDeque<Unlinked>>,
    /// How many notifications each service has sent.
    notified: BTreeMap<Port, Number>,
    /// The last call that each service got of each client, and the last thing that each client has heard of each service.
    last_call: BTreeMap<(Port, Port), Number>,
    last_heard: BTreeMap<(Port, Port), Number>,
}

/// A service that is there.
#[derive(Debug)]
pub(crate) struct Service {
    /// Its device.
    pub(crate) port: Port,
    most: Option<usize>,
    links: BTreeSet<Port>,
    locks: BTreeSet<Port>,
}

/// A request that has no answer.
#[derive(Debug)]
pub(crate) struct Call {
    /// Who asks.
    pub(crate) client: Port,
    /// Whom.
    pub(crate) service: String,
    /// Whether there was a moment at which it was to be let through.
    allowed: bool,
    /// Whether there was a service of that name that has left since.
    service_left: bool,
    /// The service that has got it.
    pub(crate) executed: Option<Port>,
}

/// A link that was given back: with which service, and which of its links that was. `None`: there was no such service.
type Unlinked = Option<(Port, Number)>;

/// The notifications of one service for one client.
#[derive(Debug, Default)]
struct Feed {
    linked: bool,
    /// How many links there have been.
    links: Number,
    /// It was told that its link has ended: it hears nothing more.
    muted: bool,
    last: Option<Number>,
    /// After a new link the next one may be any up to this: what was sent before the link may be heard or not.
    restart: Option<Number>,
    /// It was linked when the service said good-bye, behind so many.
    due: Option<Number>,
}

/// What an honest service puts into its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Who has answered.
    pub(crate) by: Port,
    /// What, where the service is honest.
    pub(crate) call: Option<Number>,
    /// The number of what it says, where it is honest.
    pub(crate) said: Option<Number>,
}

/// An answer, as it reaches the client.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer<'a> {
    /// A service has given it, be it a result or an error.
    Service(Mark),
    /// A result of the Manager.
    Manager,
    /// An error of the Manager.
    Refusal(&'a str),
}

impl Service {
    fn lets_through(&self, client: Port) -> bool {
        self.links.contains(&client) || (self.locks.is_empty() && !self.is_full())
    }

    fn is_full(&self) -> bool {
        self.most.is_some_and(|most| self.links.len() >= most)
    }
}

impl Model {
    /// The Manager has let a device in; a service takes that `most` links.
    pub(crate) fn joined(&mut self, port: Port, name: &str, is_service: bool, most: Option<usize>) {
        let (own, _) = name.split_once('[').expect("a network name has an address");
        if is_service {
            let (links, locks) = (BTreeSet::new(), BTreeSet::new());
            let old = self.services.insert(own.to_owned(), Service { port, most, links, locks });
            assert!(old.is_none(), "two services of one name: {name}");
        } else {
            self.clients.insert(port, name.to_owned());
        }
        self.review();
    }

    /// A device has left: links, locks and the name go with it. `last_words`: all that it had sent was read before.
    pub(crate) fn left(&mut self, port: Port, last_words: bool) {
        self.clients.remove(&port);
        for service in self.services.values_mut() {
            service.links.remove(&port);
            service.locks.remove(&port);
        }
        for ((client, service), feed) in &mut self.feeds {
            if *service == port && feed.linked && last_words {
                feed.due = Some(self.notified.get(&port).copied().unwrap_or_default());
            }
            feed.linked &= *service != port && *client != port;
        }
        let name =
            self.services.iter().find(|(_, service)| service.port == port).map(|(name, _)| name.clone());
        if let Some(name) = name {
            self.services.remove(&name);
            self.calls.values_mut().for_each(|call| call.service_left |= call.service == name);
        }
        self.review();
    }

    /// The Manager has said yes.
    pub(crate) fn granted(&mut self, port: Port, question: &Question) {
        let is_client = self.clients.contains_key(&port);
        match question {
            Question::Identity => {}
            Question::Link(name) => {
                let service = self.services.get_mut(name).expect("a link needs a service");
                assert!(is_client, "a link needs a client");
                if !service.links.contains(&port) {
                    assert!(service.locks.is_empty(), "a link with {name} while there is a lock");
                    assert!(!service.is_full(), "more links with {name} than it takes");
                    service.links.insert(port);
                    let feed = self.feeds.entry((port, service.port)).or_default();
                    let restart = Some(self.notified.get(&service.port).copied().unwrap_or_default());
                    let (links, last) = (feed.links + 1, feed.last);
                    *feed = Feed { linked: true, links, muted: false, last, restart, due: None };
                }
            }
            Question::Unlink(name) => {
                let mut ended = None;
                if let Some(service) = self.services.get_mut(name) {
                    assert!(service.links.remove(&port), "{port} had no link with {name} to give back");
                    service.locks.remove(&port);
                    let feed = self.feeds.entry((port, service.port)).or_default();
                    feed.linked = false;
                    ended = Some((service.port, feed.links));
                }
                self.unlinks.entry((port, name.clone())).or_default().push_back(ended);
            }
            Question::AcquireLock { service: name, shared } => {
                let service = self.services.get_mut(name).expect("a lock needs a service");
                assert!(service.links.contains(&port), "a lock on {name} needs a link");
                assert!(*shared || service.links.len() == 1, "an exclusive lock on {name} is alone");
                service.locks.insert(port);
            }
            Question::ReleaseLock(name) => {
                self.services.get_mut(name).expect("a lock needs a service").locks.remove(&port);
            }
        }
        self.review();
    }

    /// The Manager has said no.
    pub(crate) fn refused(&self, port: Port, text: &str) {
        let service = self.services.iter().find(|(name, _)| text.contains(&format!("'{name}'")));
        let service = service.map(|(_, service)| service);
        let is = |test: fn(&Service, Port) -> bool| service.is_some_and(|service| test(service, port));
        let right = if text.ends_with("service is locked") {
            is(|service, port| !service.locks.is_empty() && !service.links.contains(&port))
        } else if text.contains("all the links that it takes") || text.starts_with("The maximum number of") {
            is(|service, port| service.is_full() && !service.links.contains(&port))
        } else if text.contains("exclusive lock, there are") {
            is(|service, _| service.links.len() > 1)
        } else if text.contains("not linked with") {
            is(|service, port| !service.links.contains(&port))
        } else if text.ends_with("already running on the Manager") {
            service.is_some()
        } else if text.contains("is not connected to") || text.contains("service does not exist") {
            service.is_none()
        } else {
            true
        };
        assert!(right, "refused for no reason: {text}");
    }

    /// A client sends a request to a service, or to the Manager.
    pub(crate) fn called(&mut self, call: Number, client: Port, service: &str) {
        let allowed = self.services.get(service).is_some_and(|service| service.lets_through(client));
        let (service, service_left, executed) = (service.to_owned(), false, None);
        self.calls.insert(call, Call { client, service, allowed, service_left, executed });
    }

    /// A service has got a request of this client.
    pub(crate) fn executed(&mut self, port: Port, requester: Port, call: Number) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        assert_eq!(known.client, requester, "call {call} is another client's");
        assert_eq!(known.executed.replace(port), None, "call {call} is executed twice");
        assert!(known.allowed, "call {call} was let through to {}", known.service);
        let last = self.last_call.insert((requester, port), call);
        assert!(last < Some(call), "call {call} of {requester} has overtaken {last:?}");
    }

    /// A client has got the answer to a call. `rude` is whether a device is a rude service of this name: it may say what it
    /// likes to those that ask it, also before it has read what they ask.
    pub(crate) fn answered(
        &mut self,
        client: Port,
        call: Number,
        answer: Answer<'_>,
        rude: impl Fn(Port, &str) -> bool,
    ) {
        let known = self.calls.remove(&call);
        let known = known.unwrap_or_else(|| panic!("call {call} of {client} is answered twice"));
        assert_eq!(known.client, client, "call {call} is another client's");
        match answer {
            Answer::Service(mark) => {
                let rude = rude(mark.by, &known.service);
                assert!(
                    rude || known.executed == Some(mark.by),
                    "call {call} is answered by who was not asked: {mark:?}"
                );
                assert!(rude || mark.call == Some(call), "call {call} got an answer to {mark:?}");
                self.hear(client, mark);
            }
            Answer::Manager => assert_eq!(known.service, "Manager", "call {call} is answered by the Manager"),
            Answer::Refusal(text) => {
                let about = |what: &str| text.contains(what);
                let right = if about("has left before it answered") {
                    known.service_left
                } else if about("the Manager is shutting down") {
                    self.shutting_down
                } else if about("this connection is being closed") {
                    !self.clients.contains_key(&client)
                } else {
                    true
                };
                assert!(right, "call {call} to {} was answered with: {text}", known.service);
            }
        }
    }

    /// A service has sent its next notification.
    pub(crate) fn notified(&mut self, port: Port) -> Number {
        let next = self.notified.entry(port).or_default();
        *next += 1;
        *next - 1
    }

    /// A client has got a notification, which `service` is said to have sent; `number` where the service is honest.
    pub(crate) fn notification(&mut self, client: Port, mark: Mark, number: Option<Number>) {
        let feed = self.feeds.get_mut(&(client, mark.by));
        let feed = feed.unwrap_or_else(|| panic!("{client} hears {}, and never was linked with it", mark.by));
        assert!(!feed.muted, "{client} hears {} after its link has ended", mark.by);
        if let Some(number) = number {
            let next = feed.last.map_or(0, |last| last + 1);
            let restarts = feed.restart.is_some_and(|latest| (next..=latest).contains(&number));
            assert!(
                (number == next && feed.last.is_some()) || restarts,
                "{client} has missed some of {}: {feed:?}",
                mark.by
            );
            feed.last = Some(number);
        }
        self.hear(client, mark);
    }

    /// A client has read that its link with a service of this name has ended: it hears nothing more of that one, unless it
    /// is linked anew already.
    pub(crate) fn unlinked(&mut self, client: Port, name: &str) {
        let unlinks = self.unlinks.get_mut(&(client, name.to_owned()));
        if let Some((service, links)) = unlinks.and_then(VecDeque::pop_front).flatten()
            && let Some(feed) = self.feeds.get_mut(&(client, service))
        {
            feed.muted = feed.links == links;
        }
    }

    /// The calls of clients that are there, and have no answer.
    pub(crate) fn unanswered(&self) -> impl Iterator<Item = (Number, &Call)> {
        let calls = self.calls.iter().filter(|(_, call)| self.clients.contains_key(&call.client));
        calls.map(|(number, call)| (*number, call))
    }

    /// Nothing moves any more: `hears` are the clients that get what is sent to them, `speaks` the services of which
    /// everything has arrived. None of these clients has missed a notification.
    pub(crate) fn check_feeds(&self, hears: impl Fn(Port) -> bool, speaks: impl Fn(Port) -> bool) {
        for ((client, service), feed) in &self.feeds {
            let sent = self.notified.get(service).copied().unwrap_or_default();
            let due = if feed.linked && speaks(*service) { Some(sent) } else { feed.due };
            let due = due.filter(|due| hears(*client) && feed.restart.is_some_and(|restart| restart < *due));
            assert!(
                due.is_none_or(|due| feed.last == Some(due - 1)),
                "{client} misses some of {service}: {feed:?}"
            );
        }
    }

    /// Links, or locks, of each service, as an administrator sees them.
    pub(crate) fn holders(&self, which: impl Fn(&Service) -> &BTreeSet<Port>) -> String {
        let services = self.services.iter().map(|(name, service)| {
            let mut names: Vec<_> =
                which(service).iter().map(|client| format!("\"{}\"", self.clients[client])).collect();
            names.sort();
            format!("\"{name}\": [{}]", names.join(", "))
        });
        format!("{{{}}}", services.collect::<Vec<_>>().join(", "))
    }

    /// The links, as [`Model::holders`] writes them.
    pub(crate) fn links(&self) -> String {
        self.holders(|service| &service.links)
    }

    /// The locks, as [`Model::holders`] writes them.
    pub(crate) fn locks(&self) -> String {
        self.holders(|service| &service.locks)
    }

    /// Each service's words arrive in order, answers and notifications together.
    fn hear(&mut self, client: Port, mark: Mark) {
        if let Some(said) = mark.said {
            let last = self.last_heard.insert((client, mark.by), said);
            assert!(last < Some(said), "{client} hears {said} of {} behind {last:?}", mark.by);
        }
    }

    /// Links or locks have changed: what waits may be let through now.
    fn review(&mut self) {
        for call in self.calls.values_mut().filter(|call| !call.allowed) {
            call.allowed =
                self.services.get(&call.service).is_some_and(|service| service.lets_through(call.client));
        }
    }
}
