//! A service's session, shared by its handles, its methods, and the driver of its connection.
//!
//! One lock for the machine and what waits; a method never runs under it, and nobody is woken under it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::context::{WAITING_NOTIFICATIONS, backlog};
use super::execute::{Farewell, Job, Jobs, WAITING_ANSWERS, greet};
use super::{Attribute, OnConnect, OnDisconnect, Outcome, Service};
use crate::author::connection::Core;
use crate::author::ended::Ending;
use crate::author::keeper::Lasting;
use crate::author::watch::Look;
use crate::author::{ConnectOptions, Runtime};
use crate::device::{Description, Error};
use crate::drive::lock;
use crate::frame::Rope;
use crate::service::{Event, Execution, ExecutionId, Executions, Machine};

/// A service's session: its connection with a Manager or, if that is to be restored, several of them one after the other.
/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct ServiceSession(Arc<Inner>);

struct Inner {
    name: String,
    attributes: BTreeMap<Arc<str>, Attribute>,
    max_concurrent: usize,
    runtime: Arc<dyn Runtime>,
    state: Mutex<State>,
}

struct State {
    core: Core<Executions>,
    outgoing: VecDeque<Outgoing>,
    /// Bytes of the notifications among them.
    notifications: usize,
    /// Bytes of the others.
    answers: usize,
    /// Asynchronous methods that do not begin before some answers have gone.
    waiting_for_room: Vec<Waker>,
    jobs: Jobs,
    on_connect: Option<OnConnect>,
    on_disconnect: Option<OnDisconnect>,
    /// Whether the hook for the end has not returned yet. Until then nobody is told that the session has ended: a program
    /// would end in the middle of it.
    is_saying_farewell: bool,
    /// Whether the service itself, or a client, has asked for the end.
    shutting_down: bool,
    /// Empty between two changes; kept for its room.
    events: Vec<Event>,
}

enum Outgoing {
    Line(Rope),
    Notification(Rope),
}

/// What is to be done once the lock is not held any more.
#[derive(Default)]
struct Afterwards {
    wakers: Vec<Waker>,
    arrived: Vec<Execution>,
    abandoned: VecDeque<Job>,
    greeting: Option<OnConnect>,
    farewell: Option<(OnDisconnect, Error)>,
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
        let Service { name, max_concurrent, attributes, on_connect, on_disconnect, .. } = service;
        let computer = runtime.computer();
        let description = Description { name: name.clone(), language: computer.language, os: computer.os };
        let (credentials, answer_prompt) = (options.credentials.clone(), options.answer_prompt.clone());
        let machine = Machine::new(description, offer, credentials, options.read_limit);
        let state = State {
            core: Core::new(machine, runtime.clone(), answer_prompt),
            outgoing: VecDeque::new(),
            notifications: 0,
            answers: 0,
            waiting_for_room: Vec::new(),
            jobs: Jobs::default(),
            on_connect,
            on_disconnect,
            is_saying_farewell: false,
            shutting_down: false,
            events: Vec::new(),
        };
        let state = Mutex::new(state);
        Ok(Self(Arc::new(Inner { name, attributes, max_concurrent, runtime, state })))
    }

    /// The service's name.
    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) fn is_connected(&self) -> bool {
        lock(&self.0.state).core.machine.is_connected()
    }

    /// Whether there will be no other connection.
    pub(super) fn has_ended(&self) -> bool {
        lock(&self.0.state).core.course.ended().is_some()
    }

    pub(super) fn manager(&self) -> String {
        lock(&self.0.state).core.machine.manager().to_string()
    }

    pub(super) fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.0.runtime
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.0.attributes.get(name)
    }

    pub(super) fn jobs<R>(&self, change: impl FnOnce(&mut Jobs) -> R) -> R {
        change(&mut lock(&self.0.state).jobs)
    }

    /// The next job that is to be started, unless its answer would have to wait behind too many others.
    pub(super) fn next_job(&self) -> Option<Job> {
        let mut state = lock(&self.0.state);
        let has_room = !state.is_full();
        state.jobs.next(self.0.max_concurrent, has_room)
    }

    /// Waits until there is room for another answer; then says whether somebody still waits for that of this request.
    pub(super) fn poll_begin(&self, id: ExecutionId, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = lock(&self.0.state);
        if !state.is_full() {
            return Poll::Ready(state.core.machine.is_awaited(id));
        }
        state.waiting_for_room.push(cx.waker().clone());
        Poll::Pending
    }

    /// There is room for answers again.
    fn go_on(&self) {
        let waiting = std::mem::take(&mut lock(&self.0.state).waiting_for_room);
        waiting.into_iter().for_each(Waker::wake);
        self.start_jobs();
    }

    /// Whether somebody still waits for the answer to this request.
    pub(super) fn is_awaited(&self, id: ExecutionId) -> bool {
        lock(&self.0.state).core.machine.is_awaited(id)
    }

    /// The hook for the end has returned.
    pub(super) fn said_farewell(&self) {
        let mut wakers = Vec::new();
        {
            let mut state = lock(&self.0.state);
            state.is_saying_farewell = false;
            state.core.course.changed(&mut wakers);
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Answers a request with so many bytes of arguments, and ends the service behind the answer if that is what was asked for.
    pub(super) fn finish(&self, id: ExecutionId, arguments: usize, outcome: Outcome, shut_down: bool) {
        self.with(|state, events| {
            state.jobs.leave(arguments);
            let outcome = outcome.map(super::Json::into_json).map_err(super::ServiceError::into_failure);
            state.core.machine.finish(id, outcome, events);
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
            if !state.core.machine.notify(args, kwargs, &mut events) {
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

    /// Changes the state, does what that causes, and wakes whom it concerns after the lock: the driver, too.
    fn with<R>(&self, change: impl FnOnce(&mut State, &mut Vec<Event>) -> R) -> R {
        self.with_driver_awake(|state, events, wakers| {
            wakers.extend(state.core.driver.take());
            change(state, events)
        })
    }

    /// The same for the driver itself, which would not come to rest if it woke itself.
    fn with_driver_awake<R>(
        &self,
        change: impl FnOnce(&mut State, &mut Vec<Event>, &mut Vec<Waker>) -> R,
    ) -> R {
        let mut afterwards = Afterwards::default();
        let result = {
            let mut state = lock(&self.0.state);
            let mut events = std::mem::take(&mut state.events);
            let result = change(&mut state, &mut events, &mut afterwards.wakers);
            state.perform(&mut events, &mut afterwards);
            state.events = events;
            result
        };
        self.follow_up(afterwards);
        result
    }

    fn follow_up(&self, afterwards: Afterwards) {
        let Afterwards { wakers, arrived, abandoned, greeting, farewell } = afterwards;
        // Before any request: this is the first job.
        if let Some(hook) = greeting {
            let session = self.clone();
            self.enqueue(Box::new(move || greet(hook, session)));
        }
        wakers.into_iter().for_each(Waker::wake);
        // Each of these answers its request when it is dropped, and takes the lock for it.
        drop(abandoned);
        if let Some((hook, error)) = farewell {
            let farewell = Farewell::new(self.clone(), hook, error);
            self.enqueue(Box::new(move || drop(farewell)));
        }
        for execution in arrived {
            self.execute(execution);
        }
    }
}

impl Lasting for ServiceSession {
    type Role = Executions;

    fn look<T>(&self, look: impl FnOnce(&mut Core<Executions>) -> T) -> T {
        look(&mut lock(&self.0.state).core)
    }

    fn perform(&self, change: impl FnOnce(&mut Core<Executions>, &mut Vec<Event>, &mut Vec<Waker>)) {
        self.with_driver_awake(|state, events, wakers| change(&mut state.core, events, wakers));
    }

    fn is_gathering(&self) -> bool {
        let state = lock(&self.0.state);
        !state.outgoing.is_empty() && state.core.machine.executing() > 0
    }

    fn take(&self, number: u64, bytes: usize, lines: &mut Vec<Rope>) {
        let has_room = {
            let mut state = lock(&self.0.state);
            if !state.core.course.is_at(number) {
                return;
            }
            let was_full = state.is_full();
            state.take(bytes, lines);
            was_full && !state.is_full()
        };
        if has_room {
            self.go_on();
        }
    }
}

impl Ending for ServiceSession {
    fn ended(&self) -> Look<Error> {
        let state = lock(&self.0.state);
        state.core.course.look(state.core.course.ended().filter(|_| !state.is_saying_farewell))
    }

    fn is_asynchronous_here(&self) -> bool {
        self.0.runtime.is_asynchronous_here()
    }
}

impl State {
    /// Whether so many answers wait to be sent that nothing more is to be executed for now.
    fn is_full(&self) -> bool {
        self.answers >= WAITING_ANSWERS
    }

    /// Takes lines out until they have so many bytes together, or more.
    fn take(&mut self, bytes: usize, lines: &mut Vec<Rope>) {
        let mut taken = 0;
        while taken < bytes
            && let Some(next) = self.outgoing.pop_front()
        {
            let (line, counted) = match next {
                Outgoing::Line(line) => (line, &mut self.answers),
                Outgoing::Notification(line) => (line, &mut self.notifications),
            };
            *counted -= line.len();
            taken += line.len();
            lines.push(line);
        }
    }

    fn shut_down(&mut self, events: &mut Vec<Event>) {
        self.shutting_down = true;
        let lasted = self.core.course.stop_lasting();
        if lasted && !self.core.machine.is_connected() {
            // It is between two connections.
            self.core.finish(Error::disconnected("disconnected", false), events);
        } else {
            self.core.machine.shut_down(events);
        }
    }

    fn perform(&mut self, events: &mut Vec<Event>, afterwards: &mut Afterwards) {
        for event in events.drain(..) {
            match event {
                Event::Send(line) => {
                    self.answers += line.len();
                    self.outgoing.push_back(Outgoing::Line(line));
                }
                Event::Connected => {
                    self.core.course.connected(&mut afterwards.wakers);
                    afterwards.greeting = self.on_connect.take();
                }
                Event::Ask(prompt) => self.core.asking.put(self.core.course.number(), prompt),
                Event::Execute(execution) => afterwards.arrived.push(execution),
                Event::Ended(error) => {
                    afterwards.arrived.clear();
                    self.core.asking.forget();
                    self.outgoing.clear();
                    (self.notifications, self.answers) = (0, 0);
                    afterwards.wakers.append(&mut self.waiting_for_room);
                    afterwards.abandoned.append(&mut self.jobs.abandon());
                    if self.core.course.over(error.clone(), &mut afterwards.wakers) {
                        let hook = self.on_disconnect.take().filter(|_| self.core.course.has_begun());
                        self.is_saying_farewell = hook.is_some();
                        afterwards.farewell = hook.map(|hook| (hook, error));
                    }
                }
            }
        }
    }
}

impl fmt::Debug for ServiceSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session of {} at {}", self.name(), self.manager())
    }
}
