//! The devices of a world: what each is, what it has to send, what it has heard.
//!
//! Clients and services are the real machines of the protocol, with an author who does what the scenario says; rude peers
//! are sockets that say anything.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use msl_network_protocol::client::{self, CallId};
use msl_network_protocol::instant::Instant;
use msl_network_protocol::service::{self, ExecutionId};

use crate::model::{Number, Port};
use crate::network::Shared;

/// A device.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the device")]
pub(crate) struct Device {
    /// Its number.
    pub(crate) port: Port,
    /// The computer that it is on.
    pub(crate) ip: IpAddr,
    /// Its own name.
    pub(crate) name: String,
    /// Its end of the network.
    pub(crate) socket: Shared,
    /// What the socket has not taken yet.
    pub(crate) unsent: VecDeque<Bytes>,
    /// The beginning of a line.
    pub(crate) heard: Vec<u8>,
    /// Whether it reads.
    pub(crate) reads: bool,
    /// Whether it has closed its end, or lost it.
    pub(crate) gone: bool,
    /// Whether it has read to the end.
    pub(crate) has_read_all: bool,
    /// Whether anything was done to it that may lose what is on its way to it or from it.
    pub(crate) disturbed: bool,
    /// Who sits in front of it.
    pub(crate) author: Author,
    /// What it is.
    pub(crate) role: Role,
}

/// How the author of a device answers prompts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Author {
    /// Whether the answers are right.
    pub(crate) is_right: bool,
    /// How long typing takes; `None`: there is no answer.
    pub(crate) types_after: Option<Duration>,
}

/// What a device is.
pub(crate) enum Role {
    /// A client.
    Client(Box<Client>),
    /// A service.
    Service(Box<Service>),
    /// Somebody who keeps to no rule.
    Rude(Rude),
}

/// A client with its author.
pub(crate) struct Client {
    /// The protocol's.
    pub(crate) machine: client::Machine,
    /// What the machine has told.
    pub(crate) events: Vec<client::Event>,
    /// Calls that have not been settled, with their deadlines.
    pub(crate) calls: BTreeMap<CallId, (Number, Option<Instant>)>,
    /// The calls by the uid that they have on the wire; questions to the Manager with the service that they are about.
    pub(crate) sent: BTreeMap<u64, (Number, Option<Question>)>,
}

/// A question to the Manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// About links, locks or who is there; the second is a service's name.
    Any,
    /// To end the link with a service of this name.
    Unlink(&'static str),
}

/// A service with its author.
pub(crate) struct Service {
    /// The protocol's.
    pub(crate) machine: service::Machine,
    /// What the machine has told.
    pub(crate) events: Vec<service::Event>,
    /// How it works.
    pub(crate) pace: Pace,
    /// How many clients it takes.
    pub(crate) most: Option<usize>,
    /// How many things it has said to clients.
    pub(crate) said: Number,
    /// What it has been asked, and has not answered.
    pub(crate) executing: BTreeMap<ExecutionId, Option<Number>>,
}

/// How a service works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pace {
    /// How long one execution takes; for ever, if it is mute.
    pub(crate) takes: Option<Duration>,
    /// The bytes that an answer is padded with.
    pub(crate) padding: usize,
    /// Whether executions fail.
    pub(crate) fails: bool,
}

/// A peer that keeps to no rule.
pub(crate) struct Rude {
    /// `Some` where it says who it is when it is asked; whether as a service.
    pub(crate) service: Option<bool>,
    /// Whether it closes its side when the Manager has.
    pub(crate) closes: bool,
    /// The requests that it has got: requester and uid.
    pub(crate) requests: Vec<(String, String)>,
}

impl Device {
    /// A device that has just connected.
    pub(crate) fn new(
        port: Port,
        ip: IpAddr,
        name: &str,
        socket: Shared,
        author: Author,
        role: Role,
    ) -> Self {
        Self {
            port,
            ip,
            name: name.to_owned(),
            socket,
            unsent: VecDeque::new(),
            heard: Vec::new(),
            reads: true,
            gone: false,
            has_read_all: false,
            disturbed: false,
            author,
            role,
        }
    }

    /// Whether it is somebody who keeps to no rule.
    pub(crate) fn is_rude(&self) -> bool {
        matches!(self.role, Role::Rude(_))
    }

    /// Whether the Manager has let it in. Who has closed its side does not wait for that, and who is rude does not say.
    pub(crate) fn is_let_in(&self) -> bool {
        let is_connected = match &self.role {
            Role::Client(client) => client.machine.is_connected(),
            // One that shuts down finishes its work first.
            Role::Service(service) => service.machine.is_connected() || !service.executing.is_empty(),
            Role::Rude(_) => true,
        };
        is_connected || self.socket.borrow().up.is_closed()
    }

    /// A client that can call.
    pub(crate) fn connected_client(&mut self) -> Option<&mut Client> {
        match &mut self.role {
            Role::Client(client)
                if !self.gone && client.machine.is_connected() && !self.socket.borrow().up.is_closed() =>
            {
                Some(client)
            }
            _ => None,
        }
    }

    /// A service that has not closed its end.
    pub(crate) fn service(&mut self) -> Option<&mut Service> {
        match &mut self.role {
            Role::Service(service) if !self.gone && !self.socket.borrow().up.is_closed() => Some(service),
            _ => None,
        }
    }

    /// Takes what has arrived.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Bytes> {
        if self.gone || !self.reads {
            return None;
        }
        self.socket.borrow_mut().down.take(usize::MAX, now)
    }

    /// Whether all was read and the Manager has closed its sending side, or its socket.
    pub(crate) fn is_at_end(&self, now: Instant) -> bool {
        let socket = self.socket.borrow();
        !self.gone
            && self.reads
            && (socket.down.is_at_end(now) || (socket.released.is_some() && socket.down.is_empty()))
    }

    /// Gives the socket what it takes. Returns whether it took anything.
    pub(crate) fn flush(&mut self, now: Instant) -> bool {
        let mut socket = self.socket.borrow_mut();
        if socket.up.is_closed() || socket.released.is_some() {
            self.unsent.clear();
        }
        let mut moved = false;
        while let Some(first) = self.unsent.front_mut() {
            let room = socket.up.room().min(first.len());
            if room == 0 {
                break;
            }
            socket.up.send(first.split_to(room), now);
            moved = true;
            if first.is_empty() {
                self.unsent.pop_front();
            }
        }
        moved
    }

    /// When the device itself has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.gone {
            return None;
        }
        let machine = match &self.role {
            Role::Client(client) => client.machine.deadline(),
            Role::Service(service) => service.machine.deadline(),
            Role::Rude(_) => None,
        };
        let arrival =
            if self.reads && !self.has_read_all { self.socket.borrow().down.next_arrival() } else { None };
        machine.into_iter().chain(arrival).min()
    }
}
