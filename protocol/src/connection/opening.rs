//! The handshake: acting on the table.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::handshake::{Act, Input, Step, transition};
use super::{Action, Connection, Credentials, Device, Ending, Event, HostName, Line, Note, Phase, Verdict};
use crate::broker::Denied;
use crate::error::{Exception, Refusal};
use crate::frame::{self, Frame, Key};
use crate::identity::Identity;
use crate::instant::Instant;
use crate::json;
use crate::message::handshake_request;
use crate::name::{NetworkName, valid_username};

/// The longest username and password that are looked at, in bytes.
const MAX_CREDENTIAL: usize = 4096;

/// What a device answers in the handshake.
enum Answer {
    /// The `result` of an object, as raw JSON.
    Result(Bytes),
    /// Anything else: typed by a person.
    Typed(String),
    Blank,
}

impl<H: Clone> Connection<H> {
    /// The socket is there: the device is asked its first question, at once, whatever has to be looked up meanwhile.
    pub fn open(&mut self, now: Instant, out: &mut Vec<Event<H>>) {
        self.host = HostName::Awaited { until: now + self.settings.limits.name_wait };
        out.push(Event::Act(Action::LookUpHost));
        self.step(Input::Opened(self.settings.authentication), now, out);
    }

    /// The broker's answer to [`Event::Join`].
    pub fn joined(&mut self, outcome: Result<NetworkName, Denied>, now: Instant, out: &mut Vec<Event<H>>) {
        let Phase::Handshake(handshake) = &mut self.phase else { return };
        let Some(identity) = handshake.identity.take() else { return };
        match outcome {
            Ok(name) => {
                Self::note(Note::Identified { service: identity.is_service() }, out);
                let limits = &self.settings.limits;
                self.decoder.set_limits(frame::Limits {
                    frame: limits.max_frame,
                    skip: limits.max_frame.saturating_mul(2),
                });
                self.decoder.expect_frames();
                self.phase = Phase::Identified(Box::new(Device::new(name, &identity)));
            }
            Err(denied) => {
                let refusal = denied.refusal(crate::broker::Attempt::Join, "", identity.name.as_str());
                self.reject(refusal, now, out);
            }
        }
    }

    pub(super) fn host_name(&mut self, host: Arc<str>, out: &mut Vec<Event<H>>) {
        if let HostName::Awaited { .. } = self.host {
            self.host = HostName::Known(host);
            self.register(out);
        }
    }

    pub(super) fn host_name_timed_out(&mut self, out: &mut Vec<Event<H>>) {
        self.host = HostName::Missing;
        self.register(out);
    }

    /// The host name that the device is registered with; without one, its IP address takes that place.
    pub fn host(&self) -> Option<&Arc<str>> {
        match &self.host {
            HostName::Known(host) => Some(host),
            _ => None,
        }
    }

    pub(super) fn checked(&mut self, verdict: Verdict, now: Instant, out: &mut Vec<Event<H>>) {
        match &self.phase {
            Phase::Handshake(handshake) if handshake.step == Step::Checking => match verdict {
                Verdict::Accepted { administrator } => {
                    self.administrator = administrator;
                    self.step(Input::Accepted, now, out);
                }
                Verdict::Refused(refusal) => self.reject(refusal, now, out),
            },
            Phase::Identified(_) => self.login_checked(verdict, out),
            _ => {}
        }
    }

    pub(super) fn handshake_timed_out(&mut self, now: Instant, out: &mut Vec<Event<H>>) {
        let text = "the handshake was not finished in time: answer the Manager's request, or connect again";
        self.refuse(Refusal::new(Exception::Timeout, text), out);
        self.step(Input::TimedOut, now, out);
    }

    pub(super) fn handshake_line(&mut self, line: Line, now: Instant, out: &mut Vec<Event<H>>) {
        let Phase::Handshake(handshake) = &mut self.phase else { return };
        let answer = match line {
            Line::Text(bytes) => Answer::read(&bytes),
            Line::Blank => Answer::Blank,
            Line::Frame(frame) => Answer::of(&frame),
            Line::Broken(_) | Line::Endless => {
                let limit = self.settings.limits.max_handshake_frame;
                let text = format!("a line before the device is identified has at most {limit} bytes");
                return self.reject(Refusal::new(Exception::Value, text), now, out);
            }
        };
        let step = handshake.step;
        match (step, answer) {
            (Step::Identity, Answer::Result(raw)) => match Identity::read(&raw) {
                Ok(identity) => self.identified(identity, now, out),
                Err(refusal) => self.reject(refusal, now, out),
            },
            (Step::Identity, Answer::Typed(text)) => match Identity::from_typed(&text) {
                Ok(identity) => self.identified(identity, now, out),
                Err(refusal) => self.reject(refusal, now, out),
            },
            (_, Answer::Blank) => self.reject(nothing_said(step), now, out),
            (_, answer) => {
                let text = answer.into_text();
                if text.len() > MAX_CREDENTIAL {
                    return self.reject(wrong_credentials(step), now, out);
                }
                self.answered(text, now, out);
            }
        }
    }

    /// A username or a password: the table says which, and what is done with it.
    fn answered(&mut self, text: String, now: Instant, out: &mut Vec<Event<H>>) {
        let Phase::Handshake(handshake) = &mut self.phase else { return };
        match handshake.step {
            Step::ManagerPassword => {
                out.push(Event::Act(Action::Check(Credentials::ManagerPassword(text))));
            }
            Step::Username => {
                if valid_username(&text).is_err() {
                    return self.reject(wrong_credentials(Step::Username), now, out);
                }
                handshake.username = text;
            }
            Step::Password => {
                let username = core::mem::take(&mut handshake.username);
                out.push(Event::Act(Action::Check(Credentials::Login { username, password: text })));
            }
            _ => return,
        }
        self.step(Input::Answer, now, out);
    }

    fn identified(&mut self, identity: Identity, now: Instant, out: &mut Vec<Event<H>>) {
        if let Phase::Handshake(handshake) = &mut self.phase {
            handshake.identity = Some(identity);
        }
        self.step(Input::Answer, now, out);
    }

    /// Registers the device, once its host name is known or given up.
    fn register(&mut self, out: &mut Vec<Event<H>>) {
        if let (Phase::Handshake(handshake), HostName::Known(_) | HostName::Missing) =
            (&self.phase, &self.host)
            && handshake.step == Step::Joining
            && let Some(identity) = &handshake.identity
        {
            out.push(Event::Join(identity.clone()));
        }
    }

    /// One row of the table.
    fn step(&mut self, input: Input, now: Instant, out: &mut Vec<Event<H>>) {
        let Phase::Handshake(handshake) = &mut self.phase else { return };
        let Some((act, next)) = transition(handshake.step, input) else { return };
        let limits = &self.settings.limits;
        handshake.step = next;
        let patience = if next.is_prompt() { limits.prompt } else { limits.first_answer };
        handshake.deadline = next.expects_answer().then(|| now + patience);
        let manager = &self.settings.network_name;
        match act {
            Act::AskManagerPassword => Self::send(handshake_request("password", Some(manager), manager), out),
            Act::AskUsername => Self::send(handshake_request("username", Some(manager), manager), out),
            Act::AskPassword => {
                let line = handshake_request("password", Some(&handshake.username), manager);
                Self::send(line, out);
            }
            Act::AskIdentity => Self::send(handshake_request("identity", None, manager), out),
            Act::CheckHostName => out.push(Event::Act(Action::Check(Credentials::HostName))),
            Act::Register => self.register(out),
            Act::Refuse => self.drain(Ending::Refused, now, out),
            // The credentials went out with the answer; a device begins when the broker has taken it.
            Act::CheckManagerPassword | Act::CheckLogin | Act::Begin => {}
        }
    }

    /// Tells the device why it is refused.
    fn refuse(&mut self, refusal: Refusal, out: &mut Vec<Event<H>>) {
        Self::send(refusal.line(&self.settings.network_name, None), out);
        Self::note(Note::Refused(refusal), out);
    }

    fn reject(&mut self, refusal: Refusal, now: Instant, out: &mut Vec<Event<H>>) {
        self.refuse(refusal, out);
        self.step(Input::Rejected, now, out);
    }
}

impl Answer {
    fn read(line: &Bytes) -> Self {
        if line.trim_ascii().is_empty() {
            return Self::Blank;
        }
        match Frame::parse(line.clone()) {
            Ok(frame) if frame.member(Key::Result).is_some() => Self::of(&frame),
            _ => Self::Typed(String::from_utf8_lossy(line).trim().to_string()),
        }
    }

    fn of(frame: &Frame) -> Self {
        match frame.raw(Key::Result) {
            Some(result) => Self::Result(result),
            None => Self::Typed(String::from_utf8_lossy(&frame.rope().to_bytes()).into_owned()),
        }
    }

    /// A string's text; of any other value, its JSON: a password may look like a number.
    fn into_text(self) -> String {
        match self {
            Self::Result(raw) => match json::unquote(&raw) {
                Some(text) => text.into_owned(),
                None => String::from_utf8_lossy(&raw).into_owned(),
            },
            Self::Typed(text) => text,
            Self::Blank => String::new(),
        }
    }
}

/// Who fails learns nothing: one text, whatever was wrong.
pub(super) fn wrong_credentials(step: Step) -> Refusal {
    Refusal::new(
        Exception::Value,
        match step {
            Step::ManagerPassword => "Wrong Manager password",
            _ => "Unregistered user, or Wrong login password",
        },
    )
}

fn nothing_said(step: Step) -> Refusal {
    if step == Step::Identity { Refusal::new(Exception::Key, "name") } else { wrong_credentials(step) }
}
