//! A Manager, a client and services in one thread and without sockets, for tests of what authors hold.
//!
//! Lines are carried by hand between a [`Hub`] and the sessions of the devices. The only other threads are those that a
//! service's blocking methods run on; waiting for them is waiting to be woken, never for a time.

#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::future::{Future, IntoFuture, poll_fn};
use std::net::Ipv4Addr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use msl_network_protocol::author::{
    BoxFuture, Client, Computer, Connect, ConnectOptions, Endpoint, Executor, IntoArguments, IntoService,
    Link, NewClient, RunningService, Runtime, Runtimes, Service,
};
use msl_network_protocol::connection::{Action, Credentials, Flow};
use msl_network_protocol::device::{Error, ErrorKind};
use msl_network_protocol::frame::Rope;
use msl_network_protocol::hub::{Hub, Input, Output};
use msl_network_protocol::instant::Instant;
use msl_network_protocol::limits::Limits;
use msl_network_protocol::mailbox::{ConnectionId, Notice, Verdict};
use msl_network_protocol::settings::ManagerIdentity;
use msl_network_protocol::settings::{Authentication, Settings};

/// After this long without being woken, a test has failed.
const STUCK: Duration = Duration::from_secs(30);

/// A Manager with its devices.
pub(crate) struct World {
    hub: Hub,
    devices: Vec<(ConnectionId, Arc<dyn Endpoint>)>,
    port: u16,
    frozen: bool,
    pub(crate) executor: Arc<Workers>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Authentication::None)
    }

    /// With a Manager that asks for this.
    pub(crate) fn with(authentication: Authentication) -> Self {
        let hub = manager(authentication);
        Self { hub, devices: Vec::new(), port: 50_000, frozen: false, executor: Arc::default() }
    }

    /// A service that is about to be started.
    pub(crate) fn start(&self, service: impl IntoService) -> Connect<Service> {
        Connect::new(service.into_service(), "lab", Arc::new(InMemory(self.executor.clone())))
    }

    /// A service that is connected.
    pub(crate) fn service(&mut self, service: impl IntoService) -> RunningService {
        let service = self.start(service);
        self.run(service.into_future()).expect("the Manager lets it in")
    }

    /// A client that is connected.
    pub(crate) fn client(&mut self, name: &str) -> Client {
        let client = self.connect().name(name);
        self.run(client.into_future()).expect("the Manager lets it in")
    }

    /// A client that is about to be connected.
    pub(crate) fn connect(&self) -> Connect<NewClient> {
        Connect::new(NewClient::default(), "lab", Arc::new(InMemory(self.executor.clone())))
    }

    /// The Manager's side of the last device's connection is closed.
    pub(crate) fn cut_last(&mut self) {
        let (id, endpoint) = self.devices.pop().expect("a device");
        self.hub.handle(id, Input::Lost, Instant::EPOCH, &mut Vec::new());
        endpoint.end("the network is down");
    }

    /// The Manager hangs, or goes on: it takes nothing, says nothing, and closes nothing.
    pub(crate) fn freeze(&mut self, frozen: bool) {
        self.frozen = frozen;
    }

    /// The devices that are connected.
    pub(crate) fn devices(&self) -> impl Iterator<Item = Arc<dyn Endpoint>> {
        self.devices.iter().map(|(_, endpoint)| endpoint.clone())
    }

    /// Carries lines until this is so.
    pub(crate) fn run_until(&mut self, is_so: impl Fn() -> bool) {
        self.run(poll_fn(|_| if is_so() { Poll::Ready(()) } else { Poll::Pending }));
    }

    /// The Manager ends, with all connections. Until it is [restarted](World::restart), nobody can connect.
    pub(crate) fn stop(&mut self) {
        *self.executor.unreachable.lock().unwrap() = true;
        for (_, endpoint) in std::mem::take(&mut self.devices) {
            endpoint.end("the Manager closed the connection");
        }
    }

    /// Another Manager is there, which asks for this.
    pub(crate) fn restart(&mut self, authentication: Authentication) {
        self.hub = manager(authentication);
        *self.executor.unreachable.lock().unwrap() = false;
    }

    /// Carries lines until the future is ready.
    pub(crate) fn run<F: Future>(&mut self, future: F) -> F::Output {
        let woken = Arc::new(Unpark { thread: thread::current(), woken: AtomicBool::new(false) });
        let waker = Waker::from(woken.clone());
        self.executor.at_work.lock().unwrap().1 = Some(waker.clone());
        let mut future = pin!(future);
        loop {
            self.executor.poll_tasks(&mut Context::from_waker(&waker));
            self.let_in();
            for (_, endpoint) in &self.devices {
                endpoint.register(&waker);
            }
            self.settle();
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => return output,
                Poll::Pending if self.let_in() || self.settle() => {}
                Poll::Pending if woken.woken.swap(false, Ordering::SeqCst) => {}
                Poll::Pending if self.executor.jump(self.deadline()) => {}
                Poll::Pending => {
                    let before = std::time::Instant::now();
                    thread::park_timeout(STUCK);
                    assert!(before.elapsed() < STUCK, "nothing happens any more");
                }
            }
        }
    }

    /// When a device wants to be looked after at the latest.
    fn deadline(&self) -> Option<Instant> {
        self.devices().filter_map(|endpoint| endpoint.deadline()).min()
    }

    /// Lets a future begin, and carries what it sends.
    pub(crate) fn poll_once<F: Future + Unpin>(&mut self, future: &mut F) {
        let poll = Pin::new(future).poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_pending());
        self.let_in();
    }

    /// Gives the Manager the connections that were opened; returns whether there were any.
    fn let_in(&mut self) -> bool {
        let opened = std::mem::take(&mut *self.executor.opened.lock().unwrap());
        let any = !opened.is_empty();
        for endpoint in opened {
            let mut outputs = Vec::new();
            self.port += 1;
            let id = self.hub.connect(Ipv4Addr::LOCALHOST.into(), self.port, Instant::EPOCH, &mut outputs);
            self.devices.push((id, endpoint));
            self.act(outputs);
        }
        any
    }

    /// Carries lines until there are none; returns whether there were any.
    fn settle(&mut self) -> bool {
        let mut any = false;
        loop {
            let mut more = false;
            for (id, endpoint) in self.devices.clone() {
                more |= self.carry(id, &*endpoint);
            }
            if !more {
                return any;
            }
            any = true;
        }
    }

    fn carry(&mut self, id: ConnectionId, endpoint: &dyn Endpoint) -> bool {
        if self.frozen {
            endpoint.pump(self.executor.now());
            return false;
        }
        let (mut any, mut outputs) = (false, Vec::new());
        for line in take(endpoint) {
            self.hub.handle(id, Input::Received(line.to_bytes()), Instant::EPOCH, &mut outputs);
            endpoint.written();
            any = true;
        }
        while let Some(line) = self.hub.next_lines(id) {
            let bytes = line.len();
            endpoint.receive(line.to_bytes());
            self.hub.handle(id, Input::Written { bytes, pending: 0 }, Instant::EPOCH, &mut outputs);
            any = true;
        }
        endpoint.pump(self.executor.now());
        if self.hub.flow(id) == Flow::Draining {
            self.hub.handle(id, Input::SendingClosed, Instant::EPOCH, &mut outputs);
            self.hub.handle(id, Input::EndOfInput, Instant::EPOCH, &mut outputs);
            endpoint.end("the Manager closed the connection");
            self.devices.retain(|(device, _)| *device != id);
            any = true;
        }
        self.act(outputs);
        any
    }

    fn act(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            let (id, notice) = match output {
                Output::Act(id, Action::LookUpHost) => (id, Notice::HostName("lab".into())),
                Output::Act(id, Action::Check(credentials)) => (id, Notice::Checked(check(&credentials))),
                _ => continue,
            };
            let mut outputs = Vec::new();
            self.hub.handle(id, Input::Told(notice), Instant::EPOCH, &mut outputs);
            self.act(outputs);
        }
    }
}

/// The lines that a device's driver would take now.
pub(crate) fn take(endpoint: &dyn Endpoint) -> Vec<Rope> {
    let mut lines = Vec::new();
    endpoint.take(usize::MAX, &mut lines);
    lines
}

/// A service, and a client's link with it.
pub(crate) fn linked(service: impl IntoService) -> (World, Link) {
    let mut world = World::new();
    let service = service.into_service();
    let name = service.name().to_string();
    world.service(service);
    let client = world.client("Ann");
    let link = world.run(client.link(&name)).unwrap();
    (world, link)
}

/// The result of a call as JSON, or its error's message.
pub(crate) fn ask(world: &mut World, link: &Link, attribute: &str, arguments: impl IntoArguments) -> String {
    world.run(link.call_raw(attribute, arguments)).unwrap_or_else(|error| error.message().to_string())
}

/// The Manager's password is `secret`.
fn check(credentials: &Credentials) -> Verdict {
    match credentials {
        Credentials::ManagerPassword(password) if password == "secret" => {
            Verdict::Accepted { administrator: false }
        }
        wrong => Verdict::Refused(wrong.refusal()),
    }
}

fn manager(authentication: Authentication) -> Hub {
    let identity =
        ManagerIdentity { hostname: "lab".into(), port: 1875, language: "Rust".into(), os: "any".into() };
    Hub::new(Settings::new(identity, authentication, Limits::default()))
}

/// The end of a running service, as text.
pub(crate) fn text(error: &Error) -> String {
    format!("{:?} {}", error.kind(), error.message())
}

struct Unpark {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// The only runtime here.
struct InMemory(Arc<Workers>);

impl Runtimes for InMemory {
    fn here(&self) -> Result<Arc<dyn Runtime>, Error> {
        Ok(self.0.clone())
    }

    fn background(&self) -> Result<Arc<dyn Runtime>, Error> {
        Ok(self.0.clone())
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// A thread for each job; or, while it holds, none: the test starts them. What is asynchronous runs in [`World::run`]. Its clock stands still until the test says that
/// it jumps.
#[derive(Default)]
pub(crate) struct Workers {
    held: Mutex<Option<Vec<Job>>>,
    /// How many jobs are being done on threads, and whom to wake when one is done.
    at_work: Arc<Mutex<(usize, Option<Waker>)>>,
    tasks: Mutex<Vec<BoxFuture<()>>>,
    opened: Mutex<Vec<Arc<dyn Endpoint>>>,
    unreachable: Mutex<bool>,
    clock: Arc<Mutex<Clock>>,
}

#[derive(Default)]
struct Clock {
    now: Instant,
    /// Whether it jumps to the next moment that somebody waits for, when nothing else happens.
    jumps: bool,
    sleepers: Vec<(Instant, Waker)>,
}

impl Workers {
    /// Runs what was spawned as far as it goes.
    fn poll_tasks(&self, cx: &mut Context<'_>) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
        tasks.retain_mut(|task| task.as_mut().poll(cx).is_pending());
        self.tasks.lock().unwrap().append(&mut tasks);
    }

    /// Drops what was spawned, as a runtime does that is shut down.
    pub(crate) fn drop_tasks(&self) {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
        drop(tasks);
    }

    /// How many tasks have not ended.
    pub(crate) fn tasks(&self) -> usize {
        self.tasks.lock().unwrap().len()
    }

    /// From now on, the clock jumps whenever nothing else happens.
    pub(crate) fn jump_on(&self) {
        self.clock.lock().unwrap().jumps = true;
    }

    fn jump(&self, deadline: Option<Instant>) -> bool {
        if self.at_work.lock().unwrap().0 > 0 {
            return false;
        }
        let mut clock = self.clock.lock().unwrap();
        let deadline = deadline.filter(|deadline| *deadline > clock.now);
        let next = clock.sleepers.iter().map(|(deadline, _)| *deadline).chain(deadline).min();
        let Some(next) = next.filter(|_| clock.jumps) else { return false };
        clock.now = clock.now.max(next);
        let due = clock.sleepers.extract_if(.., |(deadline, _)| *deadline <= next);
        due.for_each(|(_, waker)| waker.wake());
        true
    }

    /// From now on, jobs wait for the test.
    pub(crate) fn hold(&self) {
        *self.held.lock().unwrap() = Some(Vec::new());
    }

    /// From now on, jobs do not wait for the test any more.
    pub(crate) fn release(&self) {
        *self.held.lock().unwrap() = None;
    }

    /// How many jobs wait for the test.
    pub(crate) fn waiting(&self) -> usize {
        self.held.lock().unwrap().as_ref().map_or(0, Vec::len)
    }

    /// The oldest job that waits.
    pub(crate) fn next(&self) -> Option<Job> {
        let mut held = self.held.lock().unwrap();
        held.as_mut().filter(|jobs| !jobs.is_empty()).map(|jobs| jobs.remove(0))
    }

    /// Drops what waits, as a runtime does that is shut down.
    pub(crate) fn drop_all(&self) {
        let held = self.held.lock().unwrap().replace(Vec::new());
        drop(held);
    }
}

/// A job that is being done. The clock does not jump meanwhile.
struct AtWork(Arc<Mutex<(usize, Option<Waker>)>>);

impl AtWork {
    fn begin(counter: Arc<Mutex<(usize, Option<Waker>)>>) -> Self {
        counter.lock().unwrap().0 += 1;
        Self(counter)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let mut counter = self.0.lock().unwrap();
        counter.0 -= 1;
        if let Some(waker) = &counter.1 {
            waker.wake_by_ref();
        }
    }
}

impl Executor for Workers {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.tasks.lock().unwrap().push(future);
    }

    fn block(&self, job: Job) {
        if let Some(held) = &mut *self.held.lock().unwrap() {
            return held.push(job);
        }
        let at_work = AtWork::begin(self.at_work.clone());
        thread::spawn(move || {
            let _at_work = at_work;
            job();
        });
    }
}

impl Runtime for Workers {
    fn now(&self) -> Instant {
        self.clock.lock().unwrap().now
    }

    fn sleep(&self, time: Duration) -> BoxFuture<()> {
        let (clock, deadline) = (self.clock.clone(), self.now() + time);
        Box::pin(poll_fn(move |cx| {
            let mut clock = clock.lock().unwrap();
            if clock.now >= deadline {
                return Poll::Ready(());
            }
            clock.sleepers.push((deadline, cx.waker().clone()));
            Poll::Pending
        }))
    }

    fn random(&self) -> u32 {
        u32::MAX
    }

    fn is_asynchronous_here(&self) -> bool {
        false
    }

    fn interrupted(&self) -> BoxFuture<()> {
        Box::pin(std::future::pending())
    }

    fn computer(&self) -> Computer {
        Computer { language: "Rust".into(), os: "any".into() }
    }

    fn open(&self, _options: &ConnectOptions, endpoint: Arc<dyn Endpoint>) -> BoxFuture<Result<(), Error>> {
        let unreachable = *self.unreachable.lock().unwrap();
        if unreachable {
            return Box::pin(async { Err(Error::new(ErrorKind::Io, "no Manager is running")) });
        }
        self.opened.lock().unwrap().push(endpoint);
        Box::pin(async { Ok(()) })
    }
}
