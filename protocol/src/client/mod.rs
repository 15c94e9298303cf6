//! A client's side of one connection, as a pure state machine.
//!
//! Requests become lines at once; answers are matched to them by a uid that counts up. What a client has in common with a
//! service is in [`crate::device`]; the handles that authors hold are made of this in [`crate::author`].
//!
//! Easy to get wrong: an error may come without a uid, as the Python Manager leaves some out. Which request it is for is
//! told by its text, or by the order of requests.
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
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::device::{
    self, Credentials, Description, Error, ErrorKind, Phase, Prompt, Role, refusal_text, send,
};
use crate::frame::{Broken, Frame, Key, Rope};
use crate::instant::Instant;
use crate::json::{self, put};
use crate::message::{self, Message};
use open::{GivenUp, Open, is_lost_service};

/// One of a client's requests, in the order in which they were made; numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

/// A request to a service, or to the Manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The service; `Manager` for the Manager itself.
    pub service: &'a str,
    /// What is asked for.
    pub attribute: &'a str,
    /// A JSON array.
    pub args: Cow<'a, str>,
    /// A JSON object.
    pub kwargs: Cow<'a, str>,
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

impl From<device::Event> for Event {
    fn from(event: device::Event) -> Self {
        match event {
            device::Event::Send(line) => Self::Send(line),
            device::Event::Connected => Self::Connected,
            device::Event::Ask(prompt) => Self::Ask(prompt),
            device::Event::Ended(error) => Self::Ended(error),
        }
    }
}

/// A client's side of a connection.
pub type Machine = device::Machine<Calls>;

/// What a client does: its requests that have no answer yet.
#[derive(Debug, Default)]
pub struct Calls {
    open: BTreeMap<CallId, Open>,
    deadlines: BTreeSet<(Instant, CallId)>,
    given_up: GivenUp,
    /// How many there were.
    made: u64,
    /// The last one's; kept for its room.
    uid: String,
}

impl Machine {
    /// A client that has not heard of its Manager yet. `read_limit` is the longest line that it reads, in bytes.
    pub fn new(description: Description, credentials: Credentials, read_limit: usize) -> Self {
        Self::with_role(description, Calls::default(), credentials, read_limit)
    }

    /// Sends a request. Its answer is an [`Event::Settled`] with this id.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`]: nothing was sent.
    pub fn call(&mut self, request: Request<'_>, out: &mut Vec<Event>) -> Result<CallId, Error> {
        if self.phase != Phase::Connected {
            return Err(Error::disconnected("not connected with a Manager", false));
        }
        let Request { service, attribute, args, kwargs, deadline } = request;
        self.role.made += 1;
        let call = CallId(self.role.made);
        let Calls { open, deadlines, uid, .. } = &mut self.role;
        uid.clear();
        put(uid, format_args!("\"{}\"", call.0));
        send(message::request(service, attribute, args, &kwargs, uid), out);
        deadlines.extend(deadline.map(|deadline| (deadline, call)));
        open.insert(call, Open::new(service, attribute, deadline));
        Ok(call)
    }

    /// Nobody waits for this answer any more.
    pub fn forget(&mut self, call: CallId) {
        if let Some(open) = self.role.close(call) {
            self.role.given_up.add(call, open);
        }
    }

    /// This request was not sent, and is not going to be: no answer is to be expected.
    pub fn withdraw(&mut self, call: CallId) {
        self.role.close(call);
        self.role.given_up.of_manager.remove(&call);
    }

    /// Sets another deadline for a request.
    pub fn set_deadline(&mut self, call: CallId, deadline: Option<Instant>) {
        let Calls { open, deadlines, .. } = &mut self.role;
        if let Some(open) = open.get_mut(&call) {
            if let Some(old) = core::mem::replace(&mut open.deadline, deadline) {
                deadlines.remove(&(old, call));
            }
            deadlines.extend(deadline.map(|deadline| (deadline, call)));
        }
    }

    /// Asks the Manager to end the connection, which it does once it has written what it has to.
    pub fn disconnect(&mut self, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Confirming | Phase::Connected) {
            self.leave(out);
        }
    }

    fn reply(&mut self, frame: &Frame, error: bool, out: &mut Vec<Event>) {
        let uid = frame.value(Key::Uid).unwrap_or_default();
        let calls = &mut self.role;
        if error && uid.as_ref() == b"\"\"" && calls.is_of_a_lost_service(frame, out) {
            return;
        }
        let Some(call) = calls.call_of(&uid, error) else { return };
        calls.given_up.of_manager.remove(&call);
        let Some(open) = calls.close(call) else { return };
        if open.is_for_manager() && open.needs_administrator() {
            // Now it is known whether what was typed for it was right.
            if error { self.login.rejected() } else { self.login.accepted() }
        }
        let outcome = if error {
            let error = open.error(refusal_text(frame), traceback(frame));
            if open.tells_that_service_is_gone(&error) {
                out.push(Event::Gone { call, service: open.service().into(), error: error.clone() });
            }
            Err(error)
        } else {
            Ok(frame.raw(Key::Result).unwrap_or_default())
        };
        out.push(Event::Settled { call, outcome });
    }
}

impl Role for Calls {
    const TYPE: &'static str = "client";
    type Event = Event;

    fn line(event: &Event) -> Option<&Rope> {
        if let Event::Send(line) = event { Some(line) } else { None }
    }

    fn again(&self) -> Self {
        Self { made: self.made, ..Self::default() }
    }

    fn heard(machine: &mut Machine, message: Message, frame: &Frame, out: &mut Vec<Event>) {
        match message {
            Message::Notification => notification(frame, out),
            Message::Reply { error } => machine.reply(frame, error, out),
            // Nobody asks a client for anything but its identity and its login.
            Message::Request | Message::ManagerRequest | Message::Disconnect => {}
        }
    }

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

    fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    fn expire(&mut self, now: Instant, out: &mut Vec<Event>) {
        while let Some((deadline, call)) = self.deadlines.first().copied() {
            if deadline > now {
                break;
            }
            self.deadlines.pop_first();
            if let Some(open) = self.open.remove(&call) {
                let text = format!("{} was not answered in time", open.target());
                out.push(Event::Settled { call, outcome: Err(Error::new(ErrorKind::TimedOut, text)) });
                self.given_up.add(call, open);
            }
        }
    }

    fn end(&mut self, reason: &str, out: &mut Vec<Event>) {
        self.deadlines.clear();
        for (call, open) in core::mem::take(&mut self.open) {
            // Python's client, too, takes the end for the answer to a request that ends everything.
            let outcome = if open.is_for_manager() && open.attribute() == "shutdown_manager" {
                Ok(Bytes::from_static(b"null"))
            } else {
                let text = format!("{reason}; {} has no answer", open.target());
                Err(Error::disconnected(text, true))
            };
            out.push(Event::Settled { call, outcome });
        }
    }
}

impl Calls {
    fn close(&mut self, call: CallId) -> Option<Open> {
        let open = self.open.remove(&call)?;
        if let Some(deadline) = open.deadline {
            self.deadlines.remove(&(deadline, call));
        }
        Some(open)
    }

    /// The Python Manager does not say which request it was that a service is not there for. None of the open ones of
    /// that service is going to be answered: all fail.
    fn is_of_a_lost_service(&mut self, frame: &Frame, out: &mut Vec<Event>) -> bool {
        let message = refusal_text(frame);
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
            let one_of_several = lost.len() > 1 || self.given_up.services.contains(open.service());
            let error = if one_of_several { error.perhaps_executed() } else { error };
            out.push(Event::Gone { call: *call, service: open.service().into(), error: error.clone() });
            out.push(Event::Settled { call: *call, outcome: Err(error) });
        }
        true
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
            |(_, open): &(&CallId, &Open)| open.is_for_manager() && (error || open.needs_administrator());
        let open = self.open.iter().find(by_itself);
        let given_up = self.given_up.of_manager.iter().find(by_itself);
        open.into_iter().chain(given_up).map(|(call, _)| *call).min()
    }
}

fn notification(frame: &Frame, out: &mut Vec<Event>) {
    let Some(service) = message::text(frame, Key::Service) else { return };
    let parts = frame.raw(Key::Result).and_then(|raw| json::elements(&raw)).unwrap_or_default();
    if let [args, kwargs] = &parts[..] {
        out.push(Event::Notification { service, args: args.clone(), kwargs: kwargs.clone() });
    }
}

fn traceback(frame: &Frame) -> Vec<String> {
    let lines = frame.raw(Key::Traceback).and_then(|raw| json::elements(&raw)).unwrap_or_default();
    lines.iter().filter_map(|raw| json::unquote(raw).map(Cow::into_owned)).collect()
}

#[cfg(test)]
mod tests;
