//! A client's connection, shared by its handles and its driver.
//!
//! One lock for the machine and what waits; nobody waits under it, and nobody is woken under it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;

use super::call::{Call, Slot};
use super::connect::Beginning;
use super::ended::Ending;
use super::notifications::{Inbox, Notification};
use super::{AnswerPrompt, Arguments, Endpoint, Runtime};
use crate::client::{CallId, Event, Machine, Request};
use crate::device::{Error, Prompt};
use crate::drive::lock;
use crate::frame::Rope;
use crate::instant::Instant;

/// A client's connection, shared by its handles and its driver. Cheap to clone.
#[derive(Clone)]
pub(super) struct Session(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    runtime: Arc<dyn Runtime>,
    answer_prompt: Option<AnswerPrompt>,
}

struct State {
    machine: Machine,
    outgoing: VecDeque<Rope>,
    driver: Option<Waker>,
    slots: BTreeMap<CallId, Arc<Slot>>,
    audience: Vec<(String, Weak<Inbox>)>,
    prompts: VecDeque<Prompt>,
    /// How often the author has begun or ceased to be asked, on another thread: odd while that goes on.
    asked: u64,
    connected: bool,
    ended: Option<Error>,
    /// Whoever waits for the beginning, or the end.
    watchers: Vec<Waker>,
}

impl Session {
    /// The session of a machine that has not begun.
    pub(super) fn new(
        machine: Machine,
        runtime: Arc<dyn Runtime>,
        answer_prompt: Option<AnswerPrompt>,
    ) -> Self {
        let state = State {
            machine,
            outgoing: VecDeque::new(),
            driver: None,
            slots: BTreeMap::new(),
            audience: Vec::new(),
            prompts: VecDeque::new(),
            asked: 0,
            connected: false,
            ended: None,
            watchers: Vec::new(),
        };
        Self(Arc::new(Inner { state: Mutex::new(state), runtime, answer_prompt }))
    }

    pub(super) fn is_connected(&self) -> bool {
        lock(&self.0.state).machine.is_connected()
    }

    pub(super) fn manager(&self) -> String {
        lock(&self.0.state).machine.manager().to_string()
    }

    pub(super) fn set_timeout(&self, id: CallId, after: Duration) {
        let deadline = self.0.runtime.now() + after;
        self.with(|state, _| state.machine.set_deadline(id, Some(deadline)));
    }

    pub(super) fn forget(&self, id: CallId) {
        self.with(|state, _| {
            state.slots.remove(&id);
            state.machine.forget(id);
        });
    }

    pub(super) fn disconnect(&self) {
        self.with(|state, events| state.machine.disconnect(events));
    }

    pub(super) fn subscribe(&self, service: &str) -> Arc<Inbox> {
        let inbox = Arc::new(Inbox::default());
        self.with(|state, _| {
            state.audience.retain(|(_, inbox)| inbox.strong_count() > 0);
            state.audience.push((service.to_string(), Arc::downgrade(&inbox)));
        });
        inbox
    }

    pub(super) fn call<T>(
        &self,
        service: &str,
        attribute: &str,
        arguments: &Arguments,
        decode: impl FnOnce(Bytes) -> Result<T, Error> + Send + 'static,
    ) -> Call<T> {
        let (args, kwargs) = match (arguments.args(), arguments.kwargs()) {
            (Ok(args), Ok(kwargs)) => (args, kwargs),
            (Err(error), _) | (_, Err(error)) => return Call::failed(error),
        };
        let request =
            Request { service: service.into(), attribute: attribute.into(), args, kwargs, deadline: None };
        let slot = Arc::new(Slot::default());
        let sent = self.with(|state, events| {
            let id = state.machine.call(request, events)?;
            state.slots.insert(id, slot.clone());
            Ok(id)
        });
        match sent {
            Ok(id) => Call::open(self.clone(), id, slot, Box::new(decode)),
            Err(error) => Call::failed(error),
        }
    }

    fn poll_when<T>(&self, cx: &mut Context<'_>, look: impl FnOnce(&State) -> Option<T>) -> Poll<T> {
        let mut state = lock(&self.0.state);
        if let Some(found) = look(&state) {
            return Poll::Ready(found);
        }
        if !state.watchers.iter().any(|watcher| watcher.will_wake(cx.waker())) {
            state.watchers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Changes the state, does what that causes, and wakes whom it concerns after the lock.
    fn with<R>(&self, change: impl FnOnce(&mut State, &mut Vec<Event>) -> R) -> R {
        let mut wakers = Vec::new();
        let result = {
            let mut state = lock(&self.0.state);
            let mut events = Vec::new();
            let result = change(&mut state, &mut events);
            state.perform(events, &mut wakers);
            wakers.extend(state.driver.take());
            result
        };
        wakers.into_iter().for_each(Waker::wake);
        result
    }

    /// Has the author asked for what the Manager wants to know, where that may block.
    fn answer_prompts(&self) {
        {
            let mut state = lock(&self.0.state);
            if state.prompts.is_empty() || state.asked % 2 == 1 {
                return;
            }
            state.asked += 1;
        }
        let session = self.clone();
        if self.0.answer_prompt.is_some() {
            self.0.runtime.block(Box::new(move || session.ask()));
        } else {
            session.ask();
        }
    }

    fn ask(&self) {
        let next = || {
            let mut state = lock(&self.0.state);
            let prompt = state.prompts.pop_front();
            state.asked += u64::from(prompt.is_none());
            prompt
        };
        while let Some(prompt) = next() {
            let answer = self.0.answer_prompt.as_ref().and_then(|answer| answer(&prompt));
            self.with(|state, events| match answer {
                Some(answer) => state.machine.answer(answer, events),
                None => state.machine.refuse(&prompt, events),
            });
        }
    }
}

impl Beginning for Session {
    async fn connected(&self) -> Result<(), Error> {
        poll_fn(|cx| {
            self.poll_when(cx, |state| match &state.ended {
                _ if state.connected => Some(Ok(())),
                Some(error) => Some(Err(error.clone())),
                None => None,
            })
        })
        .await
    }

    fn asked(&self) -> u64 {
        lock(&self.0.state).asked
    }
}

impl Ending for Session {
    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<Error> {
        self.poll_when(cx, |state| state.ended.clone())
    }

    fn is_asynchronous_here(&self) -> bool {
        self.0.runtime.is_asynchronous_here()
    }
}

impl State {
    fn perform(&mut self, events: Vec<Event>, wakers: &mut Vec<Waker>) {
        for event in events {
            match event {
                Event::Send(line) => self.outgoing.push_back(line),
                Event::Connected => {
                    self.connected = true;
                    wakers.append(&mut self.watchers);
                }
                Event::Ask(prompt) => self.prompts.push_back(prompt),
                Event::Settled { call, outcome } => {
                    wakers.extend(self.slots.remove(&call).and_then(|slot| slot.settle(outcome)));
                }
                Event::Notification { service, args, kwargs } => {
                    let readers = self.audience.iter().filter(|(name, _)| *name == service);
                    for inbox in readers.filter_map(|(_, inbox)| inbox.upgrade()) {
                        let (args, kwargs) = (args.clone(), kwargs.clone());
                        wakers.extend(inbox.put(Notification::Received { args, kwargs }));
                    }
                }
                Event::Ended(error) => {
                    self.ended = Some(error);
                    for (_, inbox) in self.audience.drain(..) {
                        wakers.extend(inbox.upgrade().and_then(|inbox| inbox.end()));
                    }
                    wakers.append(&mut self.watchers);
                }
            }
        }
    }
}

impl Endpoint for Session {
    fn register(&self, waker: &Waker) {
        lock(&self.0.state).driver = Some(waker.clone());
    }

    fn receive(&self, bytes: Bytes) {
        lock(&self.0.state).machine.receive(bytes);
    }

    fn end(&self, reason: &str) {
        self.with(|state, events| state.machine.end(reason, events));
    }

    fn pump(&self, now: Instant) {
        let mut wakers = Vec::new();
        {
            let mut state = lock(&self.0.state);
            let mut events = Vec::new();
            state.machine.handle_timeout(now, &mut events);
            while state.machine.advance(now, &mut events) {}
            state.perform(events, &mut wakers);
        }
        wakers.into_iter().for_each(Waker::wake);
        self.answer_prompts();
    }

    fn take(&self) -> Option<Rope> {
        lock(&self.0.state).outgoing.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        lock(&self.0.state).machine.deadline()
    }

    fn is_ended(&self) -> bool {
        let state = lock(&self.0.state);
        state.machine.is_ended() && state.outgoing.is_empty()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("manager", &self.manager()).finish_non_exhaustive()
    }
}
