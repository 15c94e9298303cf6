//! Requests that have no answer yet, and what the Manager's refusals of them mean.
//!
//! A program decides by an error's kind, but a Manager has only words. Easy to get wrong: who has answered. The requester of
//! an answer is the client's own name, whoever it comes from, and a service may answer with any exception. So a request to a
//! service counts as refused by the Manager only where the text is the Manager's to the letter, with that service's name.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::CallId;
use crate::device::{Error, ErrorKind};
use crate::instant::Instant;
use crate::json;
use crate::message::MANAGER;

/// More requests than these, all given up, have no Manager that answers any.
const MOST_GIVEN_UP: usize = 1_000;

/// A request without an answer.
#[derive(Debug)]
pub(super) struct Open {
    /// `service.attribute`, in one piece of memory.
    target: String,
    /// How long the service's name is.
    service: usize,
    pub(super) deadline: Option<Instant>,
}

/// What nobody waits for any more, though its answer may come: without a uid, as the Python Manager leaves some out.
#[derive(Debug, Default)]
pub(super) struct GivenUp {
    /// Requests to the Manager, which answers them in order.
    pub(super) of_manager: BTreeMap<CallId, Open>,
    /// The services that the others were for.
    pub(super) services: BTreeSet<String>,
}

impl GivenUp {
    pub(super) fn add(&mut self, call: CallId, open: Open) {
        if !open.is_for_manager() {
            self.services.insert(open.service().to_string());
            return;
        }
        self.of_manager.insert(call, open);
        if self.of_manager.len() > MOST_GIVEN_UP {
            self.of_manager.pop_first();
        }
    }
}

/// Whether a Manager says so that there is no such service.
pub(super) fn is_lost_service(message: &str) -> bool {
    message.starts_with("KeyError: \"the '") && message.contains(" Service is not connected to Manager[")
}

impl Open {
    pub(super) fn new(service: &str, attribute: &str, deadline: Option<Instant>) -> Self {
        Self { target: [service, ".", attribute].concat(), service: service.len(), deadline }
    }

    /// What was asked for, as `service.attribute`.
    pub(super) fn target(&self) -> &str {
        &self.target
    }

    pub(super) fn service(&self) -> &str {
        &self.target[..self.service]
    }

    pub(super) fn attribute(&self) -> &str {
        &self.target[self.service + 1..]
    }

    pub(super) fn is_for_manager(&self) -> bool {
        self.service() == MANAGER
    }

    /// How a Manager's message begins when this request's service is not there.
    pub(super) fn lost_text(&self) -> String {
        format!("KeyError: \"the {} Service is not connected to ", json::python_repr(self.service()))
    }

    /// Whether an answer says that this request's service is not there, or has gone.
    pub(super) fn tells_that_service_is_gone(&self, error: &Error) -> bool {
        let service = json::python_repr(self.service());
        let left = format!("ConnectionError: the {service} service has left before it answered");
        !self.is_for_manager() && (error.kind() == ErrorKind::NoSuchService || error.message() == left)
    }

    pub(super) fn needs_administrator(&self) -> bool {
        !matches!(self.attribute(), "identity" | "link" | "unlink" | "acquire_lock" | "release_lock")
    }

    /// An error answer, with the kind that a program can decide by.
    pub(super) fn error(&self, message: String, traceback: Vec<String>) -> Error {
        if self.is_for_manager() {
            // What the Manager refuses it has not done.
            return Error::remote(refusal_of_manager(&message), message, traceback).not_executed();
        }
        match self.refusal_of_service(&message) {
            Some(kind) => Error::remote(kind, message, traceback).not_executed(),
            None => Error::remote(ErrorKind::Remote, message, traceback),
        }
    }

    /// The kind, if the Manager has not let the request through to its service.
    fn refusal_of_service(&self, message: &str) -> Option<ErrorKind> {
        let service = json::python_repr(self.service());
        let begins = |text: &str| message.starts_with(text);
        if begins(&self.lost_text()) {
            Some(ErrorKind::NoSuchService)
        } else if message == format!("PermissionError: {service} service is locked") {
            Some(ErrorKind::Locked)
        } else if begins(&format!("PermissionError: {service} has all the links that it takes, ")) {
            Some(ErrorKind::Full)
        } else if begins(&format!("TimeoutError: the {service} service does not take requests as fast as ")) {
            Some(ErrorKind::Remote)
        } else {
            None
        }
    }
}

fn refusal_of_manager(message: &str) -> ErrorKind {
    if message.contains(" service does not exist") {
        ErrorKind::NoSuchService
    } else if message.contains("not linked with") {
        ErrorKind::NotLinked
    } else if message.contains("maximum number of Clients") {
        ErrorKind::Full
    } else if message.starts_with("PermissionError: ") {
        ErrorKind::Locked
    } else {
        ErrorKind::Remote
    }
}
