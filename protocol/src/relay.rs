//! Between a connection and the rest of the Manager: what a connection causes is done here.
//!
//! The same few lines serve the single-threaded [`hub`](crate::hub) and the [`drive`](crate::drive) with its threads: what
//! differs between them is only how the broker and the mailboxes are reached, and that is the trait [`Office`].
//!
//! The order matters. A question is decided in the broker first and answered into the device's own mailbox afterwards,
//! while a notification is put into mailboxes within the broker's lock: so none follows the reply to an unlink.

mod together;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::net::IpAddr;

use bytes::Bytes;

use crate::broker::{Attempt, Broker, Denied, Route};
use crate::connection::{
    Action, Connection, Event, Flow, Note, Outgoing, Question, Stalled, Who, failure, left,
};
use crate::error::Refusal;
use crate::frame::Rope;
use crate::identity::Identity;
use crate::instant::Instant;
use crate::json::string_array;
use crate::limits::LINES_PER_TURN;
use crate::mailbox::{Budget, ConnectionId, Mailbox, Notice, Parcel, Request, Undelivered};
use crate::name::{Address, NetworkName, plain_ip};
use crate::settings::Settings;

use together::{Recipients, Together};

/// How one connection reaches the rest of its Manager. `H` is the handle of a mailbox.
pub trait Office<H> {
    /// Looks at the broker, or changes it. Nothing else of the office may be used within.
    fn broker<R>(&mut self, look: impl FnOnce(&mut Broker<H>) -> R) -> R;

    /// Where a request of this connection's client to a service goes: [`Broker::route`].
    ///
    /// # Errors
    /// Those of [`Broker::route`].
    fn route(&mut self, client: ConnectionId, service: &str) -> Result<Route<H>, Denied>;

    /// Puts notifications into the mailboxes of all clients linked with the service on this connection, while
    /// nothing in the broker changes.
    fn notify(&mut self, service: ConnectionId, lines: &Rope);

    /// Puts a parcel into a mailbox and wakes its owner.
    ///
    /// # Errors
    /// The parcel, where there is no room or nobody.
    fn post(&mut self, to: &H, parcel: Parcel<H>) -> Result<(), Undelivered<H>>;

    /// Leaves a notice in a mailbox and wakes its owner.
    fn tell(&mut self, to: &H, notice: Notice);

    /// Looks into this connection's own mailbox. Nothing else of the office may be used within.
    fn own<R>(&mut self, look: impl FnOnce(&mut Mailbox<H>) -> R) -> R;

    /// The handle of this connection's own mailbox.
    fn handle(&self) -> H;

    /// Wakes the owner of a mailbox.
    fn wake(&mut self, mailbox: &H);

    /// Hands something to the world outside of the core, for this connection, which is `who`'s.
    fn act(&mut self, who: Who<'_>, action: Action);

    /// This connection's incomplete line has so many bytes now.
    fn incomplete(&mut self, bytes: usize);

    /// More is held than may be: tells the connection with the largest incomplete line to give it up
    /// ([`Notice::SkipLine`]), and the one for which most waits to end if it does not read ([`Notice::MakeRoom`]).
    fn relieve(&mut self, now: Instant);
}

/// One connection, and where it stands towards the rest.
#[derive(Debug)]
pub struct Relay<H> {
    connection: Connection<H>,
    settings: Arc<Settings>,
    budget: Arc<Budget>,
    ip: IpAddr,
    port: u16,
    /// What the budget counts for the input of this connection.
    counted: usize,
    events: Vec<Event<H>>,
    /// What is for others and nothing else has come behind.
    together: Option<Together<H>>,
}

impl<H: Clone + PartialEq> Relay<H> {
    /// For a new socket, whose other end has this address.
    pub fn new(
        id: ConnectionId,
        settings: Arc<Settings>,
        budget: Arc<Budget>,
        ip: IpAddr,
        port: u16,
    ) -> Self {
        let connection = Connection::new(id, settings.clone());
        Self {
            connection,
            settings,
            budget,
            ip: plain_ip(ip),
            port,
            counted: 0,
            events: Vec::new(),
            together: None,
        }
    }

    /// The connection.
    pub fn connection(&self) -> &Connection<H> {
        &self.connection
    }

    /// The IP address of the device.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The TCP port of the device.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The socket is there: the handshake begins, with the next [`Relay::pump`].
    pub fn open(&mut self, now: Instant) {
        self.connection.open(now, &mut self.events);
    }

    /// The socket has bytes; [`Relay::pump`] looks at them.
    pub fn receive(&mut self, bytes: Bytes, now: Instant) {
        self.connection.receive(bytes, now, &mut self.events);
    }

    /// The device has closed its sending side.
    pub fn end_of_input(&mut self) {
        self.connection.end_of_input();
    }

    /// Whether the device has closed its sending side.
    pub fn has_ended_input(&self) -> bool {
        self.connection.has_ended_input()
    }

    /// The socket is of no use any more.
    pub fn lost(&mut self, now: Instant, office: &mut impl Office<H>) {
        self.connection.lost(now, &mut self.events);
        self.perform(now, office);
        self.hand_over(office);
        self.count();
    }

    /// The socket has taken so many bytes of what [`Relay::take`] gave, and more wait for it or not.
    pub fn written(&mut self, bytes: usize, pending: bool, now: Instant, office: &mut impl Office<H>) {
        let was_pending = self.connection.is_blocked();
        self.connection.written(bytes > 0, pending, now);
        if bytes > 0 || pending != was_pending {
            let senders = office.own(|mailbox| {
                mailbox.sent(bytes);
                mailbox.set_blocked(pending);
                mailbox.senders_with_room()
            });
            senders.for_each(|sender| office.wake(&sender));
        }
    }

    /// The sending side of the socket is closed.
    pub fn sending_closed(&mut self, now: Instant) {
        self.connection.sending_closed(now);
    }

    /// Takes lines out of the connection's own mailbox, to be written: as many as are needed for `most` bytes or more. Gives
    /// their bytes, too. All of them count as taken, also those that are not asked for.
    pub fn take(
        &mut self,
        most: usize,
        office: &mut impl Office<H>,
    ) -> (impl ExactSizeIterator<Item = Rope>, usize) {
        let (parcels, bytes) = office.own(|mailbox| mailbox.take(most));
        (parcels.into_iter().map(|parcel| self.connection.outgoing(parcel)), bytes)
    }

    /// Gives back the memory that it has to spare: nothing is to be done now.
    pub fn shrink(&mut self) {
        self.events = Vec::new();
    }

    /// Does what can be done now: notices, deadlines, a request that waits for room, lines that have come. Of a device that is
    /// no service (yet) these are [`LINES_PER_TURN`] at most. Returns whether to call again, once others have had a turn.
    #[must_use = "lines may be left that nothing else will be a reason to look at"]
    pub fn pump(&mut self, now: Instant, office: &mut impl Office<H>) -> bool {
        let (notices, overflowed, mut pressure) =
            office.own(|mailbox| (mailbox.take_notices(), mailbox.has_overflowed(), mailbox.pressure()));
        let mut changed = !notices.is_empty();
        for notice in notices {
            if let Notice::Forget { client, answer, .. } = &notice {
                self.withdraw(*client, *answer, office);
            }
            self.connection.notice(notice, now, &mut self.events);
            self.perform(now, office);
        }
        if overflowed && self.connection.flow() == Flow::Open {
            self.connection.slow_consumer(now, &mut self.events);
        }
        self.connection.handle_timeout(now, &mut self.events);
        changed |= self.perform(now, office);
        self.retry(office);
        let most = if self.connection.is_service() { usize::MAX } else { LINES_PER_TURN };
        let mut more = true;
        for _ in 0..most {
            // What others put there meanwhile is looked at the next time; what this connection has caused itself counts at once.
            if changed {
                pressure = office.own(|mailbox| mailbox.pressure());
            }
            more = self.connection.advance(now, pressure, &mut self.events);
            changed = self.perform(now, office);
            if !more {
                break;
            }
        }
        self.hand_over(office);
        self.count();
        office.incomplete(self.connection.incomplete());
        if self.budget.is_exceeded() {
            office.relieve(now);
        }
        more
    }

    /// Tries the request again that waits for room.
    fn retry(&mut self, office: &mut impl Office<H>) {
        let Some(stalled) = self.connection.take_stalled() else { return };
        match office.post(&stalled.mailbox, Parcel::Request(Request::clone(&stalled.request))) {
            Ok(()) => self.connection.asked(stalled.to, stalled.mailbox),
            Err(Undelivered::Full(_)) => self.connection.stall(stalled),
            Err(Undelivered::Closed) => self.gone(&stalled.service, &stalled.request.uid.raw),
        }
    }

    /// The service of a request has gone while the request was on its way.
    fn gone(&mut self, service: &str, uid: &[u8]) {
        self.connection.deny(left(service), Some(uid), &mut self.events);
    }

    /// Takes back what this service has not been sent of a client's requests.
    fn withdraw(&self, client: ConnectionId, answer: bool, office: &mut impl Office<H>) {
        let refusal = self.connection.withdrawn();
        for request in office.own(|mailbox| mailbox.withdraw(client)) {
            if answer {
                // A client whose mailbox is closed needs no answer.
                let _ = office.post(&request.reply_to, Parcel::answer(failure(&request, &refusal)));
            }
        }
        Self::wake_senders(office);
    }

    fn wake_senders(office: &mut impl Office<H>) {
        for sender in office.own(Mailbox::senders_with_room) {
            office.wake(&sender);
        }
    }

    /// Does what the connection asks for, and what that causes in turn. Says whether something was for its own device.
    fn perform(&mut self, now: Instant, office: &mut impl Office<H>) -> bool {
        let mut own = false;
        while !self.events.is_empty() {
            let mut events = mem::take(&mut self.events);
            for event in events.drain(..) {
                own |= matches!(event, Event::Send(_));
                self.perform_one(event, now, office);
            }
            if self.events.is_empty() {
                self.events = events;
            }
        }
        own
    }

    fn perform_one(&mut self, event: Event<H>, now: Instant, office: &mut impl Office<H>) {
        if !matches!(event, Event::Answer { .. } | Event::Notify(_)) {
            self.hand_over(office);
        }
        match event {
            Event::Answer { to, line } => self.put(Recipients::Client(to), line, office),
            Event::Notify(line) => self.put(Recipients::Linked, line, office),
            // Into a mailbox that is closed nothing goes, and nobody is there to miss it.
            Event::Send(line) => drop(office.post(&office.handle(), Parcel::Own(line))),
            Event::Request(outgoing) => self.request(outgoing, now, office),
            Event::Ask { question, uid } => self.ask(question, &uid, office),
            Event::Join(identity) => {
                let outcome = self.join(&identity, office);
                self.connection.joined(outcome, now, &mut self.events);
            }
            Event::Leave => office.broker(|broker| broker.leave(self.connection.id())),
            Event::CloseMailbox(refusal) => {
                for request in office.own(Mailbox::close) {
                    let _ = office.post(&request.reply_to, Parcel::answer(failure(&request, &refusal)));
                }
                Self::wake_senders(office);
            }
            Event::ClearMailbox => {
                let answers = office.own(Mailbox::clear);
                self.connection.answers_are_gone(answers);
            }
            Event::Tell(to, notice) => office.tell(&to, notice),
            Event::Act(action) => office.act(self.connection.who(), action),
        }
    }

    /// Keeps a line back until there is something else to do, or there are enough.
    fn put(&mut self, recipients: Recipients<H>, line: Rope, office: &mut impl Office<H>) {
        match &mut self.together {
            Some(together) if together.goes_with(&recipients, line.len()) => together.push(&line),
            _ => {
                self.hand_over(office);
                self.together = Some(Together::new(recipients, line));
            }
        }
    }

    /// Puts what was kept back into mailboxes. Into one that is closed nothing goes, and nobody is there to miss it.
    fn hand_over(&mut self, office: &mut impl Office<H>) {
        let Some(together) = self.together.take() else { return };
        let (recipients, count, lines) = together.into_parts();
        match recipients {
            Recipients::Client(to) => drop(office.post(&to, Parcel::Answers { lines, count })),
            Recipients::Linked => office.notify(self.connection.id(), &lines),
        }
    }

    fn join(&self, identity: &Identity, office: &mut impl Office<H>) -> Result<NetworkName, Denied> {
        let handle = office.handle();
        let address = match self.connection.host() {
            Some(host) => Address { host: host.clone(), port: self.port },
            None => Address::from_ip(self.ip, self.port),
        };
        office.broker(|broker| broker.join(self.connection.id(), identity, &address, self.ip, handle))
    }

    fn request(&mut self, outgoing: Outgoing, now: Instant, office: &mut impl Office<H>) {
        let client = self.connection.id();
        match office.route(client, &outgoing.service) {
            Ok(route) => {
                let Route { service: to, mailbox } = route;
                let Outgoing { service, uid, line } = outgoing;
                let raw_uid = uid.raw.clone();
                let Some(request) = self.connection.parcel(uid, line, office.handle()) else { return };
                match office.post(&mailbox, Parcel::Request(request)) {
                    Ok(()) => self.connection.asked(to, mailbox),
                    Err(Undelivered::Full(request)) => {
                        let deadline = now + self.settings.limits.service_wait;
                        self.connection.stall(Stalled { service, to, mailbox, request, deadline });
                    }
                    Err(Undelivered::Closed) => self.gone(&service, &raw_uid),
                }
            }
            Err(denied) => {
                let refusal =
                    self.refusal(&denied, Attempt::Request(&self.settings.network_name), &outgoing.service);
                self.connection.deny(refusal, Some(&outgoing.uid.raw), &mut self.events);
            }
        }
    }

    fn ask(&mut self, question: Question, uid: &[u8], office: &mut impl Office<H>) {
        let id = self.connection.id();
        let names = |names: Vec<NetworkName>| string_array(names.iter().map(NetworkName::as_str));
        let (outcome, attempt, service) = match &question {
            Question::Identity => {
                let census = office.broker(|broker| broker.census());
                (Ok(census.to_json(&self.settings.identity)), Attempt::Join, "")
            }
            Question::Link(service) => {
                let outcome = office.broker(|broker| broker.link(id, service));
                (outcome.map(|entry| entry.to_json()), Attempt::Link, service.as_str())
            }
            Question::Unlink(service) => {
                let outcome = office.broker(|broker| broker.unlink(id, service));
                (outcome.map(|()| "true".into()), Attempt::Unlink, service.as_str())
            }
            Question::AcquireLock { service, shared } => {
                let outcome = office.broker(|broker| broker.acquire_lock(id, service, *shared));
                (outcome.map(names), Attempt::AcquireLock, service.as_str())
            }
            Question::ReleaseLock(service) => {
                let outcome = office.broker(|broker| broker.release_lock(id, service));
                (outcome.map(names), Attempt::ReleaseLock, service.as_str())
            }
        };
        match outcome {
            Ok(result) => {
                self.connection.answer(&result, uid, &mut self.events);
                self.events.push(Event::Act(Action::Note(Note::Answered(question))));
            }
            Err(denied) => {
                let refusal = self.refusal(&denied, attempt, service);
                self.connection.deny(refusal, Some(uid), &mut self.events);
            }
        }
    }

    fn refusal(&self, denied: &Denied, attempt: Attempt<'_>, service: &str) -> Refusal {
        let who = self.connection.name().map_or("", NetworkName::as_str);
        denied.refusal(attempt, who, service)
    }

    /// Tells the budget what the input of this connection holds now.
    fn count(&mut self) {
        let held = if self.connection.flow() == Flow::Ended { 0 } else { self.connection.held() };
        if held != self.counted {
            self.budget.take(held);
            self.budget.give_back(self.counted);
            self.counted = held;
        }
    }
}

impl<H> Drop for Relay<H> {
    fn drop(&mut self) {
        self.budget.give_back(self.counted);
    }
}
