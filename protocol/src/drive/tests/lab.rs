//! What the tests of this folder run on: an executor, a clock that jumps, and sockets in memory.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::BytesMut;
use serde_json::Value;

use crate::connection::Action;
use crate::drive::{Caller, Driver, Host, Manager, Wire, lock};
use crate::instant::Instant;
use crate::limits::Limits;
use crate::mailbox::Notice;
use crate::settings::Authentication;
use crate::testing::settings;

/// More polls than this without an end: tasks that wake themselves for ever.
const MOST_POLLS: usize = 10_000;

const IP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));

/// A Manager, the tasks of its connections, and the devices at the other ends.
pub(super) struct Lab {
    pub(super) manager: Arc<Manager>,
    acts: Acts,
    tasks: Vec<Task>,
    devices: Vec<Rc<RefCell<Socket>>>,
    clock: Rc<Cell<Instant>>,
    yielded: Yielded,
}

/// Who lets all others go first that have something to do.
type Yielded = Rc<RefCell<Vec<Waker>>>;

/// What was asked of the program, or noted, and by whom.
type Acts = Arc<Mutex<Vec<(String, Action)>>>;

struct Task {
    /// `None` when it has ended.
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    woken: Arc<Woken>,
    polls: usize,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Finds all host names at once and remembers the rest.
struct Program(Acts);

impl Host for Program {
    fn act(&self, caller: Caller<'_>, action: Action) {
        match action {
            Action::LookUpHost => caller.mailbox.tell(Notice::HostName("lab".into())),
            action => lock(&self.0).push((caller.to_string(), action)),
        }
    }
}

/// A socket, seen from both sides.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the socket")]
#[derive(Default)]
pub(super) struct Socket {
    to_manager: VecDeque<u8>,
    /// The device has closed its sending side; the Manager has read that.
    device_closed: bool,
    pub(super) end_was_read: bool,
    /// Taken by the socket, not flushed yet (as in TLS).
    kept: Vec<u8>,
    to_device: Vec<u8>,
    /// How much more the socket takes; `None`: anything.
    pub(super) room: Option<usize>,
    /// Flushing gets nowhere.
    pub(super) stuck: bool,
    /// The Manager has closed its sending side.
    pub(super) manager_closed: bool,
    failed: bool,
    /// Only writing fails: the device is not there any more, what it said before is.
    pub(super) refuses_bytes: bool,
    /// Reading fails, too, once all that the device said is read.
    pub(super) resets_at_the_end: bool,
    /// How much one read gives at most, where that is less than there is.
    pub(super) most_per_read: Option<usize>,
    /// Where bytes were read to.
    pub(super) read_to: BTreeSet<*const u8>,
    read_in_this_turn: usize,
    pub(super) most_read_in_a_turn: usize,
    /// What the longest write was of, whether it was taken or not.
    pub(super) longest_write: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
    timer: Option<(Instant, Waker)>,
}

impl Socket {
    fn deliver(&mut self) {
        if !self.stuck {
            let kept = std::mem::take(&mut self.kept);
            self.to_device.extend(kept);
        }
    }

    fn wake_all(&mut self) {
        self.reader.take().into_iter().chain(self.writer.take()).for_each(Waker::wake);
    }
}

/// The Manager's end of a socket.
struct InMemory {
    socket: Rc<RefCell<Socket>>,
    clock: Rc<Cell<Instant>>,
    yielded: Yielded,
}

impl InMemory {
    fn socket(&self) -> io::Result<std::cell::RefMut<'_, Socket>> {
        let socket = self.socket.borrow_mut();
        if socket.failed { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(socket) }
    }
}

impl Wire for InMemory {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        let mut socket = self.socket()?;
        let most = socket.most_per_read.unwrap_or(usize::MAX);
        let room = (buffer.capacity() - buffer.len()).min(socket.to_manager.len()).min(most);
        if room > 0 {
            socket.read_to.insert(buffer.as_ptr());
            let bytes: Vec<u8> = socket.to_manager.drain(..room).collect();
            buffer.extend_from_slice(&bytes);
            socket.read_in_this_turn += room;
            socket.most_read_in_a_turn = socket.most_read_in_a_turn.max(socket.read_in_this_turn);
            return Poll::Ready(Ok(room));
        }
        if socket.resets_at_the_end {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if socket.device_closed {
            socket.end_was_read = true;
            return Poll::Ready(Ok(0));
        }
        socket.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut socket = self.socket()?;
        assert!(!socket.manager_closed, "nothing is written behind the end");
        if socket.refuses_bytes {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        socket.longest_write = socket.longest_write.max(bytes.len());
        let taken = socket.room.unwrap_or(usize::MAX).min(bytes.len());
        if taken == 0 {
            // Like TLS, it sends what it keeps before it says that it is full.
            socket.deliver();
            socket.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        socket.kept.extend_from_slice(&bytes[..taken]);
        socket.room = socket.room.map(|room| room - taken);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut socket = self.socket()?;
        if socket.stuck && !socket.kept.is_empty() {
            socket.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        socket.deliver();
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_flush(cx))?;
        self.socket()?.manager_closed = true;
        Poll::Ready(Ok(()))
    }

    fn now(&self) -> Instant {
        self.clock.get()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        let mut socket = self.socket.borrow_mut();
        socket.timer = None;
        match deadline {
            Some(deadline) if deadline <= self.clock.get() => Poll::Ready(()),
            Some(deadline) => {
                socket.timer = Some((deadline, cx.waker().clone()));
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }

    fn yield_now(&mut self, cx: &mut Context<'_>) {
        self.yielded.borrow_mut().push(cx.waker().clone());
    }
}

/// One device, or its task, by number.
pub(super) type Device = usize;

impl Lab {
    pub(super) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(super) fn with(limits: Limits) -> Self {
        let acts = Acts::default();
        let manager = Manager::new(settings(Authentication::None, limits), Box::new(Program(acts.clone())));
        Self {
            manager,
            acts,
            tasks: Vec::new(),
            devices: Vec::new(),
            clock: Rc::default(),
            yielded: Rc::default(),
        }
    }

    /// A device connects; its task takes a ticket and runs a driver, as a runtime's would. Its port is its number.
    pub(super) fn connect(&mut self) -> Device {
        self.connect_from(IP)
    }

    pub(super) fn connect_from(&mut self, ip: IpAddr) -> Device {
        let device = self.devices.len();
        let socket = Rc::new(RefCell::new(Socket::default()));
        self.devices.push(socket.clone());
        let wire = InMemory { socket, clock: self.clock.clone(), yielded: self.yielded.clone() };
        let manager = self.manager.clone();
        self.spawn(async move {
            let mut ticket = manager.admission().ticket().await;
            if ticket.begin_handshake(ip).await {
                Driver::new(&manager, ticket, wire, ip, u16::try_from(device).unwrap()).await;
            }
        });
        device
    }

    pub(super) fn spawn(&mut self, future: impl Future<Output = ()> + 'static) -> usize {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        self.tasks.push(Task { future: Some(Box::pin(future)), woken, polls: 0 });
        self.run();
        self.tasks.len() - 1
    }

    pub(super) fn client(&mut self, name: &str) -> Device {
        self.identified(&format!(r#"{{"result": {{"type": "client", "name": "{name}"}}}}"#))
    }

    pub(super) fn service(&mut self, name: &str) -> Device {
        self.identified(&format!(
            r#"{{"result": {{"type": "service", "name": "{name}", "attributes": {{}}}}}}"#
        ))
    }

    fn identified(&mut self, identity: &str) -> Device {
        let device = self.connect();
        self.say(device, identity);
        let heard = self.hear(device);
        assert_eq!((heard.len(), &heard[0]["attribute"]), (1, &"identity".into()));
        device
    }

    pub(super) fn say(&mut self, device: Device, line: &str) {
        self.begin(device, &format!("{line}\r\n"));
    }

    /// The device sends the beginning of a line.
    pub(super) fn begin(&mut self, device: Device, text: &str) {
        self.send(device, text);
        self.run();
    }

    /// Bytes of the device reach the Manager's computer; what becomes of them is seen when the tasks run.
    pub(super) fn send(&self, device: Device, text: &str) {
        let mut socket = self.socket(device);
        socket.to_manager.extend(text.bytes());
        socket.reader.take().into_iter().for_each(Waker::wake);
    }

    /// The bytes that have reached the device since it was asked last.
    pub(super) fn hear_bytes(&mut self, device: Device) -> Vec<u8> {
        std::mem::take(&mut self.socket(device).to_device)
    }

    /// The same as messages.
    pub(super) fn hear(&mut self, device: Device) -> Vec<Value> {
        let heard = self.hear_bytes(device);
        let text = std::str::from_utf8(&heard).unwrap();
        text.split_terminator("\r\n").map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The uids of these messages.
    pub(super) fn hear_uids(&mut self, device: Device) -> Vec<Value> {
        self.hear(device).into_iter().map(|mut message| message["uid"].take()).collect()
    }

    /// From now on the device's socket takes so many bytes, and then no more.
    pub(super) fn give_room(&mut self, device: Device, room: Option<usize>) {
        {
            let mut socket = self.socket(device);
            socket.room = room;
            socket.writer.take().into_iter().for_each(Waker::wake);
        }
        self.run();
    }

    /// The device closes its sending side.
    pub(super) fn end(&mut self, device: Device) {
        {
            let mut socket = self.socket(device);
            socket.device_closed = true;
            socket.wake_all();
        }
        self.run();
    }

    /// The socket fails.
    pub(super) fn lose(&mut self, device: Device) {
        {
            let mut socket = self.socket(device);
            socket.failed = true;
            socket.wake_all();
        }
        self.run();
    }

    /// The task is dropped before its end, as by a runtime that shuts down.
    pub(super) fn drop_task(&mut self, task: usize) {
        self.tasks[task].future = None;
        self.run();
    }

    pub(super) fn has_ended(&self, task: usize) -> bool {
        self.tasks[task].future.is_none()
    }

    pub(super) fn polls(&self, task: usize) -> usize {
        self.tasks[task].polls
    }

    pub(super) fn acts(&self) -> Vec<(String, Action)> {
        std::mem::take(&mut lock(&self.acts))
    }

    pub(super) fn socket(&self, device: Device) -> std::cell::RefMut<'_, Socket> {
        self.devices[device].borrow_mut()
    }

    /// Time passes; every timer on the way goes off.
    pub(super) fn wait(&mut self, duration: Duration) {
        let until = self.clock.get() + duration;
        loop {
            let timers =
                self.devices.iter().filter_map(|socket| socket.borrow().timer.as_ref().map(|timer| timer.0));
            let Some(next) = timers.min().filter(|next| *next <= until) else { break };
            self.clock.set(next);
            for socket in &self.devices {
                let mut socket = socket.borrow_mut();
                if socket.timer.as_ref().is_some_and(|(deadline, _)| *deadline <= next)
                    && let Some((_, waker)) = socket.timer.take()
                {
                    waker.wake();
                }
            }
            self.run();
        }
        self.clock.set(until);
    }

    /// Polls the tasks that were woken, until there is none.
    pub(super) fn run(&mut self) {
        for _ in 0..MOST_POLLS {
            if !self.run_one() {
                return;
            }
        }
        panic!("the tasks do not come to rest");
    }

    /// Polls one of the tasks that were woken, if there is one.
    pub(super) fn run_one(&mut self) -> bool {
        let is_woken = |(_, task): &(usize, &mut Task)| {
            task.future.is_some() && task.woken.0.swap(false, Ordering::SeqCst)
        };
        let Some((number, task)) = self.tasks.iter_mut().enumerate().find(is_woken) else {
            let yielded = self.yielded.take();
            return yielded.into_iter().map(Waker::wake).count() > 0;
        };
        if let Some(socket) = self.devices.get(number) {
            socket.borrow_mut().read_in_this_turn = 0;
        }
        task.polls += 1;
        let waker = Waker::from(task.woken.clone());
        let future = task.future.as_mut().map(Pin::as_mut);
        if future.is_some_and(|future| future.poll(&mut Context::from_waker(&waker)).is_ready()) {
            task.future = None;
        }
        true
    }

    /// Nobody is left, and nothing of anybody.
    pub(super) fn assert_empty(&self) {
        assert_eq!(self.manager.admission().connections(), 0);
        assert_eq!(self.manager.budget.held(), 0);
        assert!(lock(&self.manager.connections).is_empty());
        assert!(lock(&self.manager.shortage).incomplete.is_empty());
        let census = self.manager.broker(|broker| broker.census());
        assert!(census.clients.is_empty() && census.services.is_empty());
    }
}
