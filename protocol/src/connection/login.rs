//! An administrator's login in the middle of a session (docs/wire.md, section 6).
//!
//! A request that only administrators may send makes the Manager ask for a username and a password. Meanwhile the device
//! may have sent more: that waits, in order, and is never taken for an answer. An answer is an object with `result`, or
//! text.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::answer::Answer;
use super::{Action, Connection, Credentials, Event, Phase, Verdict};
use crate::error::{Exception, Refusal};
use crate::frame::{Frame, Key};
use crate::instant::Instant;
use crate::message::{self, Message, handshake_request};
use crate::name::valid_username;

/// The attribute that ends the Manager.
const SHUT_DOWN: &str = "shutdown_manager";

/// A request that waits for its device to log in, and then for its result.
#[derive(Debug)]
pub(super) struct Login {
    stage: Stage,
    uid: Arc<[u8]>,
    attribute: String,
    args: Bytes,
    kwargs: Bytes,
}

#[derive(Debug)]
enum Stage {
    Username {
        until: Instant,
    },
    Password {
        until: Instant,
        username: String,
    },
    Checking {
        username: String,
    },
    /// The request is being executed elsewhere.
    Administering,
}

impl Login {
    /// Whether the device is to say something now.
    pub(super) fn expects_answer(&self) -> bool {
        self.deadline().is_some()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Username { until } | Stage::Password { until, .. } => Some(until),
            Stage::Checking { .. } | Stage::Administering => None,
        }
    }
}

impl<H: Clone> Connection<H> {
    /// A request that needs an administrator.
    pub(super) fn administrator_request(
        &mut self,
        attribute: String,
        frame: &Frame,
        uid: Arc<[u8]>,
        now: Instant,
        out: &mut Vec<Event<H>>,
    ) {
        let Phase::Identified(device) = &mut self.phase else { return };
        let args = frame.raw(Key::Args).unwrap_or(Bytes::from_static(b"[]"));
        let kwargs = frame.raw(Key::Kwargs).unwrap_or(Bytes::from_static(b"{}"));
        let until = now + self.settings.limits.prompt;
        device.login = Some(Login { stage: Stage::Username { until }, uid, attribute, args, kwargs });
        if self.administrator {
            self.administer(out);
        } else {
            let manager = &self.settings.network_name;
            Self::send(handshake_request("username", Some(manager), manager), out);
        }
    }

    pub(super) fn expects_login_answer(&self) -> bool {
        match &self.phase {
            Phase::Identified(device) => device.login.as_ref().is_some_and(Login::expects_answer),
            _ => false,
        }
    }

    /// Whether a login goes on.
    pub(super) fn is_logging_in(&self) -> bool {
        matches!(&self.phase, Phase::Identified(device) if device.login.is_some())
    }

    /// While a login goes on: takes its answer, or puts a frame aside that has to wait. Returns any other frame.
    pub(super) fn intercept_answer(
        &mut self,
        frame: Frame,
        now: Instant,
        out: &mut Vec<Event<H>>,
    ) -> Option<Frame> {
        match Message::of(&frame) {
            Ok(Message::Reply { error: false })
                if self.expects_login_answer() && !self.is_open_call(&frame) =>
            {
                self.login_answer(&Answer::short(&frame), now, out);
                None
            }
            // A service goes on answering its clients, and a device may leave.
            Ok(Message::Reply { .. } | Message::Notification | Message::Disconnect) => Some(frame),
            _ => {
                let Phase::Identified(device) = &mut self.phase else { return None };
                // The answer can only come behind what has come so far: holding the device up would not help.
                let too_much = device.deferred_bytes >= self.settings.limits.client_mailbox;
                device.deferred_bytes += super::held(&frame);
                device.deferred.push_back(frame);
                if too_much {
                    let text = "the answer to the login did not come: too much else was sent";
                    self.login_failed(Refusal::new(Exception::Runtime, text), out);
                }
                None
            }
        }
    }

    /// Whether a reply names a client: then it is a service's answer to a call, not one to the Manager.
    fn is_open_call(&self, frame: &Frame) -> bool {
        message::text(frame, Key::Requester)
            .is_some_and(|requester| requester != self.settings.network_name && !requester.is_empty())
            && matches!(&self.phase, Phase::Identified(device) if matches!(device.side, super::Side::Service(_)))
    }

    pub(super) fn login_answer(&mut self, answer: &Answer, now: Instant, out: &mut Vec<Event<H>>) {
        let Phase::Identified(device) = &mut self.phase else { return };
        let Some(login) = &mut device.login else { return };
        let until = now + self.settings.limits.prompt;
        match (core::mem::replace(&mut login.stage, Stage::Administering), answer.credential()) {
            (Stage::Username { .. }, Some(username)) if valid_username(&username).is_ok() => {
                let manager = &self.settings.network_name;
                let line = handshake_request("password", Some(&username), manager);
                login.stage = Stage::Password { until, username };
                Self::send(line, out);
            }
            (Stage::Password { username, .. }, Some(password)) => {
                login.stage = Stage::Checking { username: username.clone() };
                Self::act(Action::Check(Credentials::Login { username, password }), out);
            }
            _ => self.login_failed(Credentials::wrong_login(), out),
        }
    }

    pub(super) fn login_checked(&mut self, verdict: Verdict, out: &mut Vec<Event<H>>) {
        let Phase::Identified(device) = &mut self.phase else { return };
        let Some(Login { stage: Stage::Checking { username }, .. }) = &mut device.login else { return };
        match verdict {
            Verdict::Accepted { administrator: true } => {
                self.administrator = true;
                self.user = Some(core::mem::take(username));
                self.administer(out);
            }
            Verdict::Accepted { administrator: false } => {
                let text = "You must be an administrator to send this request to the Manager";
                self.login_failed(Refusal::new(Exception::Value, text), out);
            }
            Verdict::Refused(refusal) => self.login_failed(refusal, out),
        }
    }

    pub(super) fn login_timed_out(&mut self, out: &mut Vec<Event<H>>) {
        let text = "no answer to the Manager's request for a username and a password";
        self.login_failed(Refusal::new(Exception::Timeout, text), out);
    }

    pub(super) fn login_failed(&mut self, refusal: Refusal, out: &mut Vec<Event<H>>) {
        if let Some(login) = self.take_login() {
            self.deny(refusal, Some(&login.uid), out);
        }
    }

    /// The request is allowed: it is done elsewhere, and what comes behind it waits for the outcome.
    fn administer(&mut self, out: &mut Vec<Event<H>>) {
        let Phase::Identified(device) = &mut self.phase else { return };
        let Some(login) = &mut device.login else { return };
        login.stage = Stage::Administering;
        let Login { attribute, args, kwargs, .. } = login;
        let action = if attribute == SHUT_DOWN {
            Action::ShutDown
        } else {
            Action::Administer { attribute: attribute.clone(), args: args.clone(), kwargs: kwargs.clone() }
        };
        Self::act(action, out);
    }

    /// What an administrator's request gave.
    pub(super) fn administered(&mut self, result: Result<String, Refusal>, out: &mut Vec<Event<H>>) {
        let Phase::Identified(device) = &self.phase else { return };
        if !matches!(device.login, Some(Login { stage: Stage::Administering, .. })) {
            return;
        }
        if let Some(login) = self.take_login() {
            match result {
                Ok(result) => self.answer(&result, &login.uid, out),
                Err(refusal) => self.deny(refusal, Some(&login.uid), out),
            }
        }
    }

    /// The Manager is shutting down, as this device may have asked: the end of its connection is the answer, which is
    /// what the Python client waits for.
    pub(super) fn settle_shutdown_request(&mut self) {
        if let Phase::Identified(device) = &mut self.phase {
            device
                .login
                .take_if(|login| matches!(login.stage, Stage::Administering) && login.attribute == SHUT_DOWN);
        }
    }

    fn take_login(&mut self) -> Option<Login> {
        match &mut self.phase {
            Phase::Identified(device) => device.login.take(),
            _ => None,
        }
    }
}
