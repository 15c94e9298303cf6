//! A service's connection, shared by its handles, its methods and its driver.
//!
//! One lock for the machine and what waits; a method never runs under it, and nobody is woken under it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use bytes::Bytes;

use super::context::{WAITING_NOTIFICATIONS, backlog};
use super::execute::{Executor, Farewell, Job, Jobs};
use super::{Attribute, OnDisconnect, Outcome, Service};
use crate::author::client::AnswerPrompt;
use crate::author::driver::Endpoint;
use crate::device::{Credentials, Description, Error, LANGUAGE, Prompt, READ_LIMIT};
use crate::drive::lock;
use crate::frame::Rope;
use crate::instant::Instant;
use crate::service::{Event, Execution, ExecutionId, Machine};

/// Arguments up to this many bytes are copied out of the buffer that they were read into, which they would keep alive
/// while they wait.
const COPIED: usize = 16 * 1024;

/// How a service presents itself to its Manager.
pub struct ServiceOptions {
    /// The language that it shows, like `Rust 1.95.0`.
    pub language: String,
    /// The operating system that it shows, like `Linux 6.1.0 x86_64`.
    pub os: String,
    /// What it answers when the Manager asks for a login.
    pub credentials: Credentials,
    /// Is asked for what the credentials lack. Without it, the connection ends then.
    pub answer_prompt: Option<AnswerPrompt>,
    /// The longest line that it reads, in bytes.
    pub read_limit: usize,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self {
            language: LANGUAGE.to_string(),
            os: "unknown".to_string(),
            credentials: Credentials::default(),
            answer_prompt: None,
            read_limit: READ_LIMIT,
        }
    }
}

impl fmt::Debug for ServiceOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceOptions")
            .field("language", &self.language)
            .field("os", &self.os)
            .field("credentials", &self.credentials)
            .field("read_limit", &self.read_limit)
            .finish_non_exhaustive()
    }
}

/// A service's connection: the [`Endpoint`] that a runtime crate hands to a [`crate::author::Driver`]. Cheap to clone.
#[derive(Clone)]
pub struct ServiceSession(Arc<Inner>);

struct Inner {
    name: String,
    attributes: BTreeMap<Arc<str>, Attribute>,
    max_concurrent: usize,
    executor: Arc<dyn Executor>,
    answer_prompt: Mutex<Option<AnswerPrompt>>,
    state: Mutex<State>,
}

struct State {
    machine: Machine,
    outgoing: VecDeque<Outgoing>,
    /// Bytes of the notifications among them.
    notifications: usize,
    driver: Option<Waker>,
    arrived: Vec<Execution>,
    jobs: Jobs,
    prompts: Vec<Prompt>,
    on_disconnect: Option<OnDisconnect>,
    connected: bool,
    ended: Option<Error>,
    /// Whoever waits for the beginning, or the end.
    watchers: Vec<Waker>,
}

enum Outgoing {
    Line(Rope),
    Notification(Rope),
}

/// What is to be done once the lock is not held any more.
#[derive(Default)]
struct Afterwards {
    wakers: Vec<Waker>,
    abandoned: VecDeque<Job>,
    farewell: Option<Farewell>,
}

impl ServiceSession {
    /// The session of a service that is not connected yet. Reads the properties of the service, which may block.
    ///
    /// # Errors
    /// [`crate::device::ErrorKind::Invalid`]: a mistake in the service, such as two attributes of one name.
    pub fn new(
        service: Service,
        options: ServiceOptions,
        executor: Arc<dyn Executor>,
    ) -> Result<Self, Error> {
        let offer = service.offer()?;
        let ServiceOptions { language, os, credentials, answer_prompt, read_limit } = options;
        let Service { name, max_concurrent, attributes, on_disconnect, .. } = service;
        let description = Description { name: name.clone(), language, os };
        let state = State {
            machine: Machine::new(description, offer, credentials, read_limit),
            outgoing: VecDeque::new(),
            notifications: 0,
            driver: None,
            arrived: Vec::new(),
            jobs: Jobs::default(),
            prompts: Vec::new(),
            on_disconnect,
            connected: false,
            ended: None,
            watchers: Vec::new(),
        };
        let (answer_prompt, state) = (Mutex::new(answer_prompt), Mutex::new(state));
        Ok(Self(Arc::new(Inner { name, attributes, max_concurrent, executor, answer_prompt, state })))
    }

    /// The service's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Waits until the Manager has let the service in.
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

    pub(super) fn is_connected(&self) -> bool {
        lock(&self.0.state).machine.is_connected()
    }

    pub(super) fn manager(&self) -> String {
        lock(&self.0.state).machine.manager().to_string()
    }

    pub(super) fn executor(&self) -> &dyn Executor {
        &*self.0.executor
    }

    pub(super) fn max_concurrent(&self) -> usize {
        self.0.max_concurrent
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.0.attributes.get(name)
    }

    pub(super) fn jobs<R>(&self, change: impl FnOnce(&mut Jobs) -> R) -> R {
        change(&mut lock(&self.0.state).jobs)
    }

    /// Answers a request, and ends the service behind the answer if that is what was asked for.
    pub(super) fn finish(&self, id: ExecutionId, outcome: &Outcome, shut_down: bool) {
        self.with(|state, events| {
            let outcome = outcome.as_ref().map(super::Json::as_str).map_err(super::ServiceError::failure);
            state.machine.finish(id, outcome, events);
            if shut_down {
                state.machine.shut_down(events);
            }
        });
    }

    pub(super) fn shut_down(&self) {
        self.with(|state, events| state.machine.shut_down(events));
    }

    pub(super) fn notify(&self, args: &str, kwargs: &str) -> Result<(), Error> {
        self.with(|state, _| {
            let waiting = state.notifications;
            if waiting > 0 && waiting + args.len() + kwargs.len() > WAITING_NOTIFICATIONS {
                return Err(backlog());
            }
            let mut events = Vec::new();
            if !state.machine.notify(args, kwargs, &mut events) {
                return Err(Error::disconnected("the service is not connected with a Manager", false));
            }
            for event in events {
                if let Event::Send(line) = event {
                    state.notifications += line.len();
                    state.outgoing.push_back(Outgoing::Notification(line));
                }
            }
            Ok(())
        })
    }

    async fn when<T>(&self, mut look: impl FnMut(&State) -> Option<T>) -> T {
        poll_fn(|cx| {
            let mut state = lock(&self.0.state);
            if let Some(found) = look(&state) {
                return Poll::Ready(found);
            }
            if !state.watchers.iter().any(|watcher| watcher.will_wake(cx.waker())) {
                state.watchers.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    /// Changes the state, does what that causes, and wakes whom it concerns after the lock.
    fn with<R>(&self, change: impl FnOnce(&mut State, &mut Vec<Event>) -> R) -> R {
        let (result, afterwards) = {
            let mut state = lock(&self.0.state);
            let mut events = Vec::new();
            let result = change(&mut state, &mut events);
            let mut afterwards = state.perform(events);
            afterwards.wakers.extend(state.driver.take());
            (result, afterwards)
        };
        self.follow_up(afterwards);
        result
    }

    fn follow_up(&self, afterwards: Afterwards) {
        let Afterwards { wakers, abandoned, farewell } = afterwards;
        wakers.into_iter().for_each(Waker::wake);
        // Each of these answers its request when it is dropped, and takes the lock for it.
        drop(abandoned);
        if let Some(farewell) = farewell {
            self.enqueue(Box::new(move || drop(farewell)));
        }
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
    fn perform(&mut self, events: Vec<Event>) -> Afterwards {
        let mut afterwards = Afterwards::default();
        for event in events {
            match event {
                Event::Send(line) => self.outgoing.push_back(Outgoing::Line(line)),
                Event::Connected => {
                    self.connected = true;
                    afterwards.wakers.append(&mut self.watchers);
                }
                Event::Ask(prompt) => self.prompts.push(prompt),
                Event::Execute(execution) => self.arrived.push(copied(execution)),
                Event::Ended(error) => {
                    self.arrived.clear();
                    self.outgoing.clear();
                    self.notifications = 0;
                    afterwards.wakers.append(&mut self.watchers);
                    afterwards.abandoned = self.jobs.abandon();
                    let hook = self.on_disconnect.take().filter(|_| self.connected);
                    afterwards.farewell = hook.map(|hook| Farewell::new(hook, error.clone()));
                    self.ended = Some(error);
                }
            }
        }
        afterwards
    }
}

fn copied(mut execution: Execution) -> Execution {
    for arguments in [&mut execution.args, &mut execution.kwargs] {
        if arguments.len() <= COPIED {
            *arguments = Bytes::copy_from_slice(arguments);
        }
    }
    execution
}

impl Endpoint for ServiceSession {
    fn register(&self, waker: &Waker) {
        lock(&self.0.state).driver = Some(waker.clone());
    }

    fn receive(&self, bytes: Bytes) {
        lock(&self.0.state).machine.receive(bytes);
    }

    fn end(&self, reason: &str) {
        self.with(|state, events| state.machine.end(reason, events));
    }

    fn pump(&self, _now: Instant) {
        let (afterwards, arrived, executing) = {
            let mut state = lock(&self.0.state);
            let mut events = Vec::new();
            while state.machine.advance(&mut events) {}
            let afterwards = state.perform(events);
            let arrived = std::mem::take(&mut state.arrived);
            (afterwards, arrived, state.machine.executing())
        };
        self.follow_up(afterwards);
        let earlier = executing - arrived.len().min(executing);
        for (index, execution) in arrived.into_iter().enumerate() {
            self.execute(execution, earlier + index + 1);
        }
        self.answer_prompts();
    }

    fn take(&self) -> Option<Rope> {
        let mut state = lock(&self.0.state);
        match state.outgoing.pop_front()? {
            Outgoing::Line(line) => Some(line),
            Outgoing::Notification(line) => {
                state.notifications -= line.len();
                Some(line)
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn is_ended(&self) -> bool {
        lock(&self.0.state).machine.is_ended()
    }
}

impl fmt::Debug for ServiceSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session of {} at {}", self.name(), self.manager())
    }
}
