//! A service's side of one connection, as a pure state machine.
//!
//! Requests come out as [`Event::Execute`]; whoever executes them hands the outcome to [`Machine::finish`], in any order.
//! Nothing is executed here. What a service has in common with a client is in [`crate::device`]; the handles that authors
//! hold are made of this in [`crate::author`].
//!
//! Easy to get wrong: `shutdown_service`. The Manager frees the service's name when it is asked to disconnect it, so the
//! service first finishes what it is executing and sends the answers (docs/wire.md, section 11).

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::device::{self, Credentials, Description, Error, Phase, Prompt, Role, send};
use crate::frame::{Broken, Frame, Key, Room, Rope};
use crate::json;
use crate::json::{put, separated, string_array};
use crate::message::{self, Message};

/// One request that is being executed; numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(u64);

/// A request of a client, to be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Which.
    pub id: ExecutionId,
    /// The client's network name.
    pub requester: Arc<str>,
    /// What is asked for.
    pub attribute: String,
    /// A JSON array.
    pub args: Bytes,
    /// A JSON object.
    pub kwargs: Bytes,
}

/// Why a request was not executed, or failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The Python exception that clients see, like `ValueError`.
    pub exception: String,
    /// What went wrong.
    pub text: String,
    /// Where, line by line; may be empty.
    pub traceback: Vec<String>,
}

impl Failure {
    /// A failure without a traceback.
    pub fn new(exception: impl Into<String>, text: impl Into<String>) -> Self {
        Self { exception: exception.into(), text: text.into(), traceback: Vec::new() }
    }
}

/// What a service offers, and to how many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The attributes that are shown, in order: name, and the JSON of the signature or value.
    pub attributes: Vec<(String, String)>,
    /// How many clients may be linked; `None`: any number.
    pub max_clients: Option<u32>,
}

/// What a service has to do, or learns.
#[derive(Clone, Debug)]
pub enum Event {
    /// A line for the Manager.
    Send(Rope),
    /// The Manager has accepted the service.
    Connected,
    /// Something that only the author knows; answer with [`Machine::answer`].
    Ask(Prompt),
    /// A request, to be executed and answered with [`Machine::finish`].
    Execute(Execution),
    /// The connection is over.
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

/// A service's side of a connection.
pub type Machine = device::Machine<Executions>;

/// What a service does: the requests that it is executing.
#[derive(Debug)]
pub struct Executions {
    offer: Offer,
    executing: BTreeMap<ExecutionId, Answer>,
    /// How many there were.
    begun: u64,
    /// The client whose request came last: many of one come together, and share its name.
    requester: Arc<str>,
    /// Where long arguments are put together that came in several pieces.
    room: Room,
}

/// Where the outcome of an execution goes.
#[derive(Debug)]
struct Answer {
    requester: Arc<str>,
    /// Raw JSON.
    uid: Bytes,
}

impl Machine {
    /// A service that has not heard of its Manager yet. `read_limit` is the longest line that it reads, in bytes.
    pub fn new(description: Description, offer: Offer, credentials: Credentials, read_limit: usize) -> Self {
        let role = Executions::new(offer, 0);
        Self::with_role(description, role, credentials, read_limit)
    }

    /// How many requests are being executed.
    pub fn executing(&self) -> usize {
        self.role.executing.len()
    }

    /// Whether somebody still waits for the outcome of this request.
    pub fn is_awaited(&self, id: ExecutionId) -> bool {
        self.role.executing.contains_key(&id)
    }

    /// A request has been executed: its result as JSON, or why there is none.
    pub fn finish(&mut self, id: ExecutionId, outcome: Result<String, Failure>, out: &mut Vec<Event>) {
        let Some(Answer { requester, uid }) = self.role.executing.remove(&id) else { return };
        match outcome {
            Ok(result) => send(message::answer(&requester, result, &uid), out),
            Err(failure) => fail(&requester, &uid, &failure, out),
        }
        self.leave_if_idle(out);
    }

    /// Sends a notification to all clients that are linked. `args` is a JSON array, `kwargs` an object. Returns whether
    /// it was sent: not while the service is not connected.
    pub fn notify(&self, args: &str, kwargs: &str, out: &mut Vec<Event>) -> bool {
        let connected = matches!(self.phase, Phase::Connected | Phase::ShuttingDown);
        if connected {
            let mut line = String::from("{\"error\": false, \"service\": ");
            json::quote_into(&mut line, &self.description.name);
            put(&mut line, format_args!(", \"uid\": \"notification\", \"result\": [{args}, {kwargs}]}}\r\n"));
            send(line, out);
        }
        connected
    }

    /// Lets no more requests in, finishes those that are being executed, and then asks the Manager for the end.
    pub fn shut_down(&mut self, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Confirming | Phase::Connected) {
            self.phase = Phase::ShuttingDown;
            self.leave_if_idle(out);
        }
    }

    fn leave_if_idle(&mut self, out: &mut Vec<Event>) {
        if self.phase == Phase::ShuttingDown && self.role.executing.is_empty() {
            self.leave(out);
        }
    }

    fn request(&mut self, frame: &Frame, out: &mut Vec<Event>) {
        let requester = message::view(frame, Key::Requester).unwrap_or_default();
        if *self.role.requester != *requester {
            self.role.requester = requester.into();
        }
        let requester = self.role.requester.clone();
        let uid = frame.value(Key::Uid).unwrap_or(Cow::Borrowed(b"\"\""));
        let attribute = message::text(frame, Key::Attribute).unwrap_or_default();
        if attribute.starts_with('_') {
            let failure = Failure::new("PermissionError", "Cannot request a private attribute");
            return fail(&requester, &uid, &failure, out);
        }
        if matches!(self.phase, Phase::ShuttingDown | Phase::Leaving) {
            let failure =
                Failure::new("ConnectionError", format!("{} is shutting down", self.description.name));
            return fail(&requester, &uid, &failure, out);
        }
        self.role.begun += 1;
        let id = ExecutionId(self.role.begun);
        let uid = Bytes::copy_from_slice(&uid);
        self.role.executing.insert(id, Answer { requester: requester.clone(), uid });
        let args = frame.kept(Key::Args, &mut self.role.room).unwrap_or(Bytes::from_static(b"[]"));
        let kwargs = frame.kept(Key::Kwargs, &mut self.role.room).unwrap_or(Bytes::from_static(b"{}"));
        out.push(Event::Execute(Execution { id, requester, attribute, args, kwargs }));
    }
}

impl Executions {
    fn new(offer: Offer, begun: u64) -> Self {
        Self { offer, executing: BTreeMap::new(), begun, requester: "".into(), room: Room::default() }
    }
}

impl Role for Executions {
    const TYPE: &'static str = "service";
    type Event = Event;

    fn line(event: &Event) -> Option<&Rope> {
        if let Event::Send(line) = event { Some(line) } else { None }
    }

    fn again(&self) -> Self {
        Self::new(self.offer.clone(), self.begun)
    }

    fn identity(&self, out: &mut String) {
        out.push_str(", \"attributes\": {");
        separated(out, &self.offer.attributes, |out, (name, value)| {
            json::quote_into(out, name);
            put(out, format_args!(": {value}"));
        });
        match self.offer.max_clients {
            Some(most) => put(out, format_args!("}}, \"max_clients\": {most}")),
            None => out.push_str("}, \"max_clients\": -1"),
        }
    }

    fn heard(machine: &mut Machine, message: Message, frame: &Frame, out: &mut Vec<Event>) {
        // A service that is let in has asked for nothing that is answered.
        if message == Message::Request {
            machine.request(frame, out);
        }
    }

    fn broken(&mut self, broken: &Broken, out: &mut Vec<Event>) {
        // A Manager forwards nothing broken, but a line may be too long for this service.
        let requester = broken.head.requester.as_deref().and_then(json::unquote);
        if let (Some(requester), Some(uid)) = (requester, &broken.head.uid) {
            let failure = Failure::new("ValueError", format!("the request cannot be read: {}", broken.error));
            fail(&requester, uid, &failure, out);
        }
    }

    fn end(&mut self, _reason: &str, _out: &mut Vec<Event>) {
        // Nobody waits for their answers any more.
        self.executing.clear();
    }
}

fn fail(requester: &str, uid: &[u8], failure: &Failure, out: &mut Vec<Event>) {
    let Failure { exception, text, traceback } = failure;
    let mut line = String::from("{\"error\": true, \"message\": ");
    json::quote_into(&mut line, &format!("{exception}: {text}"));
    line.push_str(", \"requester\": ");
    json::quote_into(&mut line, requester);
    let uid = core::str::from_utf8(uid).unwrap_or("\"\"");
    let traceback = string_array(traceback.iter().map(String::as_str));
    put(&mut line, format_args!(", \"result\": null, \"traceback\": {traceback}, \"uid\": {uid}}}\r\n"));
    send(line, out);
}

#[cfg(test)]
mod tests;
