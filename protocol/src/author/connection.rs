//! A session's present connection, for the driver that owns its socket; of clients and services alike.
//!
//! Easy to get wrong: a driver may still be there when its connection is long over and another one has taken its place.
//! Whatever it says then concerns nobody.

use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;

use super::asking::{Asked, Asking};
use super::connect::Beginning;
use super::course::Course;
use super::keeper::Lasting;
use super::watch::{Look, remember};
use super::{AnswerPrompt, Endpoint, Runtime};
use crate::device::{Error, Event, Machine, Prompt, Role};
use crate::frame::Rope;
use crate::instant::Instant;

/// What the sessions of clients and services both have under their lock.
pub(super) struct Core<R> {
    pub(super) machine: Machine<R>,
    pub(super) driver: Option<Waker>,
    pub(super) asking: Asking,
    pub(super) course: Course,
}

impl<R: Role> Core<R> {
    /// Of a session that has no connection yet.
    pub(super) fn new(
        machine: Machine<R>,
        runtime: Arc<dyn Runtime>,
        answer_prompt: Option<AnswerPrompt>,
    ) -> Self {
        let asking = Asking::new(runtime, answer_prompt);
        Self { machine, driver: None, asking, course: Course::default() }
    }

    /// Begins another connection; returns its number.
    pub(super) fn begin(&mut self) -> u64 {
        self.machine = self.machine.again();
        self.course.begin()
    }

    /// Ends the session for good.
    pub(super) fn finish(&mut self, error: Error, events: &mut Vec<R::Event>) {
        self.course.stop_lasting();
        let before = events.len();
        self.machine.end(error.message(), events);
        if events.len() == before && self.course.ended().is_none() {
            // The connection was over before.
            events.push(Event::Ended(error).into());
        }
    }
}

/// One connection of a session. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connection<S> {
    session: S,
    number: u64,
    asking: Asking,
}

impl<S: Lasting> Connection<S> {
    /// Another connection of this session; the one before does not count any more.
    pub(super) fn begin(session: &S) -> Self {
        let (number, asking) = session.look(|core| (core.begin(), core.asking.clone()));
        Self { session: session.clone(), number, asking }
    }

    /// Looks at the session, while this is its present connection.
    fn look<T>(&self, look: impl FnOnce(&mut Core<S::Role>) -> T) -> Option<T> {
        self.session.look(|core| core.course.is_at(self.number).then(|| look(core)))
    }
}

impl<S: Lasting> Beginning for Connection<S> {
    fn connected(&self) -> Look<Result<(), Error>> {
        self.session.look(|core| core.course.look_connected())
    }

    fn asked(&self) -> Asked {
        self.asking.asked(self.number)
    }
}

impl<S: Lasting> Endpoint for Connection<S> {
    fn register(&self, waker: &Waker) {
        // The one before is dropped here, without the lock.
        let _old = self.look(|core| remember(&mut core.driver, waker));
    }

    fn receive(&self, bytes: Bytes) {
        self.look(|core| core.machine.receive(bytes));
    }

    fn end(&self, reason: &str) {
        self.session.perform(|core, events, wakers| {
            if core.course.is_at(self.number) {
                core.machine.end(reason, events);
                wakers.extend(core.driver.take());
            }
        });
    }

    fn pump(&self, now: Instant) {
        // Dropped here, without the lock.
        let mut _awake = None;
        self.session.perform(|core, events, _| {
            if core.course.is_at(self.number) {
                _awake = core.driver.take();
                while core.machine.advance(events) {}
                core.machine.handle_timeout(now, events);
            }
        });
        self.asking.go_on(|| {
            let session = self.session.clone();
            move |number, prompt: &Prompt, answer| reply(&session, number, prompt, answer)
        });
    }

    fn is_gathering(&self) -> bool {
        self.session.is_gathering()
    }

    fn take(&self, bytes: usize, lines: &mut Vec<Rope>) {
        self.session.take(self.number, bytes, lines);
    }

    fn written(&self) {
        self.look(|core| core.machine.written());
    }

    fn deadline(&self) -> Option<Instant> {
        self.look(|core| core.machine.deadline())?
    }

    fn is_ended(&self) -> bool {
        self.look(|core| core.machine.is_ended()).unwrap_or(true)
    }
}

/// What a person has answered, for the connection of this number.
fn reply(session: &impl Lasting, number: u64, prompt: &Prompt, answer: Option<String>) {
    session.perform(|core, events, wakers| {
        if core.course.is_at(number) {
            match answer {
                Some(answer) => core.machine.answer(answer, events),
                None => core.machine.refuse(prompt, events),
            }
            wakers.extend(core.driver.take());
        }
    });
}
