//! A client's session, shared by its handles, and by the driver of its connection.
//!
//! One lock for the machine and what waits; nobody waits under it, and nobody is woken under it.

mod outgoing;
mod sending;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;

use super::call::{Call, Slot};
use super::connection::Core;
use super::ended::Ending;
use super::keeper::{Keeping, Lasting};
use super::links::{Change, Links, News};
use super::locks::{LockId, Step};
use super::notifications::{Inbox, Notification};
use super::watch::Look;
use super::{AnswerPrompt, Runtime};
use crate::client::{CallId, Calls, Event, Machine, Request};
use crate::device::{Error, ErrorKind};
use crate::drive::lock;
use crate::frame::{Rope, kept};
use crate::message::MANAGER;

use outgoing::Outgoing;
pub use outgoing::WAITING_CALLS;
pub(super) use sending::Sending;

/// A client's session: its connection with a Manager or, if that is to be restored, several of them one after the other.
/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Session(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    runtime: Arc<dyn Runtime>,
}

struct State {
    core: Core<Calls>,
    outgoing: Outgoing,
    slots: BTreeMap<CallId, Arc<Slot>>,
    links: Links,
    /// How many calls were open when lines were taken last.
    open_when_taken: usize,
    /// Empty between two changes; kept for its room.
    events: Vec<Event>,
}

impl Session {
    /// The session of a machine. It has no connection yet.
    pub(super) fn new(
        machine: Machine,
        runtime: Arc<dyn Runtime>,
        answer_prompt: Option<AnswerPrompt>,
    ) -> Self {
        let state = State {
            core: Core::new(machine, runtime.clone(), answer_prompt),
            outgoing: Outgoing::default(),
            slots: BTreeMap::new(),
            links: Links::default(),
            open_when_taken: 0,
            events: Vec::new(),
        };
        Self(Arc::new(Inner { state: Mutex::new(state), runtime }))
    }

    pub(super) fn is_connected(&self) -> bool {
        lock(&self.0.state).core.machine.is_connected()
    }

    pub(super) fn manager(&self) -> String {
        lock(&self.0.state).core.machine.manager().to_string()
    }

    /// The client's own address, as the Manager names it.
    pub(super) fn address(&self) -> String {
        lock(&self.0.state).core.machine.address().to_string()
    }

    /// Another guard for the lock on a service; `None` without a link.
    pub(super) fn guard(&self, service: &str) -> Option<LockId> {
        lock(&self.0.state).links.guard(service)
    }

    /// Whether the guards of this lock still stand for it.
    pub(super) fn has_lock(&self, service: &str, id: LockId) -> bool {
        let state = lock(&self.0.state);
        state.core.machine.is_connected() && state.links.has_lock(service, id)
    }

    pub(super) fn set_timeout(&self, id: CallId, after: Duration) {
        let deadline = self.0.runtime.now() + after;
        self.with(|state, _, _| state.core.machine.set_deadline(id, Some(deadline)));
    }

    pub(super) fn forget(&self, id: CallId) {
        // The slot holds a waker: it is dropped here, without the lock.
        let _slot = self.with(|state, _, _| {
            // What the answer changes is changed all the same.
            if !state.links.concerns(id) {
                state.core.machine.forget(id);
            }
            state.slots.remove(&id)
        });
    }

    pub(super) fn disconnect(&self) {
        self.with(|state, events, _| {
            let lasted = state.core.course.stop_lasting();
            if state.core.machine.is_connected() {
                state.core.machine.disconnect(events);
            } else if lasted {
                state.core.finish(Error::disconnected("disconnected", false), events);
            }
        });
    }

    pub(super) fn subscribe(&self, service: &str) -> Arc<Inbox> {
        lock(&self.0.state).links.subscribe(service)
    }

    /// Sends a request; `decode` makes something of its answer.
    pub(super) fn call<T>(
        &self,
        sending: Sending<'_>,
        decode: impl FnOnce(Bytes) -> Result<T, Error> + Send + 'static,
    ) -> Call<T> {
        self.send(sending, |outcome| outcome.and_then(decode))
    }

    /// Sends a request; `settle` makes something of its outcome.
    pub(super) fn send<T>(
        &self,
        sending: Sending<'_>,
        settle: impl FnOnce(Result<Bytes, Error>) -> Result<T, Error> + Send + 'static,
    ) -> Call<T> {
        let Sending { service, attribute, arguments, change, step } = sending;
        let (args, kwargs) = match arguments.into_args_and_kwargs() {
            Ok(both) => both,
            Err(error) => return Call::settled(Err(error)),
        };
        let request = Request { service, attribute, args: args.into(), kwargs, deadline: None };
        let slot = Arc::new(Slot::default());
        let sent = self.with(|state, events, wakers| {
            // A lock is given back however much waits.
            if !matches!(step, Some((Step::GiveBack(..), _))) {
                state.outgoing.check_room(request.args.len() + request.kwargs.len())?;
            }
            if let Some((step, service)) = step
                && !state.links.step(service, step).ok_or_else(lock_is_over)?
            {
                return Ok(None);
            }
            let id = state.send(request, change, events, wakers)?;
            state.slots.insert(id, slot.clone());
            Ok(Some(id))
        });
        match sent {
            Ok(Some(id)) => Call::open(self.clone(), id, slot, Box::new(settle)),
            Ok(None) => Call::settled(settle(Ok(Bytes::from_static(b"null")))),
            Err(error) => Call::settled(Err(error)),
        }
    }

    /// Links again with what was linked on the connection before, as far as that is missing.
    pub(super) fn relink(&self) {
        self.with(|state, _, wakers| state.relink(wakers));
    }

    /// What has become of links that were to be restored, and whether any is missing.
    pub(super) fn relinked(&self) -> Look<(News, bool)> {
        let state = &mut *lock(&self.0.state);
        let news = state.links.news();
        state.core.course.look(news)
    }

    /// Whether requests can be sent (to this service).
    pub(super) fn restored(&self, service: Option<&str>) -> Look<Result<(), Error>> {
        let state = lock(&self.0.state);
        let here = service.map_or(Some(true), |service| state.links.is_here(service));
        let found = match (state.core.course.ended(), here) {
            (Some(error), _) => Some(Err(error)),
            (None, None) => {
                let text = "this link has ended, with unlink() or with its service; link again";
                Some(Err(Error::new(ErrorKind::NotLinked, text)))
            }
            (None, Some(here)) => (here && state.core.machine.is_connected()).then_some(Ok(())),
        };
        state.core.course.look(found)
    }

    /// Changes the state, does what that causes, and wakes whom it concerns after the lock: the driver, too.
    fn with<R>(&self, change: impl FnOnce(&mut State, &mut Vec<Event>, &mut Vec<Waker>) -> R) -> R {
        self.with_driver_awake(|state, events, wakers| {
            wakers.extend(state.core.driver.take());
            change(state, events, wakers)
        })
    }

    /// The same for the driver itself, which would not come to rest if it woke itself.
    fn with_driver_awake<R>(
        &self,
        change: impl FnOnce(&mut State, &mut Vec<Event>, &mut Vec<Waker>) -> R,
    ) -> R {
        let mut wakers = Vec::new();
        let result = {
            let mut state = lock(&self.0.state);
            let mut events = std::mem::take(&mut state.events);
            let result = change(&mut state, &mut events, &mut wakers);
            state.perform(&mut events, &mut wakers);
            state.events = events;
            result
        };
        wakers.into_iter().for_each(Waker::wake);
        result
    }
}

impl Lasting for Session {
    type Role = Calls;

    fn look<T>(&self, look: impl FnOnce(&mut Core<Calls>) -> T) -> T {
        look(&mut lock(&self.0.state).core)
    }

    fn perform(&self, change: impl FnOnce(&mut Core<Calls>, &mut Vec<Event>, &mut Vec<Waker>)) {
        self.with_driver_awake(|state, events, wakers| change(&mut state.core, events, wakers));
    }

    fn is_gathering(&self) -> bool {
        let state = lock(&self.0.state);
        // One that asks a single question at a time waits for its answer and for nothing else. Who asks several may have all
        // answers at once, and the first one who asks again is not going to be alone.
        !state.outgoing.is_empty() && state.slots.len().max(state.open_when_taken) > 1
    }

    fn take(&self, number: u64, bytes: usize, lines: &mut Vec<Rope>) {
        let mut state = lock(&self.0.state);
        if state.core.course.is_at(number) && !state.outgoing.is_empty() {
            state.open_when_taken = state.slots.len();
            state.outgoing.take(bytes, lines);
        }
    }

    async fn restore(&self, keeping: &Keeping) -> Infallible {
        keeping.relink(self).await
    }
}

impl Ending for Session {
    fn ended(&self) -> Look<Error> {
        lock(&self.0.state).core.course.look_ended()
    }

    fn is_asynchronous_here(&self) -> bool {
        self.0.runtime.is_asynchronous_here()
    }
}

impl State {
    fn send(
        &mut self,
        request: Request<'_>,
        change: Option<(Change, &str)>,
        events: &mut Vec<Event>,
        wakers: &mut Vec<Waker>,
    ) -> Result<CallId, Error> {
        let id = self.core.machine.call(request, events)?;
        for event in events.drain(..) {
            if let Event::Send(line) = event {
                self.outgoing.push(line, Some(id));
            }
        }
        if let Some((change, service)) = change {
            self.links.ask(id, change, service, wakers);
        }
        Ok(id)
    }

    fn relink(&mut self, wakers: &mut Vec<Waker>) {
        for service in self.links.missing() {
            let request = Request {
                service: MANAGER,
                attribute: "link",
                args: json_array(&service).into(),
                kwargs: "{}".into(),
                deadline: None,
            };
            // Without a connection, the next one begins with this.
            let _ = self.send(request, Some((Change::Relink, &service)), &mut Vec::new(), wakers);
        }
    }

    fn perform(&mut self, events: &mut Vec<Event>, wakers: &mut Vec<Waker>) {
        for event in events.drain(..) {
            match event {
                Event::Send(line) => self.outgoing.push(line, None),
                Event::Connected => {
                    self.core.course.connected(wakers);
                    // In front of every request that needs them.
                    self.relink(wakers);
                }
                Event::Ask(prompt) => self.core.asking.put(self.core.course.number(), prompt),
                Event::Settled { call, outcome } => self.settle(call, outcome, wakers),
                Event::Notification { service, args, kwargs } => {
                    let notification = Notification::Received { args: kept(args), kwargs: kept(kwargs) };
                    self.links.deliver(&service, &notification, wakers);
                }
                Event::Gone { call, service, error } => {
                    self.links.gone(call, service, error, self.core.course.lasts(), wakers);
                    self.core.course.changed(wakers);
                }
                Event::Ended(error) => {
                    self.outgoing = Outgoing::default();
                    self.open_when_taken = 0;
                    self.core.asking.forget();
                    if self.core.course.over(error, wakers) {
                        self.links.end(wakers);
                    } else {
                        self.links.interrupt(wakers);
                    }
                }
            }
        }
    }

    fn settle(&mut self, call: CallId, outcome: Result<Bytes, Error>, wakers: &mut Vec<Waker>) {
        let outcome = match outcome {
            Ok(result) => Ok(kept(result)),
            Err(error) if !self.outgoing.is_taken(call) && is_of_this_side(&error) => {
                self.outgoing.remove(call);
                self.core.machine.withdraw(call);
                Err(error.not_executed())
            }
            Err(error) => Err(error),
        };
        if self.links.answer(call, &outcome, wakers) {
            self.core.course.changed(wakers);
        }
        wakers.extend(self.slots.remove(&call).and_then(|slot| slot.settle(outcome)));
    }
}

/// Whether nobody has answered.
fn is_of_this_side(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Disconnected | ErrorKind::TimedOut)
}

fn lock_is_over() -> Error {
    Error::disconnected("the lock has ended, with its connection or with its link", false)
}

fn json_array(text: &str) -> String {
    let mut array = String::from("[");
    crate::json::quote_into(&mut array, text);
    array.push(']');
    array
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("manager", &self.manager()).finish_non_exhaustive()
    }
}
