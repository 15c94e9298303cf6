//! A whole Manager as one value, for a single thread: connections, mailboxes and the broker.
//!
//! For people who have their own event loop, and for simulation and fuzzing. The hub does no I/O and starts nothing: bytes
//! that came from a socket go in with [`Hub::handle`], lines to be written come out of [`Hub::next_lines`], and what the
//! world outside has to do is appended to a list that the caller owns.
//!
//! What is easy to get wrong: what was taken out still counts against the limits until [`Input::Written`] says
//! that the socket has it. And a connection is over only when its flow is [`Flow::Ended`]; then [`Hub::remove`] it.
//!
//! ```
//! use std::net::Ipv4Addr;
//! use msl_network_protocol::hub::{Hub, Input, Output};
//! use msl_network_protocol::settings::ManagerIdentity;
//! use msl_network_protocol::instant::Instant;
//! use msl_network_protocol::limits::Limits;
//! use msl_network_protocol::settings::{Authentication, Settings};
//!
//! let identity = ManagerIdentity {
//!     hostname: "lab".into(), port: 1875, language: "Rust".into(), os: "any".into(),
//! };
//! let mut hub = Hub::new(Settings::new(identity, Authentication::None, Limits::default()));
//! let mut outputs = Vec::new();
//! let device = hub.connect(Ipv4Addr::LOCALHOST.into(), 50_000, Instant::EPOCH, &mut outputs);
//! assert!(outputs.contains(&Output::Ready(device)));
//! let line = hub.next_lines(device).expect("the Manager asks who it is").to_bytes();
//! assert!(line.starts_with(b"{\"args\": [], \"attribute\": \"identity\""));
//! hub.handle(device, Input::Written { bytes: line.len(), pending: 0 }, Instant::EPOCH, &mut outputs);
//! ```

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use bytes::Bytes;

use crate::broker::{Broker, Denied, Route};
use crate::connection::{Action, Connection, Flow, Who, Why};
use crate::frame::Rope;
use crate::instant::Instant;
use crate::limits::WORTH_GIVING_UP;
use crate::mailbox::{Budget, ConnectionId, Mailbox, Notice, Parcel, Undelivered};
use crate::relay::{Office, Relay};
use crate::settings::Settings;

/// What happens to one connection.
#[derive(Clone, Debug)]
pub enum Input {
    /// The socket had these bytes.
    Received(Bytes),
    /// The device has closed its sending side.
    EndOfInput,
    /// The socket has failed.
    Lost,
    /// The socket has taken bytes of what [`Hub::next_lines`] gave; `pending` have not been taken yet.
    Written {
        /// How many it took just now; 0 to say only that some are pending.
        bytes: usize,
        /// How many wait.
        pending: usize,
    },
    /// The sending side is closed, as [`Flow::Draining`] asked for.
    SendingClosed,
    /// An answer to an [`Action`], or an order.
    Told(Notice),
}

/// What the world outside has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// There are lines to be written ([`Hub::next_lines`]), or the [`Flow`] has changed. May come more than once.
    Ready(ConnectionId),
    /// Something is asked for; the answer goes in as [`Input::Told`].
    Act(ConnectionId, Action),
}

/// A Manager.
#[derive(Debug)]
pub struct Hub {
    settings: Arc<Settings>,
    budget: Arc<Budget>,
    relays: BTreeMap<ConnectionId, Relay<ConnectionId>>,
    rest: Rest,
    next: u64,
}

/// Connections that have something to look at, in the order in which it came.
#[derive(Debug, Default)]
struct Woken {
    order: VecDeque<ConnectionId>,
    members: BTreeSet<ConnectionId>,
}

/// What all connections share.
#[derive(Debug)]
struct Rest {
    broker: Broker<ConnectionId>,
    mailboxes: BTreeMap<ConnectionId, Mailbox<ConnectionId>>,
    woken: Woken,
    /// Whether more is held than may be.
    short_of_memory: bool,
}

impl Hub {
    /// A Manager that nobody is connected to.
    pub fn new(settings: Settings) -> Self {
        let rest = Rest {
            broker: Broker::new(),
            mailboxes: BTreeMap::new(),
            woken: Woken::default(),
            short_of_memory: false,
        };
        let budget = Arc::new(Budget::new(settings.limits.memory));
        Self { settings: Arc::new(settings), budget, relays: BTreeMap::new(), rest, next: 1 }
    }

    /// A device has connected from this address. The handshake begins.
    pub fn connect(
        &mut self,
        ip: IpAddr,
        port: u16,
        now: Instant,
        outputs: &mut Vec<Output>,
    ) -> ConnectionId {
        let id = ConnectionId(self.next);
        self.next += 1;
        self.rest.mailboxes.insert(id, Mailbox::new(&self.settings.limits, self.budget.clone()));
        let mut relay = Relay::new(id, self.settings.clone(), self.budget.clone(), ip, port);
        relay.open(now);
        self.relays.insert(id, relay);
        self.rest.wake(id);
        self.run(now, outputs);
        id
    }

    /// Something has happened to a connection. What it causes, for this connection and for others, is in `outputs`.
    pub fn handle(&mut self, id: ConnectionId, input: Input, now: Instant, outputs: &mut Vec<Output>) {
        let Some(relay) = self.relays.get_mut(&id) else { return };
        match input {
            Input::Received(bytes) => relay.receive(bytes, now),
            Input::EndOfInput => relay.end_of_input(),
            Input::Lost => {
                relay.lost(now, &mut Desk { id, rest: &mut self.rest, outputs });
                outputs.push(Output::Ready(id));
            }
            Input::Written { bytes, pending } => {
                relay.written(bytes, pending > 0, now, &mut Desk { id, rest: &mut self.rest, outputs });
            }
            Input::SendingClosed => relay.sending_closed(now),
            Input::Told(notice) => {
                Desk { id, rest: &mut self.rest, outputs }.own(|mailbox| mailbox.notify(notice));
            }
        }
        self.rest.wake(id);
        self.run(now, outputs);
    }

    /// Takes what is to be written to a device next: a line, or several answers or notifications that came together. To be called when the
    /// socket has room.
    pub fn next_lines(&mut self, id: ConnectionId) -> Option<Rope> {
        let relay = self.relays.get_mut(&id)?;
        let mut desk = Desk { id, rest: &mut self.rest, outputs: &mut Vec::new() };
        let (mut lines, _) = relay.take(1, &mut desk);
        lines.next()
    }

    /// Whether more should be read from the socket.
    pub fn wants_input(&self, id: ConnectionId) -> bool {
        self.connection(id).is_some_and(Connection::wants_input)
    }

    /// What the owner of the socket has to do. When it is [`Flow::Draining`] and [`Hub::next_lines`] gives nothing more, the
    /// sending side is to be closed.
    pub fn flow(&self, id: ConnectionId) -> Flow {
        self.connection(id).map_or(Flow::Ended, Connection::flow)
    }

    /// When [`Hub::handle_timeout`] is to be called at the latest, and for whom.
    pub fn deadline(&self) -> Option<(Instant, ConnectionId, Why)> {
        let deadlines = self.relays.iter().filter_map(|(id, relay)| {
            relay.connection().deadline().map(|(deadline, why)| (deadline, *id, why))
        });
        deadlines.min_by_key(|(deadline, ..)| *deadline)
    }

    /// Time has passed: whatever is due happens.
    pub fn handle_timeout(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        let due = self
            .relays
            .iter()
            .filter(|(_, relay)| relay.connection().deadline().is_some_and(|(deadline, _)| deadline <= now));
        due.for_each(|(id, _)| self.rest.wake(*id));
        self.run(now, outputs);
    }

    /// The Manager is to end: every connection does, with answers for what is open. No new ones should be accepted.
    pub fn shut_down(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        for id in self.relays.keys() {
            self.rest.tell(*id, Notice::Shutdown);
        }
        self.run(now, outputs);
    }

    /// Forgets a connection whose flow is [`Flow::Ended`]. One that is not is lost.
    pub fn remove(&mut self, id: ConnectionId, now: Instant, outputs: &mut Vec<Output>) {
        if self.flow(id) != Flow::Ended {
            self.handle(id, Input::Lost, now, outputs);
        }
        self.relays.remove(&id);
        self.rest.mailboxes.remove(&id);
    }

    /// What was set when it started.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// One connection's machine, to look at.
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection<ConnectionId>> {
        self.relays.get(&id).map(Relay::connection)
    }

    /// Who is there, and who holds what: for an administrator's requests, say.
    pub fn broker(&self) -> &Broker<ConnectionId> {
        &self.rest.broker
    }

    /// The connections that are there.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        self.relays.keys().copied()
    }

    /// All bytes held for devices.
    pub fn held(&self) -> usize {
        self.budget.held()
    }

    /// Lets every connection that was woken do what it can, until there is none.
    fn run(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        let mut relieved = false;
        while let Some(id) = self.rest.woken.order.pop_front() {
            self.rest.woken.members.remove(&id);
            let Some(relay) = self.relays.get_mut(&id) else { continue };
            let more = relay.pump(now, &mut Desk { id, rest: &mut self.rest, outputs });
            if more {
                self.rest.wake(id);
            }
            outputs.push(Output::Ready(id));
            // Once in a while: whoever is told needs its turn to give anything up.
            if core::mem::take(&mut self.rest.short_of_memory) && !relieved {
                relieved = true;
                self.relieve();
            }
        }
    }

    /// Memory is short: the largest line that is not complete is given up, and so is what waits for devices that do not
    /// read.
    fn relieve(&mut self) {
        let incomplete = |(id, relay): (&ConnectionId, &Relay<_>)| (relay.connection().incomplete(), *id);
        if let Some((bytes, id)) = self.relays.iter().map(incomplete).max()
            && bytes >= WORTH_GIVING_UP
        {
            self.rest.tell(id, Notice::SkipLine);
        }
        let much = self.settings.limits.client_mailbox;
        let heaps = self.rest.mailboxes.iter().filter(|(_, mailbox)| mailbox.backlog() > much);
        for id in heaps.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.rest.tell(id, Notice::MakeRoom);
        }
    }
}

impl Rest {
    fn wake(&mut self, id: ConnectionId) {
        if self.woken.members.insert(id) {
            self.woken.order.push_back(id);
        }
    }

    fn tell(&mut self, id: ConnectionId, notice: Notice) {
        if let Some(mailbox) = self.mailboxes.get_mut(&id) {
            mailbox.notify(notice);
            self.wake(id);
        }
    }
}

/// The office of one connection while it is at work.
struct Desk<'a> {
    id: ConnectionId,
    rest: &'a mut Rest,
    outputs: &'a mut Vec<Output>,
}

impl Office<ConnectionId> for Desk<'_> {
    fn broker<R>(&mut self, look: impl FnOnce(&mut Broker<ConnectionId>) -> R) -> R {
        look(&mut self.rest.broker)
    }

    fn route(&mut self, client: ConnectionId, service: &str) -> Result<Route<ConnectionId>, Denied> {
        self.rest.broker.route(client, service)
    }

    fn notify(&mut self, service: ConnectionId, lines: &Rope) {
        let audience: Vec<_> = self.rest.broker.audience(service).copied().collect();
        for client in audience {
            // A client that is leaving takes nothing more.
            let _ = self.post(&client, Parcel::Notification(lines.clone()));
        }
    }

    fn post(
        &mut self,
        to: &ConnectionId,
        parcel: Parcel<ConnectionId>,
    ) -> Result<(), Undelivered<ConnectionId>> {
        let Some(mailbox) = self.rest.mailboxes.get_mut(to) else { return Err(Undelivered::Closed) };
        mailbox.put(parcel)?;
        // Its own lines are no reason to look at the connection that is at work.
        if *to != self.id {
            self.rest.wake(*to);
        }
        Ok(())
    }

    fn tell(&mut self, to: &ConnectionId, notice: Notice) {
        self.rest.tell(*to, notice);
    }

    fn own<R>(&mut self, look: impl FnOnce(&mut Mailbox<ConnectionId>) -> R) -> R {
        let mailbox = self.rest.mailboxes.get_mut(&self.id);
        look(mailbox.expect("a connection and its mailbox come and go together"))
    }

    fn handle(&self) -> ConnectionId {
        self.id
    }

    fn wake(&mut self, mailbox: &ConnectionId) {
        self.rest.wake(*mailbox);
    }

    fn act(&mut self, _who: Who<'_>, action: Action) {
        self.outputs.push(Output::Act(self.id, action));
    }

    /// Each connection can be looked at; nobody has to keep book.
    fn incomplete(&mut self, _bytes: usize) {}

    fn relieve(&mut self, _now: Instant) {
        self.rest.short_of_memory = true;
    }
}

#[cfg(test)]
mod tests;
