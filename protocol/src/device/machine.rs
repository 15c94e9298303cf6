//! What the machines of clients and services have in common: lines, the handshake, the login, the end.
//!
//! What only one of them does is its [`Role`]: a client makes calls, a service executes requests.
//!
//! Easy to get wrong: a device is told of a refusal, but not of success. So the machine asks the Manager for something
//! that changes nothing, right behind its identity, and is connected when that is answered.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

use super::login::{Asked, Login, handshake_reply, refusal_text};
use super::{Credentials, Description, Error, ErrorKind, LEAVE, Prompt};
use crate::frame::{self, Broken, Decoder, Frame, Key, Line, Rope};
use crate::instant::Instant;
use crate::message::{self, MANAGER, Message};

/// The uid of the question that confirms the identity: a request that every Manager answers, to unlink from a service that
/// cannot exist. Requests of clients have numbers.
const CONFIRMATION: &str = "\"confirm\"";

/// A device's side of one connection: a [`client::Machine`](crate::client::Machine) or a
/// [`service::Machine`](crate::service::Machine).
///
/// Bytes go in with [`Machine::receive`], [`Machine::advance`] takes one line at a time, and what follows is appended to a
/// list that the caller owns.
#[derive(Debug)]
pub struct Machine<R> {
    pub(crate) description: Description,
    pub(crate) login: Login,
    read_limit: usize,
    decoder: Decoder,
    pub(crate) phase: Phase,
    manager: String,
    /// The device's own, as the Manager has named it.
    address: String,
    /// While it is leaving: when it goes without the Manager's answer, once [`Machine::handle_timeout`] has seen that.
    leaves_at: Option<Instant>,
    pub(crate) role: R,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Handshake,
    /// The identity was sent; the answer to a question tells whether it was accepted.
    Confirming,
    Connected,
    /// No more is executed; what is being executed is awaited. Of services only.
    ShuttingDown,
    /// The Manager has been asked to end the connection.
    Leaving,
    Ended,
}

/// What a device of any role has to do, or learns.
#[derive(Clone, Debug)]
pub enum Event {
    /// A line for the Manager.
    Send(Rope),
    /// The Manager has accepted the device.
    Connected,
    /// Something that only the author knows; answer with [`Machine::answer`].
    Ask(Prompt),
    /// The connection is over.
    Ended(Error),
}

/// What a device does beside being one: the part of a client or of a service in a [`Machine`].
pub trait Role: Sized + Send + 'static {
    /// The `type` in the identity.
    const TYPE: &'static str;

    /// What a device of this role has to do, or learns.
    type Event: From<Event>;

    /// The line, if the event is one for the Manager.
    fn line(event: &Self::Event) -> Option<&Rope>;

    /// The same for another connection.
    #[must_use]
    fn again(&self) -> Self;

    /// Adds further members to the identity, each behind a comma.
    fn identity(&self, _out: &mut String) {}

    /// The Manager has sent this, outside of the handshake and of a login.
    fn heard(machine: &mut Machine<Self>, message: Message, frame: &Frame, out: &mut Vec<Self::Event>);

    /// The Manager has sent a line that cannot be read.
    fn broken(&mut self, broken: &Broken, out: &mut Vec<Self::Event>);

    /// When [`Role::expire`] is to be called at the latest.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Time has passed.
    fn expire(&mut self, _now: Instant, _out: &mut Vec<Self::Event>) {}

    /// The connection has ended: what is open is over.
    fn end(&mut self, reason: &str, out: &mut Vec<Self::Event>);
}

impl<R: Role> Machine<R> {
    pub(crate) fn with_role(
        description: Description,
        role: R,
        credentials: Credentials,
        read_limit: usize,
    ) -> Self {
        Self {
            description,
            login: Login::new(credentials),
            read_limit,
            decoder: Decoder::new(frame::Limits { frame: read_limit, skip: read_limit.saturating_mul(2) }),
            phase: Phase::Handshake,
            manager: MANAGER.to_string(),
            address: String::new(),
            leaves_at: None,
            role,
        }
    }

    /// The same device for another connection. It knows what its author has typed, and goes on counting its calls or its
    /// executions: what belongs to an earlier connection is not taken for something of this one.
    #[must_use]
    pub fn again(&self) -> Self {
        let (description, role) = (self.description.clone(), self.role.again());
        let new = Self::with_role(description, role, self.login.credentials(), self.read_limit);
        Self { manager: self.manager.clone(), address: self.address.clone(), ..new }
    }

    /// The Manager's network name, as far as it has said it.
    pub fn manager(&self) -> &str {
        &self.manager
    }

    /// The device's own address, `host:port`, as the Manager names it; empty before it has done so.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether a client can send requests, and a service gets them.
    pub fn is_connected(&self) -> bool {
        self.phase == Phase::Connected
    }

    /// Whether the connection is over.
    pub fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Takes bytes from the socket; [`Machine::advance`] looks at them.
    pub fn receive(&mut self, bytes: Bytes) {
        self.leaves_at = None;
        self.decoder.receive(bytes);
    }

    /// The Manager has taken some bytes: it does not hang, and has its time again.
    pub fn written(&mut self) {
        self.leaves_at = None;
    }

    /// Takes the next complete line, if there is one, and appends what it causes. Returns whether to call again.
    pub fn advance(&mut self, out: &mut Vec<R::Event>) -> bool {
        if self.phase == Phase::Ended {
            return false;
        }
        match self.decoder.next_line() {
            None => return false,
            Some(Line::Frame(frame)) => self.frame(&frame, out),
            Some(Line::Broken(broken)) => self.role.broken(&broken, out),
            Some(Line::Endless) => self.end("the Manager sent a line that does not end", out),
            // Nothing that a Manager says.
            Some(Line::Text(_) | Line::Blank) => {}
        }
        true
    }

    /// The connection has ended: what is open fails, and nobody waits for answers any more.
    pub fn end(&mut self, reason: &str, out: &mut Vec<R::Event>) {
        let asked_for = self.phase == Phase::Leaving;
        let shown = if asked_for { "disconnected" } else { reason };
        self.over(reason, Error::disconnected(shown.to_string(), false), out);
    }

    /// The author's answer to the oldest [`Event::Ask`]. After the end it changes nothing.
    pub fn answer(&mut self, text: String, out: &mut Vec<R::Event>) {
        if self.phase == Phase::Ended {
            return;
        }
        if let Some(line) = self.login.typed(text, &self.manager) {
            send(line, out);
        }
    }

    /// The author has no answer to the oldest [`Event::Ask`]. In the handshake that is the end; later the Manager gets an
    /// empty answer, and refuses the request that needs it.
    pub fn refuse(&mut self, prompt: &Prompt, out: &mut Vec<R::Event>) {
        match self.phase {
            Phase::Handshake | Phase::Confirming => self.over("not let in", prompt.unanswered(), out),
            Phase::Connected | Phase::ShuttingDown | Phase::Leaving => {
                if let Some(line) = self.login.unanswered(&self.manager) {
                    send(line, out);
                }
            }
            Phase::Ended => {}
        }
    }

    /// When [`Machine::handle_timeout`] is to be called at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        self.role.deadline().into_iter().chain(self.leaves_at).min()
    }

    /// Time has passed: requests whose deadline is over fail. They may be executed all the same. Call [`Machine::advance`]
    /// first: after a jump of the clock, what has arrived meanwhile still counts.
    ///
    /// To be called after anything else, too: a Manager that was asked to end the connection, and does nothing for [`LEAVE`]
    /// from then on, is not waited for any longer.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<R::Event>) {
        self.role.expire(now, out);
        if self.phase == Phase::Leaving && now >= *self.leaves_at.get_or_insert(now + LEAVE) {
            self.end("the Manager does not answer", out);
        }
    }

    /// Asks the Manager to end the connection, which it does once it has written what it has to.
    pub(crate) fn leave(&mut self, out: &mut Vec<R::Event>) {
        send(message::request(&self.description.name, message::DISCONNECT, "[]", "{}", "\"\""), out);
        self.phase = Phase::Leaving;
    }

    fn frame(&mut self, frame: &Frame, out: &mut Vec<R::Event>) {
        match (Message::of(frame), self.phase) {
            (Ok(Message::Reply { error }), Phase::Handshake | Phase::Confirming) => {
                self.confirm(frame, error, out);
            }
            (Ok(message), _) => R::heard(self, message, frame, out),
            (Err(_), _) => {
                if let Some(asked) = Asked::read(frame) {
                    self.asked(asked, frame, out);
                }
            }
        }
    }

    /// The Manager asks the device for something.
    fn asked(&mut self, asked: Asked, frame: &Frame, out: &mut Vec<R::Event>) {
        if let Some(manager) = message::text(frame, Key::Requester) {
            self.manager = manager;
        }
        match asked {
            Asked::Credential(prompt) => match self.login.answer(prompt, &self.manager) {
                Ok(line) => send(line, out),
                Err(prompt) => out.push(Event::Ask(prompt).into()),
            },
            Asked::Identity => {
                let mut identity = String::from("{");
                self.description.write(&mut identity, R::TYPE);
                self.role.identity(&mut identity);
                identity.push('}');
                send(handshake_reply(identity, &self.manager), out);
                if self.phase == Phase::Handshake {
                    self.phase = Phase::Confirming;
                    send(message::request(MANAGER, "unlink", "[\"\"]", "{}", CONFIRMATION), out);
                }
            }
        }
    }

    /// An answer in the handshake: to the question behind the identity, or a refusal.
    fn confirm(&mut self, frame: &Frame, error: bool, out: &mut Vec<R::Event>) {
        if error {
            let refusal = Error::remote(ErrorKind::Refused, refusal_text(frame), Vec::new());
            self.over("not let in", refusal, out);
        } else if self.phase == Phase::Confirming
            && frame.raw(Key::Uid).as_deref() == Some(CONFIRMATION.as_bytes())
        {
            if let Some(name) = message::text(frame, Key::Requester) {
                self.address = self.address_in(&name);
            }
            self.login.accepted();
            self.phase = Phase::Connected;
            out.push(Event::Connected.into());
        }
    }

    /// The address in the device's network name, `name[host:port]`.
    fn address_in(&self, network_name: &str) -> String {
        let address = network_name.strip_prefix(self.description.name.as_str());
        let address = address.and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
        address.unwrap_or(network_name).to_string()
    }

    /// The connection is over, for the author with this error; what is open is told the reason.
    fn over(&mut self, reason: &str, error: Error, out: &mut Vec<R::Event>) {
        if self.phase == Phase::Ended {
            return;
        }
        self.phase = Phase::Ended;
        self.leaves_at = None;
        self.role.end(reason, out);
        out.push(Event::Ended(error).into());
    }
}

/// Appends a line for the Manager.
pub(crate) fn send<E: From<Event>>(line: impl Into<Rope>, out: &mut Vec<E>) {
    out.push(Event::Send(line.into()).into());
}
