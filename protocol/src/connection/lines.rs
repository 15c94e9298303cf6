//! What an identified device says: requests, replies, notifications, text, and lines that cannot be read.
//!
//! A bad line costs its sender one error reply and nothing else. Where the line was a service's answer and says to whom,
//! the client that waits gets an error in its place: it must not wait for ever (docs/wire.md, section 2).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::de::IgnoredAny;

use super::answer::Answer;
use super::{
    Action, ClientSide, Connection, Ending, Event, Line, Note, Outgoing, Phase, Question, ServiceSide, Side,
    Stalled,
};
use crate::error::{Exception, Refusal};
use crate::frame::{Broken, Frame, FrameError, Key, Rope};
use crate::instant::Instant;
use crate::json;
use crate::mailbox::{ConnectionId, Request, Uid};
use crate::message::{self, MAX_MANAGER_REQUEST, MAX_UID, Message};
use crate::terminal::{self, Typed};

impl<H: Clone> Connection<H> {
    pub(super) fn identified_line(&mut self, line: Line, now: Instant, out: &mut Vec<Event<H>>) {
        match line {
            Line::Frame(frame) if !self.is_logging_in() => self.frame(&frame, now, out),
            Line::Frame(frame) => {
                if let Some(frame) = self.intercept_answer(frame, now, out) {
                    self.frame(&frame, now, out);
                }
            }
            Line::Text(bytes) => self.text(&bytes, now, out),
            Line::Blank if self.expects_login_answer() => self.login_answer(&Answer::Blank, now, out),
            Line::Blank => {}
            Line::Broken(broken) => self.broken(broken, out),
            Line::Endless => self.end(Ending::EndlessLine, now, out),
        }
    }

    pub(super) fn frame(&mut self, frame: &Frame, now: Instant, out: &mut Vec<Event<H>>) {
        let Phase::Identified(device) = &mut self.phase else { return };
        let message = match Message::of(frame) {
            Ok(message) => message,
            Err(refusal) => return self.deny(refusal, frame.raw(Key::Uid).as_deref(), out),
        };
        match (message, &mut device.side) {
            (Message::Reply { error }, Side::Service(_)) => self.reply(frame, error, out),
            (Message::Notification, Side::Service(service)) => {
                if message::is_text(frame, Key::Service, &service.service) {
                    out.push(Event::Notify(message::forwarded_notification(frame)));
                } else {
                    Self::note(Note::UnexpectedNotification, out);
                }
            }
            // Nobody waits for what a client makes up. No error: a Python client dies of one that it did not ask for.
            (Message::Reply { .. }, Side::Client(_)) => Self::unexpected_reply(frame, out),
            (Message::Notification, Side::Client(_)) => Self::note(Note::UnexpectedNotification, out),
            (Message::Request, Side::Client(_)) => self.request(frame, out),
            (Message::Request, Side::Service(_)) => {
                let refusal = Refusal::new(Exception::Permission, "only clients send requests to services");
                self.deny(refusal, frame.raw(Key::Uid).as_deref(), out);
            }
            (Message::ManagerRequest, _) => self.manager_request(frame, now, out),
            (Message::Disconnect, _) => self.end(Ending::Requested, now, out),
        }
    }

    /// What came before the end, and cannot be done any more: a request gets its answer.
    pub(super) fn refuse_late(&self, frame: &Frame, out: &mut Vec<Event<H>>) {
        if let Ok(Message::Request | Message::ManagerRequest) = Message::of(frame) {
            self.deny(self.gone(), frame.raw(Key::Uid).as_deref(), out);
        }
    }

    pub(super) fn refuse_late_line(&self, line: Line, out: &mut Vec<Event<H>>) {
        match line {
            Line::Frame(frame) => self.refuse_late(&frame, out),
            Line::Text(_) => self.deny(self.gone(), None, out),
            Line::Broken(Broken { head, .. }) if head.uid.is_some() => {
                self.deny(self.gone(), head.uid.as_deref(), out);
            }
            Line::Broken(_) | Line::Blank | Line::Endless => {}
        }
    }

    /// A request of a client to a service.
    fn request(&mut self, frame: &Frame, out: &mut Vec<Event<H>>) {
        let Phase::Identified(device) = &mut self.phase else { return };
        let Side::Client(client) = &mut device.side else { return };
        let uid = match message::uid(frame) {
            Ok(uid) => uid,
            Err(refusal) => return self.deny(refusal, frame.raw(Key::Uid).as_deref(), out),
        };
        if !message::is_text(frame, Key::Service, &client.service) {
            // A name that is no text cannot be that of a service.
            client.service = message::view(frame, Key::Service).unwrap_or_default().into();
        }
        let service = client.service.clone();
        let line = message::forwarded_request(frame, &device.quoted_name);
        out.push(Event::Request(Outgoing { service, uid, line }));
    }

    /// The parcel for a request of this client, to be put into a service's mailbox.
    pub fn parcel(&self, uid: Uid, line: Rope, reply_to: H) -> Option<Request<H>> {
        Some(Request { client: self.id, requester: self.name()?.clone(), reply_to, uid, line })
    }

    /// The request is in the mailbox of this service: an answer will come.
    pub fn asked(&mut self, service: ConnectionId, mailbox: H) {
        if let Some(client) = self.client() {
            client.open += 1;
            client.asked.insert(service, mailbox);
        }
    }

    /// There is no room in the service's mailbox: the request waits, and nothing more is taken from this client.
    pub(crate) fn stall(&mut self, stalled: Stalled<H>) {
        if let Some(client) = self.client() {
            // The service is told if the client leaves, as for what it has got already.
            client.asked.insert(stalled.to, stalled.mailbox.clone());
            client.stalled = Some(stalled);
        }
    }

    /// The request that waits for room, if there is one: it is to be tried again now.
    pub(crate) fn take_stalled(&mut self) -> Option<Stalled<H>> {
        self.client()?.stalled.take()
    }

    pub(super) fn give_up_stalled(&mut self, out: &mut Vec<Event<H>>) {
        let Some(client) = self.client() else { return };
        let Some(stalled) = client.stalled.take() else { return };
        client.gave_up.insert(stalled.to, stalled.mailbox);
        let service = json::python_repr(&stalled.service);
        let text = format!(
            "the {service} service does not take requests as fast as they come; this one was given up after {:?}",
            self.settings.limits.service_wait
        );
        self.deny(Refusal::new(Exception::Timeout, text), Some(&stalled.request.uid.raw), out);
    }

    /// Answers a request with a refusal.
    pub fn deny(&self, refusal: Refusal, uid: Option<&[u8]>, out: &mut Vec<Event<H>>) {
        let Some(name) = self.name() else { return };
        // One that is too long was not looked at; then the line counts as unreadable.
        let uid = uid.filter(|uid| uid.len() <= MAX_UID);
        Self::send(refusal.line(name.as_str(), uid), out);
        Self::note(Note::Denied(refusal), out);
    }

    /// Answers a request with a result, which is JSON.
    pub fn answer(&self, result: &str, uid: &[u8], out: &mut Vec<Event<H>>) {
        let Some(name) = self.name() else { return };
        Self::send(message::answer(name.as_str(), result, uid), out);
    }

    /// A service's result or error: it goes to the client that waits for it, if there is one.
    fn reply(&mut self, frame: &Frame, error: bool, out: &mut Vec<Event<H>>) {
        let Some(service) = self.service() else { return };
        let requester = message::view(frame, Key::Requester);
        let uid = frame.value(Key::Uid).unwrap_or(Cow::Borrowed(b"\"\""));
        let canonical = if uid.len() <= MAX_UID { json::canonical(&uid) } else { None };
        let waiting = match (&requester, &canonical) {
            (Some(requester), Some(uid)) => service.calls.settle(requester, uid),
            _ => None,
        };
        match waiting {
            Some(waiting) => {
                out.push(Event::Answer {
                    to: waiting.reply_to,
                    line: message::forwarded_reply(frame, error),
                });
            }
            None => Self::unexpected_reply(frame, out),
        }
    }

    fn unexpected_reply(frame: &Frame, out: &mut Vec<Event<H>>) {
        let requester = message::text(frame, Key::Requester).unwrap_or_else(|| "nobody".to_string());
        Self::note(Note::UnexpectedReply { requester }, out);
    }

    fn broken(&mut self, broken: Broken, out: &mut Vec<Event<H>>) {
        let Broken { error, head } = broken;
        Self::note(Note::Broken(error), out);
        let Phase::Identified(device) = &mut self.phase else { return };
        // Whatever else is missing: a line with the caller's name and the uid of an open request was to be its answer.
        if let Side::Service(service) = &mut device.side {
            let requester = head.requester.as_deref().and_then(json::unquote);
            let uid = head.uid.as_deref().unwrap_or(b"\"\"");
            if let (Some(requester), Some(uid)) = (requester, json::canonical(uid))
                && let Some(waiting) = service.calls.settle(&requester, &uid)
            {
                let refusal = Refusal::from(error);
                let text = format!(
                    "the answer of the {} service was refused: {}",
                    json::python_repr(&service.service),
                    refusal.text()
                );
                let line = Refusal::new(refusal.exception(), text).line(&requester, Some(&waiting.uid));
                out.push(Event::Answer { to: waiting.reply_to, line: Rope::from(line.into_bytes()) });
            }
        }
        self.deny(Refusal::from(error), head.uid.as_deref(), out);
    }

    /// What a person typed.
    fn text(&mut self, bytes: &[u8], now: Instant, out: &mut Vec<Event<H>>) {
        let line = match core::str::from_utf8(bytes) {
            Ok(line) => line.trim(),
            Err(error) => return self.broken_text(FrameError::Utf8 { at: error.valid_up_to() }, out),
        };
        if self.expects_login_answer() {
            return self.login_answer(&Answer::Typed(line.to_string()), now, out);
        }
        if serde_json::from_str::<IgnoredAny>(line).is_ok() {
            let text = "a message is a JSON object; this line is another JSON value";
            return self.deny(Refusal::new(Exception::Type, text), None, out);
        }
        match terminal::read(line) {
            Ok(Typed::Identity) => self.typed("Manager", "identity", "[]", "{}", now, out),
            Ok(Typed::Link { service }) => {
                let args = format!("[{}]", json::quote(&service));
                self.typed("Manager", "link", &args, "{}", now, out);
            }
            Ok(Typed::Disconnect) => self.end(Ending::Requested, now, out),
            Ok(Typed::Request { service, attribute, args, kwargs }) => {
                self.typed(&service, &attribute, &args, &kwargs, now, out);
            }
            Ok(Typed::Client { .. }) => {
                let text =
                    "this device has said already who it is; disconnect and connect again to be another one";
                self.deny(Refusal::new(Exception::Value, text), None, out);
            }
            // The text that Python's parser gives, and that programs may know.
            Err(_) => {
                let text = "Expecting value: line 1 column 1 (char 0)";
                self.deny(Refusal::new(Exception::JsonDecode, text), None, out);
            }
        }
    }

    fn typed(
        &mut self,
        service: &str,
        attribute: &str,
        args: &str,
        kwargs: &str,
        now: Instant,
        out: &mut Vec<Event<H>>,
    ) {
        match Frame::parse(message::request(service, attribute, args, kwargs, "\"\"").to_bytes()) {
            Ok(frame) => self.frame(&frame, now, out),
            Err(error) => self.broken_text(error, out),
        }
    }

    fn broken_text(&self, error: FrameError, out: &mut Vec<Event<H>>) {
        Self::note(Note::Broken(error), out);
        self.deny(Refusal::from(error), None, out);
    }

    /// A request that the Manager answers itself.
    fn manager_request(&mut self, frame: &Frame, now: Instant, out: &mut Vec<Event<H>>) {
        let uid = match message::uid(frame) {
            Ok(uid) => uid.raw,
            Err(refusal) => return self.deny(refusal, frame.raw(Key::Uid).as_deref(), out),
        };
        if frame.len() > MAX_MANAGER_REQUEST {
            let text = format!("a request to the Manager has at most {MAX_MANAGER_REQUEST} bytes");
            return self.deny(Refusal::new(Exception::Value, text), Some(&uid), out);
        }
        let attribute = message::text(frame, Key::Attribute).unwrap_or_default();
        match Question::read(&attribute, frame) {
            Some(Ok(question)) => out.push(Event::Ask { question, uid }),
            Some(Err(refusal)) => self.deny(refusal, Some(&uid), out),
            None => self.administrator_request(attribute, frame, uid, now, out),
        }
    }

    pub(super) fn client(&mut self) -> Option<&mut ClientSide<H>> {
        match &mut self.phase {
            Phase::Identified(device) => match &mut device.side {
                Side::Client(client) => Some(client),
                Side::Service(_) => None,
            },
            _ => None,
        }
    }

    pub(super) fn service(&mut self) -> Option<&mut ServiceSide<H>> {
        match &mut self.phase {
            Phase::Identified(device) => match &mut device.side {
                Side::Service(service) => Some(service),
                Side::Client(_) => None,
            },
            _ => None,
        }
    }

    pub(super) fn act(action: Action, out: &mut Vec<Event<H>>) {
        out.push(Event::Act(action));
    }
}

impl Question {
    /// Reads a request that needs no administrator; `None` for any other attribute.
    fn read(attribute: &str, frame: &Frame) -> Option<Result<Self, Refusal>> {
        let service = || first_text(attribute, frame);
        Some(match attribute {
            "identity" => Ok(Self::Identity),
            "link" => service().map(Self::Link),
            "unlink" => service().map(Self::Unlink),
            "acquire_lock" => {
                service().map(|service| Self::AcquireLock { service, shared: is_shared(frame) })
            }
            "release_lock" => service().map(Self::ReleaseLock),
            _ => return None,
        })
    }
}

fn first_text(attribute: &str, frame: &Frame) -> Result<String, Refusal> {
    let args = frame.raw(Key::Args).and_then(|raw| json::elements(&raw)).unwrap_or_default();
    let first = args.first().filter(|raw| raw.len() <= message::MAX_NAME);
    first.and_then(|raw| json::unquote(raw).map(Cow::into_owned)).ok_or_else(|| {
        Refusal::new(
            Exception::Type,
            format!("{attribute} needs the name of a service as its first argument"),
        )
    })
}

/// `shared` as Python reads it: anything that is not empty, zero, false or null.
fn is_shared(frame: &Frame) -> bool {
    let kwargs = frame.raw(Key::Kwargs).and_then(|raw| json::members(&raw)).unwrap_or_default();
    let shared = kwargs.iter().rev().find(|(name, _)| name == "shared");
    shared.is_some_and(|(_, raw)| match &raw[..] {
        b"false" | b"null" | b"\"\"" | b"[]" | b"{}" => false,
        number => serde_json::from_slice::<f64>(number).map_or(true, |number| number != 0.0),
    })
}
