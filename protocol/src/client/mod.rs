//! A client's side of one connection, as a pure state machine.
//!
//! Requests become lines at once; answers are matched to them by a uid that counts up. Bytes go in with
//! [`Machine::receive`], [`Machine::advance`] takes one line at a time, and what follows is appended to a list that the caller
//! owns. The handles that authors hold are made of this in [`crate::author`].
//!
//! Easy to get wrong: a device is told of a refusal, but not of success. So the machine asks the Manager for something
//! that changes nothing, right behind its identity, and is connected when that is answered.
//!
//! ```
//! use msl_network_protocol::client::{Event, Machine, Request};
//! use msl_network_protocol::device::{Credentials, Description};
//!
//! let ann = Description { name: "Ann".into(), language: "Rust".into(), os: "any".into() };
//! let mut client = Machine::new(ann, Credentials::default(), 1 << 20);
//! let mut events = Vec::new();
//! client.receive(b"{\"attribute\": \"identity\", \"args\": [], \"requester\": \"Manager[lab:1875]\"}\r\n".as_slice().into());
//! while client.advance(&mut events) {}
//! let Event::Send(identity) = &events[0] else { panic!() };
//! assert!(identity.to_bytes().starts_with(b"{\"error\": false, \"requester\": \"Manager[lab:1875]\", \"result\": {\"type\": \"client\""));
//! ```

mod open;

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

use crate::device::{Asked, CONFIRMATION, Credentials, Description, Error, ErrorKind, LEAVE, Login, Prompt};
use crate::frame::{self, Broken, Decoder, Frame, Key, Line, Rope};
use crate::instant::Instant;
use crate::json;
use crate::message::{self, MANAGER, Message};
use open::{GivenUp, Open, is_lost_service};

/// One of a client's requests, in the order in which they were made; numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

/// A request to a service, or to the Manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The service; `Manager` for the Manager itself.
    pub service: String,
    /// What is asked for.
    pub attribute: String,
    /// A JSON array.
    pub args: String,
    /// A JSON object.
    pub kwargs: String,
    /// When the caller gives up; never without one.
    pub deadline: Option<Instant>,
}

/// What a client has to do, or learns.
#[derive(Clone, Debug)]
pub enum Event {
    /// A line for the Manager.
    Send(Rope),
    /// The Manager has accepted the client.
    Connected,
    /// Something that only the author knows; answer with [`Machine::answer`].
    Ask(Prompt),
    /// A request has come to its end. Of a result, its JSON.
    Settled {
        /// Which.
        call: CallId,
        /// With what.
        outcome: Result<Bytes, Error>,
    },
    /// A service that the client is linked with has sent a notification.
    Notification {
        /// The service.
        service: String,
        /// A JSON array.
        args: Bytes,
        /// A JSON object.
        kwargs: Bytes,
    },
    /// A request was answered so that its service is not there, or has gone. A link with it has ended, unless it was made
    /// after that request.
    Gone {
        /// The request; its [`Event::Settled`] comes, too.
        call: CallId,
        /// The service.
        service: String,
        /// The answer.
        error: Error,
    },
    /// The connection is over; every request has been settled.
    Ended(Error),
}

/// A client's side of a connection.
#[derive(Debug)]
pub struct Machine {
    description: Description,
    login: Login,
    read_limit: usize,
    decoder: Decoder,
    phase: Phase,
    manager: String,
    /// The client's own, as the Manager has named it.
    address: String,
    /// While it is leaving: when it goes without the Manager's answer, once [`Machine::handle_timeout`] has seen that.
    leaves_at: Option<Instant>,
    open: BTreeMap<CallId, Open>,
    deadlines: BTreeSet<(Instant, CallId)>,
    given_up: GivenUp,
    next: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Handshake,
    /// The identity was sent; the answer to a question tells whether it was accepted.
    Confirming,
    Connected,
    /// The client has asked to be disconnected.
    Leaving,
    Ended,
}

impl Machine {
    /// A client that has not heard of its Manager yet. `read_limit` is the longest line that it reads, in bytes.
    pub fn new(description: Description, credentials: Credentials, read_limit: usize) -> Self {
        Self {
            description,
            login: Login::new(credentials),
            read_limit,
            decoder: Decoder::new(frame::Limits { frame: read_limit, skip: read_limit.saturating_mul(2) }),
            phase: Phase::Handshake,
            manager: MANAGER.to_string(),
            address: String::new(),
            leaves_at: None,
            open: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            given_up: GivenUp::default(),
            next: 1,
        }
    }

    /// The same client for another connection. It knows what its author has typed, and goes on counting its calls.
    #[must_use]
    pub fn again(&self) -> Self {
        let new = Self::new(self.description.clone(), self.login.credentials(), self.read_limit);
        Self { manager: self.manager.clone(), address: self.address.clone(), next: self.next, ..new }
    }

    /// The Manager's network name, as far as it has said it.
    pub fn manager(&self) -> &str {
        &self.manager
    }

    /// The client's own address, `host:port`, as the Manager names it; empty before it has done so.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether requests can be sent.
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

    /// The connection has ended: what is open fails.
    pub fn end(&mut self, reason: &str, out: &mut Vec<Event>) {
        if self.phase == Phase::Ended {
            return;
        }
        let asked_for = self.phase == Phase::Leaving;
        self.phase = Phase::Ended;
        self.leaves_at = None;
        self.deadlines.clear();
        for (call, open) in core::mem::take(&mut self.open) {
            // Python's client, too, takes the end for the answer to a request that ends everything.
            let outcome = if open.service == MANAGER && open.attribute == "shutdown_manager" {
                Ok(Bytes::from_static(b"null"))
            } else {
                let text = format!("{reason}; {}.{} has no answer", open.service, open.attribute);
                Err(Error::disconnected(text, true))
            };
            out.push(Event::Settled { call, outcome });
        }
        let reason = if asked_for { "disconnected" } else { reason };
        out.push(Event::Ended(Error::disconnected(reason.to_string(), false)));
    }

    /// Takes the next complete line, if there is one, and appends what it causes. Returns whether to call again.
    pub fn advance(&mut self, out: &mut Vec<Event>) -> bool {
        if self.phase == Phase::Ended {
            return false;
        }
        match self.decoder.next_line() {
            None => return false,
            Some(Line::Frame(frame)) => self.frame(&frame, out),
            Some(Line::Broken(broken)) => self.broken(&broken, out),
            Some(Line::Endless) => self.end("the Manager sent a line that does not end", out),
            // Nothing that a Manager says.
            Some(Line::Text(_) | Line::Blank) => {}
        }
        true
    }

    /// Sends a request. Its answer is an [`Event::Settled`] with this id.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`]: nothing was sent.
    pub fn call(&mut self, request: Request, out: &mut Vec<Event>) -> Result<CallId, Error> {
        if self.phase != Phase::Connected {
            return Err(Error::disconnected("not connected with a Manager", false));
        }
        let call = CallId(self.next);
        self.next += 1;
        let Request { service, attribute, args, kwargs, deadline } = request;
        let line = message::request(&service, &attribute, &args, &kwargs, &format!("\"{}\"", call.0));
        out.push(Event::Send(Rope::from(line.into_bytes())));
        self.deadlines.extend(deadline.map(|deadline| (deadline, call)));
        self.open.insert(call, Open { service, attribute, deadline });
        Ok(call)
    }

    /// Nobody waits for this answer any more.
    pub fn forget(&mut self, call: CallId) {
        if let Some(open) = self.close(call) {
            self.given_up.add(call, open);
        }
    }

    /// This request was not sent, and is not going to be: no answer is to be expected.
    pub fn withdraw(&mut self, call: CallId) {
        self.close(call);
        self.given_up.of_manager.remove(&call);
    }

    /// The author's answer to the oldest [`Event::Ask`]. After the end it changes nothing.
    pub fn answer(&mut self, text: String, out: &mut Vec<Event>) {
        if self.phase == Phase::Ended {
            return;
        }
        if let Some(line) = self.login.typed(text, &self.manager) {
            out.push(Event::Send(Rope::from(line.into_bytes())));
        }
    }

    /// The author has no answer to the oldest [`Event::Ask`]. In the handshake that is the end; later the request that
    /// needs it is refused.
    pub fn refuse(&mut self, prompt: &Prompt, out: &mut Vec<Event>) {
        match self.phase {
            Phase::Handshake | Phase::Confirming => self.refused(prompt.unanswered(), out),
            Phase::Connected | Phase::Leaving => {
                if let Some(line) = self.login.unanswered(&self.manager) {
                    out.push(Event::Send(Rope::from(line.into_bytes())));
                }
            }
            Phase::Ended => {}
        }
    }

    /// Asks the Manager to end the connection, which it does once it has written what it has to.
    pub fn disconnect(&mut self, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Handshake | Phase::Ended | Phase::Leaving) {
            return;
        }
        let line = message::request(&self.description.name, message::DISCONNECT, "[]", "{}", "\"\"");
        out.push(Event::Send(Rope::from(line.into_bytes())));
        self.phase = Phase::Leaving;
    }

    /// When [`Machine::handle_timeout`] is to be called at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        let first = self.deadlines.first().map(|(deadline, _)| *deadline);
        first.into_iter().chain(self.leaves_at).min()
    }

    /// Sets another deadline for a request.
    pub fn set_deadline(&mut self, call: CallId, deadline: Option<Instant>) {
        if let Some(open) = self.open.get_mut(&call) {
            if let Some(old) = core::mem::replace(&mut open.deadline, deadline) {
                self.deadlines.remove(&(old, call));
            }
            self.deadlines.extend(deadline.map(|deadline| (deadline, call)));
        }
    }

    /// Time has passed: requests whose deadline is over fail. They may be executed all the same. Call [`Machine::advance`]
    /// first: after a jump of the clock, what has arrived meanwhile still counts.
    ///
    /// To be called after anything else, too: a Manager that was asked to end the connection, and does nothing for [`LEAVE`]
    /// from then on, is not waited for any longer.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Event>) {
        while let Some((deadline, call)) = self.deadlines.first().copied() {
            if deadline > now {
                break;
            }
            self.deadlines.pop_first();
            if let Some(open) = self.open.remove(&call) {
                let text = format!("{}.{} was not answered in time", open.service, open.attribute);
                out.push(Event::Settled { call, outcome: Err(Error::new(ErrorKind::TimedOut, text)) });
                self.given_up.add(call, open);
            }
        }
        if self.phase == Phase::Leaving && now >= *self.leaves_at.get_or_insert(now + LEAVE) {
            self.end("the Manager does not answer", out);
        }
    }

    fn close(&mut self, call: CallId) -> Option<Open> {
        let open = self.open.remove(&call)?;
        if let Some(deadline) = open.deadline {
            self.deadlines.remove(&(deadline, call));
        }
        Some(open)
    }

    fn frame(&mut self, frame: &Frame, out: &mut Vec<Event>) {
        match Message::of(frame) {
            Ok(Message::Notification) => Self::notification(frame, out),
            Ok(Message::Reply { error }) => self.reply(frame, error, out),
            _ => {
                if let Some(asked) = Asked::read(frame) {
                    self.asked(asked, frame, out);
                }
            }
        }
    }

    /// The Manager asks this client for something.
    fn asked(&mut self, asked: Asked, frame: &Frame, out: &mut Vec<Event>) {
        if let Some(manager) = message::text(frame, Key::Requester) {
            self.manager = manager;
        }
        match asked {
            Asked::Credential(prompt) => match self.login.answer(prompt, &self.manager) {
                Ok(line) => out.push(Event::Send(Rope::from(line.into_bytes()))),
                Err(prompt) => out.push(Event::Ask(prompt)),
            },
            Asked::Identity => {
                let mut identity = String::from("{");
                self.description.write(&mut identity, "client");
                identity.push('}');
                let line = crate::device::handshake_reply(&identity, &self.manager);
                out.push(Event::Send(Rope::from(line.into_bytes())));
                if self.phase == Phase::Handshake {
                    self.phase = Phase::Confirming;
                    let question = message::request(MANAGER, "unlink", "[\"\"]", "{}", CONFIRMATION);
                    out.push(Event::Send(Rope::from(question.into_bytes())));
                }
            }
        }
    }

    fn notification(frame: &Frame, out: &mut Vec<Event>) {
        let Some(service) = message::text(frame, Key::Service) else { return };
        let parts = frame.raw(Key::Result).and_then(|raw| json::elements(&raw)).unwrap_or_default();
        if let [args, kwargs] = &parts[..] {
            out.push(Event::Notification { service, args: args.clone(), kwargs: kwargs.clone() });
        }
    }

    fn reply(&mut self, frame: &Frame, error: bool, out: &mut Vec<Event>) {
        let uid = frame.raw(Key::Uid).unwrap_or_default();
        match self.phase {
            Phase::Handshake | Phase::Confirming if error => {
                let message = crate::device::refusal_text(frame);
                return self.refused(Error::remote(ErrorKind::Refused, message, Vec::new()), out);
            }
            Phase::Confirming if uid == CONFIRMATION => {
                if let Some(name) = message::text(frame, Key::Requester) {
                    self.address = self.address_in(&name);
                }
                self.login.accepted();
                self.phase = Phase::Connected;
                return out.push(Event::Connected);
            }
            _ => {}
        }
        if error && uid.as_ref() == b"\"\"" && self.is_of_a_lost_service(frame, out) {
            return;
        }
        let Some(call) = self.call_of(&uid, error) else { return };
        self.given_up.of_manager.remove(&call);
        let Some(open) = self.close(call) else { return };
        if open.is_for_manager() && open.needs_administrator() {
            // Now it is known whether what was typed for it was right.
            if error { self.login.rejected() } else { self.login.accepted() }
        }
        let outcome = if error {
            let error = open.error(crate::device::refusal_text(frame), traceback(frame));
            if open.tells_that_service_is_gone(&error) {
                out.push(Event::Gone { call, service: open.service, error: error.clone() });
            }
            Err(error)
        } else {
            Ok(frame.raw(Key::Result).unwrap_or_default())
        };
        out.push(Event::Settled { call, outcome });
    }

    /// The address in the client's network name, `name[host:port]`.
    fn address_in(&self, network_name: &str) -> String {
        let address = network_name.strip_prefix(self.description.name.as_str());
        let address = address.and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
        address.unwrap_or(network_name).to_string()
    }

    /// The Python Manager does not say which request it was that a service is not there for. None of the open ones of
    /// that service is going to be answered: all fail.
    fn is_of_a_lost_service(&mut self, frame: &Frame, out: &mut Vec<Event>) -> bool {
        let message = crate::device::refusal_text(frame);
        if !is_lost_service(&message) {
            return false;
        }
        let lost = self.open.iter().filter(|(_, open)| message.starts_with(&open.lost_text()));
        let lost: Vec<CallId> = lost.map(|(call, _)| *call).collect();
        for call in &lost {
            let Some(open) = self.close(*call) else { continue };
            let error = open.error(message.clone(), traceback(frame));
            // One of several was refused, or one that was given up. The others may have been on their way when the
            // service left.
            let one_of_several = lost.len() > 1 || self.given_up.services.contains(&open.service);
            let error = if one_of_several { error.perhaps_executed() } else { error };
            out.push(Event::Gone { call: *call, service: open.service, error: error.clone() });
            out.push(Event::Settled { call: *call, outcome: Err(error) });
        }
        true
    }

    /// The handshake has failed: there are no calls yet.
    fn refused(&mut self, error: Error, out: &mut Vec<Event>) {
        self.phase = Phase::Ended;
        out.push(Event::Ended(error));
    }

    /// Which request an answer is for. An error without a uid (the Python Manager leaves some out) is for the oldest
    /// request to the Manager without an answer, given up or not.
    fn call_of(&self, uid: &[u8], error: bool) -> Option<CallId> {
        let text = json::unquote(uid)?;
        if let Ok(number) = text.parse() {
            return Some(CallId(number));
        }
        if !text.is_empty() {
            return None;
        }
        let by_itself =
            |(_, open): &(&CallId, &Open)| open.service == MANAGER && (error || open.needs_administrator());
        let open = self.open.iter().find(by_itself);
        let given_up = self.given_up.of_manager.iter().find(by_itself);
        open.into_iter().chain(given_up).map(|(call, _)| *call).min()
    }

    /// An answer that cannot be read.
    fn broken(&mut self, broken: &Broken, out: &mut Vec<Event>) {
        let uid = broken.head.uid.as_deref().unwrap_or_default();
        let call = json::unquote(uid).and_then(|uid| uid.parse().ok()).map(CallId);
        if let Some(call) = call
            && self.close(call).is_some()
        {
            let text = format!("the answer cannot be read: {}", broken.error);
            out.push(Event::Settled { call, outcome: Err(Error::new(ErrorKind::Decode, text)) });
        }
    }
}

fn traceback(frame: &Frame) -> Vec<String> {
    let lines = frame.raw(Key::Traceback).and_then(|raw| json::elements(&raw)).unwrap_or_default();
    lines.iter().filter_map(|raw| json::unquote(raw).map(Cow::into_owned)).collect()
}

#[cfg(test)]
mod tests;
