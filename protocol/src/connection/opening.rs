//! The handshake: acting on the table.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use super::answer::Answer;
use super::handshake::{Act, Input, Step, transition};
use super::{
    Action, Connection, Credentials, Device, Ending, Event, HostName, Hurdle, Line, Note, Phase, Verdict,
};
use crate::broker::{Attempt, Denied};
use crate::error::{Exception, Refusal};
use crate::frame;
use crate::identity::Identity;
use crate::instant::Instant;
use crate::message::handshake_request;
use crate::name::{NetworkName, valid_username};
use crate::settings::Authentication;

impl<H: Clone> Connection<H> {
    /// The socket is there: the device is asked its first question, at once, whatever has to be looked up meanwhile.
    pub fn open(&mut self, now: Instant, out: &mut Vec<Event<H>>) {
        self.host = HostName::Awaited { until: now + self.settings.limits.name_wait };
        out.push(Event::Act(Action::LookUpHost));
        self.step(Input::Opened(self.settings.authentication), now, out);
    }

    /// The broker's answer to [`Event::Join`].
    pub fn joined(&mut self, outcome: Result<NetworkName, Denied>, now: Instant, out: &mut Vec<Event<H>>) {
        match outcome {
            Ok(name) => {
                self.name = Some(name);
                self.step(Input::Accepted, now, out);
            }
            Err(denied) => {
                let Phase::Handshake(handshake) = &self.phase else { return };
                let name = handshake.identity.as_ref().map_or("", |identity| identity.name.as_str());
                self.reject(denied.refusal(Attempt::Join, "", name), now, out);
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
        match &mut self.phase {
            Phase::Handshake(handshake) if handshake.step == Step::Checking => match verdict {
                Verdict::Accepted { administrator } => {
                    self.administrator = administrator;
                    let username = mem::take(&mut handshake.username);
                    self.user = Some(username).filter(|username| !username.is_empty());
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
            Line::Frame(frame) => Answer::of(&frame),
            Line::Blank => Answer::Blank,
            Line::Broken(broken) => return self.reject(Refusal::from(broken.error), now, out),
            Line::Endless => {
                let limit = self.settings.limits.max_handshake_frame;
                return self.reject(Refusal::from(frame::FrameError::TooLong { limit }), now, out);
            }
        };
        let understood = if handshake.step == Step::Identity {
            Identity::answered(&answer).map(|identity| handshake.identity = Some(identity))
        } else {
            let credential = answer.credential();
            let username = handshake.step == Step::Username;
            match credential.filter(|text| !username || valid_username(text).is_ok()) {
                Some(text) => {
                    handshake.answer = text;
                    Ok(())
                }
                None if handshake.step == Step::ManagerPassword => Err(Credentials::wrong_manager_password()),
                None => Err(Credentials::wrong_login()),
            }
        };
        match understood {
            Ok(()) => self.step(Input::Answer, now, out),
            Err(refusal) => self.reject(refusal, now, out),
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
        let check = |credentials| Event::Act(Action::Check(credentials));
        match act {
            Act::AskManagerPassword => Self::send(handshake_request("password", Some(manager), manager), out),
            Act::AskUsername => Self::send(handshake_request("username", Some(manager), manager), out),
            Act::AskPassword => {
                handshake.username = mem::take(&mut handshake.answer);
                Self::send(handshake_request("password", Some(&handshake.username), manager), out);
            }
            Act::AskIdentity => Self::send(handshake_request("identity", None, manager), out),
            Act::CheckHostName => out.push(check(Credentials::HostName)),
            Act::CheckManagerPassword => {
                out.push(check(Credentials::ManagerPassword(mem::take(&mut handshake.answer))));
            }
            Act::CheckLogin => {
                let (username, password) = (handshake.username.clone(), mem::take(&mut handshake.answer));
                out.push(check(Credentials::Login { username, password }));
            }
            Act::Register => self.register(out),
            Act::Begin => self.begin(out),
            Act::Refuse => self.drain(Ending::Refused, now, out),
        }
    }

    /// Asks for the device to be registered, once its host name is known or given up.
    fn register(&mut self, out: &mut Vec<Event<H>>) {
        if let (Phase::Handshake(handshake), HostName::Known(_) | HostName::Missing) =
            (&self.phase, &self.host)
            && handshake.step == Step::Joining
            && let Some(identity) = &handshake.identity
        {
            out.push(Event::Join(identity.clone()));
        }
    }

    /// The device is a client or a service from now on.
    fn begin(&mut self, out: &mut Vec<Event<H>>) {
        let (Phase::Handshake(handshake), Some(name)) = (&mut self.phase, &self.name) else { return };
        let Some(identity) = handshake.identity.take() else { return };
        Self::note(Note::Identified { service: identity.is_service() }, out);
        let longest = self.settings.limits.max_frame;
        self.decoder.set_limits(frame::Limits { frame: longest, skip: longest.saturating_mul(2) });
        self.decoder.expect_frames();
        self.phase = Phase::Identified(Box::new(Device::new(name, &identity)));
    }

    /// Tells the device why it is refused.
    fn refuse(&mut self, refusal: Refusal, out: &mut Vec<Event<H>>) {
        Self::send(refusal.line(&self.settings.network_name, None), out);
        let hurdle = self.hurdle();
        Self::note(Note::Refused { hurdle, refusal }, out);
    }

    /// What the device has not passed yet.
    fn hurdle(&self) -> Hurdle {
        let checked = matches!(
            &self.phase,
            Phase::Handshake(handshake) if matches!(handshake.step, Step::Identity | Step::Joining)
        );
        match self.settings.authentication {
            Authentication::ManagerPassword if !checked => Hurdle::ManagerPassword,
            Authentication::Login if !checked => Hurdle::Login,
            Authentication::HostNames if !checked => Hurdle::HostName,
            _ => Hurdle::Identity,
        }
    }

    fn reject(&mut self, refusal: Refusal, now: Instant, out: &mut Vec<Event<H>>) {
        self.refuse(refusal, out);
        self.step(Input::Rejected, now, out);
    }
}

impl Identity {
    /// Who a device says that it is.
    fn answered(answer: &Answer) -> Result<Self, Refusal> {
        match answer {
            Answer::Result(raw) => Self::read(raw),
            Answer::Typed(text) => Self::from_typed(text),
            Answer::Blank => Err(Refusal::new(Exception::Key, "name")),
        }
    }
}
