//! A Manager and its devices in memory that allocate nothing while messages are forwarded, and count what the Manager asks of
//! its sockets. For the tests of what forwarding costs.

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::{AddAssign, Range};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::BytesMut;
use msl_network_protocol::connection::Action;
use msl_network_protocol::drive::{Caller, Driver, Host, Manager, Wire};
use msl_network_protocol::instant::Instant;
use msl_network_protocol::limits::Limits;
use msl_network_protocol::mailbox::Notice;
use msl_network_protocol::settings::{Authentication, ManagerIdentity, Settings};

const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// More than any test sends at once.
const ROOM: usize = 1024 * 1024;

/// What the Manager has asked of sockets: each would be a call of the system.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Calls {
    /// Reads, those included that found nothing.
    pub(crate) reads: usize,
    /// Writes.
    pub(crate) writes: usize,
    /// How many bytes were written from elsewhere than where they were read to: they were copied, or are new.
    pub(crate) copied: usize,
}

impl AddAssign for Calls {
    fn add_assign(&mut self, other: Self) {
        self.reads += other.reads;
        self.writes += other.writes;
        self.copied += other.copied;
    }
}

/// One device, by number.
pub(crate) type Device = usize;

/// A Manager with devices.
pub(crate) struct Laboratory {
    manager: Arc<Manager>,
    tasks: Vec<Task>,
    sockets: Vec<Rc<RefCell<Socket>>>,
    /// Where bytes of this turn were read to, by anybody.
    read_to: ReadTo,
}

type ReadTo = Rc<RefCell<Vec<Range<usize>>>>;

struct Task {
    driver: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Woken>,
    waker: Waker,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A host that finds the name of every computer at once.
struct Names;

impl Host for Names {
    fn act(&self, caller: Caller<'_>, action: Action) {
        if matches!(action, Action::LookUpHost) {
            caller.mailbox.tell(Notice::HostName("lab".into()));
        }
    }
}

/// A socket, seen from both sides.
struct Socket {
    to_manager: Vec<u8>,
    /// How much of it was read.
    read: usize,
    to_device: Vec<u8>,
    calls: Calls,
    reader: Option<Waker>,
}

/// The Manager's end of it.
struct End {
    socket: Rc<RefCell<Socket>>,
    read_to: ReadTo,
}

impl Wire for End {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        let mut socket = self.socket.borrow_mut();
        socket.calls.reads += 1;
        let room = buffer.capacity() - buffer.len();
        let read = room.min(socket.to_manager.len() - socket.read);
        if read == 0 {
            socket.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let begin = buffer.as_ptr().addr() + buffer.len();
        buffer.extend_from_slice(&socket.to_manager[socket.read..socket.read + read]);
        self.read_to.borrow_mut().push(begin..begin + read);
        socket.read += read;
        Poll::Ready(Ok(read))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut socket = self.socket.borrow_mut();
        socket.calls.writes += 1;
        let mut written = 0;
        for slice in slices {
            let place = slice.as_ptr().addr();
            let is_there = self.read_to.borrow().iter().any(|range| range.contains(&place));
            socket.calls.copied += if is_there { 0 } else { slice.len() };
            socket.to_device.extend_from_slice(slice);
            written += slice.len();
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn now(&self) -> Instant {
        Instant::EPOCH
    }

    fn poll_until(&mut self, _: &mut Context<'_>, _: Option<Instant>) -> Poll<()> {
        // Time stands still.
        Poll::Pending
    }
}

impl Laboratory {
    /// A Manager that lets everybody in.
    pub(crate) fn new() -> Self {
        let identity =
            ManagerIdentity { hostname: "lab".into(), port: 1875, language: "Rust".into(), os: "any".into() };
        let settings = Settings::new(identity, Authentication::None, Limits::default());
        Self {
            manager: Manager::new(settings, Box::new(Names)),
            tasks: Vec::new(),
            sockets: Vec::new(),
            read_to: Rc::new(RefCell::new(Vec::with_capacity(1024))),
        }
    }

    /// A service of that name.
    pub(crate) fn service(&mut self, name: &str) -> Device {
        self.connect(&format!(r#"{{"result": {{"type": "service", "name": "{name}", "attributes": {{}}}}}}"#))
    }

    /// A client that is linked with that service. Its network name is `Client[lab:N]`, where N is its number.
    pub(crate) fn client(&mut self, service: &str) -> Device {
        let client = self.connect(r#"{"result": {"type": "client", "name": "Client"}}"#);
        self.say(
            client,
            &format!(
                r#"{{"service": "Manager", "attribute": "link", "args": ["{service}"], "kwargs": {{}}, "uid": "link", "error": false}}"#
            ),
        );
        assert!(self.heard(client).contains(r#""error": false"#), "{}", self.heard(client));
        self.forget();
        client
    }

    fn connect(&mut self, identity: &str) -> Device {
        let device = self.sockets.len();
        let socket = Rc::new(RefCell::new(Socket {
            to_manager: Vec::with_capacity(ROOM),
            read: 0,
            to_device: Vec::with_capacity(ROOM),
            calls: Calls::default(),
            reader: None,
        }));
        self.sockets.push(socket.clone());
        let wire = End { socket, read_to: self.read_to.clone() };
        let manager = self.manager.clone();
        let port = u16::try_from(device).unwrap();
        let driver = async move {
            let mut ticket = manager.admission().ticket().await;
            assert!(ticket.begin_handshake(IP).await, "there is room for everybody");
            Driver::new(&manager, ticket, wire, IP, port).await;
        };
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = woken.clone().into();
        self.tasks.push(Task { driver: Box::pin(driver), woken, waker });
        self.run();
        self.say(device, identity);
        assert!(self.heard(device).contains("identity"), "{}", self.heard(device));
        self.forget();
        device
    }

    /// The device sends a line, and the Manager does what there is to do.
    pub(crate) fn say(&mut self, device: Device, line: &str) {
        {
            let mut socket = self.sockets[device].borrow_mut();
            socket.to_manager.extend_from_slice(line.as_bytes());
            socket.to_manager.extend_from_slice(b"\r\n");
            if let Some(waker) = socket.reader.take() {
                waker.wake();
            }
        }
        self.run();
    }

    /// What has come to the device since [`Self::forget`].
    pub(crate) fn heard(&self, device: Device) -> String {
        String::from_utf8(self.sockets[device].borrow().to_device.clone()).unwrap()
    }

    /// How many bytes have come to the device since.
    pub(crate) fn heard_bytes(&self, device: Device) -> usize {
        self.sockets[device].borrow().to_device.len()
    }

    /// What the Manager has asked of all sockets since.
    pub(crate) fn calls(&self) -> Calls {
        let mut calls = Calls::default();
        for socket in &self.sockets {
            calls += socket.borrow().calls;
        }
        calls
    }

    /// Forgets what was said and counted; the memory for it stays.
    pub(crate) fn forget(&mut self) {
        self.read_to.borrow_mut().clear();
        for socket in &self.sockets {
            let mut socket = socket.borrow_mut();
            assert_eq!(socket.read, socket.to_manager.len(), "all was read");
            socket.to_manager.clear();
            socket.read = 0;
            socket.to_device.clear();
            socket.calls = Calls::default();
        }
    }

    /// Polls whoever was woken, until nobody is.
    fn run(&mut self) {
        let mut goes_on = true;
        while goes_on {
            goes_on = false;
            for task in &mut self.tasks {
                if task.woken.0.swap(false, Ordering::Relaxed) {
                    goes_on = true;
                    let poll = task.driver.as_mut().poll(&mut Context::from_waker(&task.waker));
                    assert!(poll.is_pending(), "no connection has ended");
                }
            }
        }
    }
}

/// A request of a client; `payload` is JSON.
pub(crate) fn request(uid: &str, payload: &str) -> String {
    format!(
        r#"{{"service": "Echo", "attribute": "echo", "args": [{payload}], "kwargs": {{}}, "uid": "{uid}", "error": false}}"#
    )
}

/// The reply to it; `payload` is JSON.
pub(crate) fn reply(client: Device, uid: &str, payload: &str) -> String {
    format!(r#"{{"result": {payload}, "requester": "Client[lab:{client}]", "uid": "{uid}", "error": false}}"#)
}

/// A notification; `payload` is JSON.
pub(crate) fn notification(payload: &str) -> String {
    format!(r#"{{"result": [[{payload}], {{}}], "service": "Echo", "uid": "notification", "error": false}}"#)
}
