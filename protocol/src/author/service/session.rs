//! A service's connection, shared by its handles, its methods and its driver.
//!
//! One lock for the machine and what waits; a method never runs under it, and nobody is woken under it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::context::{WAITING_NOTIFICATIONS, backlog};
use super::execute::{Farewell, Job, Jobs};
use super::{Attribute, OnDisconnect, Outcome, Service};
use crate::author::connect::Beginning;
use crate::author::ended::Ending;
use crate::author::{AnswerPrompt, ConnectOptions, Endpoint, Runtime};
use crate::device::{Description, Error, Prompt};
use crate::drive::lock;
use crate::frame::Rope;
use crate::instant::Instant;
use crate::service::{Event, Execution, ExecutionId, Machine};

/// Arguments up to this many bytes are copied out of the buffer that they were read into, which they would keep alive
/// while they wait.
const COPIED: usize = 16 * 1024;

/// A service's connection. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ServiceSession(Arc<Inner>);

struct Inner {
    name: String,
    attributes: BTreeMap<Arc<str>, Attribute>,
    max_concurrent: usize,
    runtime: Arc<dyn Runtime>,
    answer_prompt: Option<AnswerPrompt>,
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
    prompts: VecDeque<Prompt>,
    /// How often the author has begun or ceased to be asked, on another thread: odd while that goes on.
    asked: u64,
    on_disconnect: Option<OnDisconnect>,
    connected: bool,
    /// Whether the service itself, or a client, has asked for the end.
    shutting_down: bool,
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
    pub(super) fn new(
        service: Service,
        options: &ConnectOptions,
        runtime: Arc<dyn Runtime>,
    ) -> Result<Self, Error> {
        let offer = service.offer()?;
        let Service { name, max_concurrent, attributes, on_disconnect, .. } = service;
        let computer = runtime.computer();
        let description = Description { name: name.clone(), language: computer.language, os: computer.os };
        let (credentials, answer_prompt) = (options.credentials.clone(), options.answer_prompt.clone());
        let state = State {
            machine: Machine::new(description, offer, credentials, options.read_limit),
            outgoing: VecDeque::new(),
            notifications: 0,
            driver: None,
            arrived: Vec::new(),
            jobs: Jobs::default(),
            prompts: VecDeque::new(),
            asked: 0,
            on_disconnect,
            connected: false,
            shutting_down: false,
            ended: None,
            watchers: Vec::new(),
        };
        let state = Mutex::new(state);
        Ok(Self(Arc::new(Inner { name, attributes, max_concurrent, runtime, answer_prompt, state })))
    }

    /// The service's name.
    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) fn is_connected(&self) -> bool {
        lock(&self.0.state).machine.is_connected()
    }

    pub(super) fn manager(&self) -> String {
        lock(&self.0.state).machine.manager().to_string()
    }

    pub(super) fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.0.runtime
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
                state.shut_down(events);
            }
        });
    }

    pub(super) fn shut_down(&self) {
        self.with(State::shut_down);
    }

    /// Whether the service itself, or a client, has asked for the end.
    pub(super) fn is_shutting_down(&self) -> bool {
        lock(&self.0.state).shutting_down
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

impl Beginning for ServiceSession {
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

impl Ending for ServiceSession {
    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<Error> {
        self.poll_when(cx, |state| state.ended.clone())
    }

    fn is_asynchronous_here(&self) -> bool {
        self.0.runtime.is_asynchronous_here()
    }
}

impl State {
    fn shut_down(&mut self, events: &mut Vec<Event>) {
        self.shutting_down = true;
        self.machine.shut_down(events);
    }

    fn perform(&mut self, events: Vec<Event>) -> Afterwards {
        let mut afterwards = Afterwards::default();
        for event in events {
            match event {
                Event::Send(line) => self.outgoing.push_back(Outgoing::Line(line)),
                Event::Connected => {
                    self.connected = true;
                    afterwards.wakers.append(&mut self.watchers);
                }
                Event::Ask(prompt) => self.prompts.push_back(prompt),
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
