//! A client, as its author holds it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::Arguments;
use super::call::{Call, Slot};
use super::driver::Endpoint;
use super::link::Link;
use super::notifications::{Inbox, Notification, decode};
use crate::client::{CallId, Event, Machine, Request};
use crate::device::{Error, ErrorKind, Prompt};
use crate::drive::lock;
use crate::frame::Rope;
use crate::instant::Instant;
use crate::json;
use crate::message::MANAGER;

/// What handles need of a runtime.
pub trait Runtime: Send + Sync {
    /// The time now, as the sockets of this runtime know it.
    fn now(&self) -> Instant;

    /// Whether this thread runs asynchronous code, so that parking it would hold others up.
    fn is_asynchronous_here(&self) -> bool;
}

/// Answers what only a person knows: a username, a password. `None` gives up.
pub type AnswerPrompt = Box<dyn FnMut(&Prompt) -> Option<String> + Send>;

/// A client's connection, shared by its handles and its driver. Cheap to clone.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    runtime: Arc<dyn Runtime>,
    answer_prompt: Mutex<Option<AnswerPrompt>>,
}

struct State {
    machine: Machine,
    outgoing: VecDeque<Rope>,
    driver: Option<Waker>,
    slots: BTreeMap<CallId, Arc<Slot>>,
    audience: Vec<(String, Weak<Inbox>)>,
    prompts: Vec<Prompt>,
    connected: bool,
    ended: Option<Error>,
    /// Whoever waits for the beginning, or the end.
    watchers: Vec<Waker>,
}

impl Session {
    /// The session of a machine that has not begun.
    pub fn new(machine: Machine, runtime: Arc<dyn Runtime>, answer_prompt: Option<AnswerPrompt>) -> Self {
        let state = State {
            machine,
            outgoing: VecDeque::new(),
            driver: None,
            slots: BTreeMap::new(),
            audience: Vec::new(),
            prompts: Vec::new(),
            connected: false,
            ended: None,
            watchers: Vec::new(),
        };
        Self(Arc::new(Inner { state: Mutex::new(state), runtime, answer_prompt: Mutex::new(answer_prompt) }))
    }

    /// Waits until the Manager has let the client in.
    ///
    /// # Errors
    /// Why it did not.
    pub async fn connected(&self) -> Result<(), Error> {
        self.when(|state| match &state.ended {
            _ if state.connected => Some(Ok(())),
            Some(error) => Some(Err(error.clone())),
            None => None,
        })
        .await
    }

    /// Waits until the connection has ended; says why.
    pub async fn ended(&self) -> Error {
        self.when(|state| state.ended.clone()).await
    }

    pub(super) fn is_asynchronous_here(&self) -> bool {
        self.0.runtime.is_asynchronous_here()
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

    async fn when<T>(&self, mut look: impl FnMut(&State) -> Option<T>) -> T {
        poll_fn(|cx| {
            let mut state = lock(&self.0.state);
            match look(&state) {
                Some(found) => Poll::Ready(found),
                None => {
                    if !state.watchers.iter().any(|watcher| watcher.will_wake(cx.waker())) {
                        state.watchers.push(cx.waker().clone());
                    }
                    Poll::Pending
                }
            }
        })
        .await
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

    fn answer_prompts(&self) {
        let prompts = std::mem::take(&mut lock(&self.0.state).prompts);
        for prompt in prompts {
            let answer = lock(&self.0.answer_prompt).as_mut().and_then(|answer| answer(&prompt));
            self.with(|state, events| match answer {
                Some(answer) => state.machine.answer(answer, events),
                None => state.machine.refuse(&prompt, events),
            });
        }
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
                Event::Ask(prompt) => self.prompts.push(prompt),
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

/// A connection with a Manager. Cheap to clone; the connection ends with the last of its clients and links.
#[derive(Clone, Debug)]
pub struct Client {
    session: Session,
    name: Arc<str>,
    _owner: Arc<Owner>,
}

/// Ends the connection when nobody holds it any more.
#[derive(Debug)]
struct Owner(Session);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.disconnect();
    }
}

impl Client {
    /// The handle of a session that is connected, for a runtime crate.
    pub fn new(session: Session, name: &str) -> Self {
        Self { _owner: Arc::new(Owner(session.clone())), session, name: name.into() }
    }

    /// The client's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Manager's network name, like `Manager[lab:1875]`.
    pub fn manager(&self) -> String {
        self.session.manager()
    }

    /// Whether requests can be sent.
    pub fn is_connected(&self) -> bool {
        self.session.is_connected()
    }

    /// Links with a service. Requests can then be sent, and its notifications come.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchService`], [`ErrorKind::Locked`], [`ErrorKind::Full`].
    pub fn link(&self, service: &str) -> Call<Link> {
        let (client, name) = (self.clone(), service.to_string());
        self.session.call(MANAGER, "link", &(service,).into(), move |entry| Link::new(client, name, &entry))
    }

    /// Who is connected with the Manager.
    pub fn identities<T: DeserializeOwned + 'static>(&self) -> Call<T> {
        self.session.call(MANAGER, "identity", &Arguments::new(), |answer| decode(&answer))
    }

    /// Asks the Manager for something that only an administrator may, like `users_table.usernames`.
    pub fn admin_request<T: DeserializeOwned + 'static>(
        &self,
        attribute: &str,
        arguments: impl Into<Arguments>,
    ) -> Call<T> {
        self.session.call(MANAGER, attribute, &arguments.into(), |answer| decode(&answer))
    }

    /// Ends the connection, and waits until it has ended. What was sent before is answered first.
    pub async fn disconnect(&self) {
        self.session.disconnect();
        self.session.ended().await;
    }

    /// Waits until the connection has ended, and says why.
    pub async fn ended(&self) -> Error {
        self.session.ended().await
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }
}

/// The answer of a request whose JSON is wanted as it came.
pub(super) fn raw(answer: &Bytes) -> Result<String, Error> {
    let text =
        std::str::from_utf8(answer).map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))?;
    Ok(text.to_string())
}

/// A list of network names.
pub(super) fn names(answer: &Bytes) -> Result<Vec<String>, Error> {
    json::from_text(answer).map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))
}
