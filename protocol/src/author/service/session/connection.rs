//! One connection of a service's session, for the driver that owns its socket.
//!
//! Easy to get wrong: a driver may still be there when its connection is long over and another one has taken its place.
//! Whatever it says then concerns nobody.

use std::sync::MutexGuard;
use std::task::Waker;

use bytes::Bytes;

use super::{Outgoing, ServiceSession, State};
use crate::author::Endpoint;
use crate::author::asking::{Asked, Asking};
use crate::author::connect::Beginning;
use crate::author::watch::{Look, remember};
use crate::device::{Error, Prompt};
use crate::drive::lock;
use crate::frame::Rope;
use crate::instant::Instant;

/// One connection of a service's session. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connection {
    session: ServiceSession,
    number: u64,
    asking: Asking,
}

impl Connection {
    pub(super) fn new(session: ServiceSession, number: u64, asking: Asking) -> Self {
        Self { session, number, asking }
    }

    /// The state of the session, while this is its present connection.
    fn state(&self) -> Option<MutexGuard<'_, State>> {
        Some(lock(&self.session.0.state)).filter(|state| state.course.is_at(self.number))
    }
}

impl ServiceSession {
    /// What a person has answered, for the connection of this number.
    fn reply(&self, number: u64, prompt: &Prompt, answer: Option<String>) {
        self.with(|state, events| match answer {
            _ if !state.course.is_at(number) => {}
            Some(answer) => state.machine.answer(answer, events),
            None => state.machine.refuse(prompt, events),
        });
    }
}

impl Beginning for Connection {
    fn connected(&self) -> Look<Result<(), Error>> {
        lock(&self.session.0.state).course.look_connected()
    }

    fn asked(&self) -> Asked {
        self.asking.asked(self.number)
    }
}

impl Endpoint for Connection {
    fn register(&self, waker: &Waker) {
        // The one before is dropped here, without the lock.
        let _old = self.state().and_then(|mut state| remember(&mut state.driver, waker));
    }

    fn receive(&self, bytes: Bytes) {
        if let Some(mut state) = self.state() {
            state.machine.receive(bytes);
        }
    }

    fn end(&self, reason: &str) {
        self.session.with(|state, events| {
            if state.course.is_at(self.number) {
                state.machine.end(reason, events);
            }
        });
    }

    fn pump(&self, now: Instant) {
        let Some((afterwards, arrived)) = self.state().map(|mut state| {
            let mut events = Vec::new();
            while state.machine.advance(&mut events) {}
            state.machine.handle_timeout(now, &mut events);
            let afterwards = state.perform(events);
            (afterwards, std::mem::take(&mut state.arrived))
        }) else {
            return;
        };
        self.session.follow_up(afterwards);
        for execution in arrived {
            self.session.execute(execution);
        }
        self.asking.go_on(|| {
            let session = self.session.clone();
            move |number, prompt: &Prompt, answer| session.reply(number, prompt, answer)
        });
    }

    fn take(&self) -> Option<Rope> {
        let mut state = self.state()?;
        match state.outgoing.pop_front()? {
            Outgoing::Line(line) => {
                let was_full = state.is_full();
                state.answers -= line.len();
                let has_room = was_full && !state.is_full();
                drop(state);
                if has_room {
                    self.session.go_on();
                }
                Some(line)
            }
            Outgoing::Notification(line) => {
                state.notifications -= line.len();
                Some(line)
            }
        }
    }

    fn written(&self) {
        if let Some(mut state) = self.state() {
            state.machine.written();
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.state()?.machine.deadline()
    }

    fn is_ended(&self) -> bool {
        self.state().is_none_or(|state| state.machine.is_ended())
    }
}
