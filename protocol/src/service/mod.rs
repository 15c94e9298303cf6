//! A service's side of one connection, as a pure state machine.
//!
//! Requests come out as [`Event::Execute`]; whoever executes them hands the outcome to [`Machine::finish`], in any order.
//! Nothing is executed here. The handles that authors hold are made of this in [`crate::author`].
//!
//! Easy to get wrong: `shutdown_service`. The Manager frees the service's name when it is asked to disconnect it, so the
//! service first finishes what it is executing and sends the answers (docs/wire.md, section 11).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

use crate::device::{Asked, CONFIRMATION, Credentials, Description, Error, ErrorKind, LEAVE, Login, Prompt};
use crate::frame::{self, Decoder, Frame, Key, Line, Rope};
use crate::instant::Instant;
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
    pub requester: String,
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

/// A service's side of a connection.
#[derive(Debug)]
pub struct Machine {
    description: Description,
    offer: Offer,
    login: Login,
    read_limit: usize,
    decoder: Decoder,
    phase: Phase,
    manager: String,
    executing: BTreeMap<ExecutionId, Answer>,
    next: u64,
    /// While it is leaving: when it goes without the Manager's answer, once [`Machine::handle_timeout`] has seen that.
    leaves_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Handshake,
    /// The identity was sent; the answer to a question tells whether it was accepted.
    Confirming,
    Connected,
    /// No more is executed; what is being executed is awaited.
    ShuttingDown,
    /// The Manager has been asked to end the connection.
    Leaving,
    Ended,
}

/// Where the outcome of an execution goes.
#[derive(Debug)]
struct Answer {
    requester: String,
    /// Raw JSON.
    uid: Bytes,
}

impl Machine {
    /// A service that has not heard of its Manager yet. `read_limit` is the longest line that it reads, in bytes.
    pub fn new(description: Description, offer: Offer, credentials: Credentials, read_limit: usize) -> Self {
        Self {
            description,
            offer,
            login: Login::new(credentials),
            read_limit,
            decoder: Decoder::new(frame::Limits { frame: read_limit, skip: read_limit.saturating_mul(2) }),
            phase: Phase::Handshake,
            manager: message::MANAGER.to_string(),
            executing: BTreeMap::new(),
            next: 1,
            leaves_at: None,
        }
    }

    /// The same service for another connection. It knows what its author has typed, and goes on counting its executions:
    /// an outcome of one that began on an earlier connection has nowhere to go.
    #[must_use]
    pub fn again(&self) -> Self {
        let (description, offer) = (self.description.clone(), self.offer.clone());
        let new = Self::new(description, offer, self.login.credentials(), self.read_limit);
        Self { manager: self.manager.clone(), next: self.next, ..new }
    }

    /// The Manager's network name, as far as it has said it.
    pub fn manager(&self) -> &str {
        &self.manager
    }

    /// Whether clients can reach the service.
    pub fn is_connected(&self) -> bool {
        self.phase == Phase::Connected
    }

    /// Whether the connection is over.
    pub fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// How many requests are being executed.
    pub fn executing(&self) -> usize {
        self.executing.len()
    }

    /// Whether somebody still waits for the outcome of this request.
    pub fn is_awaited(&self, id: ExecutionId) -> bool {
        self.executing.contains_key(&id)
    }

    /// When [`Machine::handle_timeout`] is to be called at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        self.leaves_at
    }

    /// Time has passed. To be called after anything else, too: a Manager that was asked to end the connection, and does
    /// nothing for [`LEAVE`] from then on, is not waited for any longer.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Event>) {
        if self.phase == Phase::Leaving && now >= *self.leaves_at.get_or_insert(now + LEAVE) {
            self.end("the Manager does not answer", out);
        }
    }

    /// The Manager has taken some bytes: it does not hang, and has its time again.
    pub fn written(&mut self) {
        self.leaves_at = None;
    }

    /// Takes bytes from the socket; [`Machine::advance`] looks at them.
    pub fn receive(&mut self, bytes: Bytes) {
        self.leaves_at = None;
        self.decoder.receive(bytes);
    }

    /// The connection has ended. Nobody waits for answers any more.
    pub fn end(&mut self, reason: &str, out: &mut Vec<Event>) {
        if self.phase == Phase::Ended {
            return;
        }
        let reason = if self.phase == Phase::Leaving { "disconnected" } else { reason };
        self.phase = Phase::Ended;
        self.leaves_at = None;
        self.executing.clear();
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
            Some(Line::Broken(broken)) => {
                // A Manager forwards nothing broken, but a line may be too long for this service.
                let requester = broken.head.requester.as_deref().and_then(json::unquote);
                if let (Some(requester), Some(uid)) = (requester, &broken.head.uid) {
                    let failure =
                        Failure::new("ValueError", format!("the request cannot be read: {}", broken.error));
                    fail(&requester, uid, &failure, out);
                }
            }
            Some(Line::Endless) => self.end("the Manager sent a line that does not end", out),
            Some(Line::Text(_) | Line::Blank) => {}
        }
        true
    }

    /// The author's answer to the oldest [`Event::Ask`]. After the end it changes nothing.
    pub fn answer(&mut self, text: String, out: &mut Vec<Event>) {
        if self.phase == Phase::Ended {
            return;
        }
        if let Some(line) = self.login.typed(text, &self.manager) {
            send(line, out);
        }
    }

    /// The author has no answer to the oldest [`Event::Ask`]. In the handshake that is the end; later the Manager gets an
    /// empty answer.
    pub fn refuse(&mut self, prompt: &Prompt, out: &mut Vec<Event>) {
        match self.phase {
            Phase::Handshake | Phase::Confirming => self.refused(prompt.unanswered(), out),
            Phase::Connected | Phase::ShuttingDown | Phase::Leaving => {
                if let Some(line) = self.login.unanswered(&self.manager) {
                    send(line, out);
                }
            }
            Phase::Ended => {}
        }
    }

    /// A request has been executed: its result as JSON, or why there is none.
    pub fn finish(&mut self, id: ExecutionId, outcome: Result<&str, &Failure>, out: &mut Vec<Event>) {
        let Some(Answer { requester, uid }) = self.executing.remove(&id) else { return };
        match outcome {
            Ok(result) => send(message::answer(&requester, result, &uid), out),
            Err(failure) => fail(&requester, &uid, failure, out),
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
        if self.phase == Phase::ShuttingDown && self.executing.is_empty() {
            self.phase = Phase::Leaving;
            send(message::request(&self.description.name, message::DISCONNECT, "[]", "{}", "\"\""), out);
        }
    }

    fn frame(&mut self, frame: &Frame, out: &mut Vec<Event>) {
        match Message::of(frame) {
            Ok(Message::Request) => self.request(frame, out),
            Ok(Message::Reply { error }) => self.reply(frame, error, out),
            _ => {
                if let Some(asked) = Asked::read(frame) {
                    self.asked(asked, frame, out);
                }
            }
        }
    }

    fn asked(&mut self, asked: Asked, frame: &Frame, out: &mut Vec<Event>) {
        if let Some(manager) = message::text(frame, Key::Requester) {
            self.manager = manager;
        }
        match asked {
            Asked::Credential(prompt) => match self.login.answer(prompt, &self.manager) {
                Ok(line) => send(line, out),
                Err(prompt) => out.push(Event::Ask(prompt)),
            },
            Asked::Identity => {
                send(crate::device::handshake_reply(&self.identity(), &self.manager), out);
                if self.phase == Phase::Handshake {
                    self.phase = Phase::Confirming;
                    send(message::request(message::MANAGER, "unlink", "[\"\"]", "{}", CONFIRMATION), out);
                }
            }
        }
    }

    fn identity(&self) -> String {
        let mut identity = String::from("{");
        self.description.write(&mut identity, "service");
        identity.push_str(", \"attributes\": {");
        separated(&mut identity, &self.offer.attributes, |out, (name, value)| {
            json::quote_into(out, name);
            put(out, format_args!(": {value}"));
        });
        match self.offer.max_clients {
            Some(most) => put(&mut identity, format_args!("}}, \"max_clients\": {most}}}")),
            None => identity.push_str("}, \"max_clients\": -1}"),
        }
        identity
    }

    /// An answer of the Manager: to the question behind the identity, or a refusal.
    fn reply(&mut self, frame: &Frame, error: bool, out: &mut Vec<Event>) {
        let in_handshake = matches!(self.phase, Phase::Handshake | Phase::Confirming);
        if in_handshake && error {
            let message = crate::device::refusal_text(frame);
            self.refused(Error::remote(ErrorKind::Refused, message, Vec::new()), out);
        } else if self.phase == Phase::Confirming
            && frame.raw(Key::Uid).as_deref() == Some(CONFIRMATION.as_bytes())
        {
            self.login.accepted();
            self.phase = Phase::Connected;
            out.push(Event::Connected);
        }
    }

    /// The Manager does not let the service in. It may have sent requests before: nobody waits for their answers any more.
    fn refused(&mut self, error: Error, out: &mut Vec<Event>) {
        self.phase = Phase::Ended;
        self.executing.clear();
        out.push(Event::Ended(error));
    }

    fn request(&mut self, frame: &Frame, out: &mut Vec<Event>) {
        let requester = message::text(frame, Key::Requester).unwrap_or_default();
        let uid = frame.raw(Key::Uid).unwrap_or(Bytes::from_static(b"\"\""));
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
        let id = ExecutionId(self.next);
        self.next += 1;
        let uid = Bytes::copy_from_slice(&uid);
        self.executing.insert(id, Answer { requester: requester.clone(), uid });
        let args = frame.raw(Key::Args).unwrap_or(Bytes::from_static(b"[]"));
        let kwargs = frame.raw(Key::Kwargs).unwrap_or(Bytes::from_static(b"{}"));
        out.push(Event::Execute(Execution { id, requester, attribute, args, kwargs }));
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

fn send(line: String, out: &mut Vec<Event>) {
    out.push(Event::Send(Rope::from(line.into_bytes())));
}

#[cfg(test)]
mod tests;
