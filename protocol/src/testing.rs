//! A small world for tests: a [`Hub`], the sockets of its devices, and a clock that jumps.
//!
//! The sockets are honest: bytes wait in them while the hub does not want any, a device that does not read takes none, and
//! the end of a connection has its order. Whatever the hub emits is checked to be one valid line.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::mem;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::connection::{Action, Ending, Flow, Note, Why};
use crate::frame::Frame;
use crate::hub::{Hub, Input, Output};
use crate::instant::Instant;
use crate::limits::Limits;
use crate::mailbox::{ConnectionId, Notice};
use crate::settings::ManagerIdentity;
use crate::settings::{Authentication, Settings};

/// The Manager's network name.
pub(crate) const MANAGER: &str = "Manager[lab:1875]";

const IP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));

/// More deadlines than this within one wait: a deadline that never passes.
const MOST_DEADLINES: usize = 10_000;

/// The settings of a Manager on the computer `lab`.
pub(crate) fn settings(authentication: Authentication, limits: Limits) -> Settings {
    let identity =
        ManagerIdentity { hostname: "lab".into(), port: 1875, language: "Rust".into(), os: "any".into() };
    Settings::new(identity, authentication, limits)
}

/// A request of a client, without arguments. `uid` is JSON.
pub(crate) fn request(service: &str, attribute: &str, uid: &str) -> String {
    format!(
        r#"{{"service": "{service}", "attribute": "{attribute}", "args": [], "kwargs": {{}}, "uid": {uid}, "error": false}}"#
    )
}

/// A request of a client to the Manager, about a service. `uid` is JSON.
pub(crate) fn ask(attribute: &str, service: &str, uid: &str) -> String {
    format!(r#"{{"service": "Manager", "attribute": "{attribute}", "args": ["{service}"], "uid": {uid}}}"#)
}

/// A service's reply. `uid` and `result` are JSON.
pub(crate) fn reply(requester: &str, uid: &str, result: &str) -> String {
    format!(r#"{{"result": {result}, "requester": "{requester}", "uid": {uid}, "error": false}}"#)
}

/// A notification of a service, with this argument.
pub(crate) fn notification(service: &str, argument: &str) -> String {
    format!(
        r#"{{"result": [["{argument}"], {{}}], "service": "{service}", "uid": "notification", "error": false}}"#
    )
}

/// The error reply that a device gets.
pub(crate) fn error(requester: &str, message: &str, uid: impl Into<Value>) -> Value {
    json!({
        "error": true, "message": message, "requester": requester, "result": null, "traceback": [],
        "uid": uid.into(),
    })
}

/// The text of an error that says that a service has left.
pub(crate) fn left(service: &str) -> String {
    format!("ConnectionError: the '{service}' service has left before it answered")
}

/// By how much [`just_before`] is too early.
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A second less than that long.
pub(crate) fn just_before(due: Duration) -> Duration {
    due.saturating_sub(SECOND)
}

/// What asks a service, or a client, to be disconnected.
pub(crate) const DISCONNECT: &str = r#"{"attribute": "__disconnect__", "service": "self"}"#;

/// A Manager with its devices.
pub(crate) struct World {
    pub(crate) hub: Hub,
    pub(crate) now: Instant,
    /// Whether the host names of new devices are found.
    pub(crate) names: bool,
    sockets: BTreeMap<ConnectionId, Socket>,
    acts: Vec<(ConnectionId, Action)>,
    outputs: Vec<Output>,
}

/// One socket: what is between a device and the hub.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the socket")]
#[derive(Default)]
struct Socket {
    /// Sent by the device, not yet read by the hub.
    inbox: VecDeque<Bytes>,
    /// Whether the device has closed its sending side, and whether the hub has heard of it.
    ended: bool,
    end_told: bool,
    /// What the device has read.
    heard: Vec<u8>,
    /// Whether the device takes nothing; the line that waits for it then.
    stopped: bool,
    pending: Bytes,
    /// Whether the hub has closed its sending side.
    closed: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        Self::authenticating(Authentication::None, limits)
    }

    pub(crate) fn authenticating(authentication: Authentication, limits: Limits) -> Self {
        Self {
            hub: Hub::new(settings(authentication, limits)),
            now: Instant::EPOCH,
            names: true,
            sockets: BTreeMap::new(),
            acts: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// A new connection. Its port is its number: 1 for the first one.
    pub(crate) fn connect(&mut self) -> ConnectionId {
        let port = u16::try_from(self.sockets.len() + 1).unwrap();
        self.connect_from(port)
    }

    pub(crate) fn connect_from(&mut self, port: u16) -> ConnectionId {
        let device = self.hub.connect(IP, port, self.now, &mut self.outputs);
        self.sockets.insert(device, Socket::default());
        self.settle();
        device
    }

    /// A client that is past its handshake.
    pub(crate) fn client(&mut self, name: &str) -> ConnectionId {
        self.identified(&format!(r#"{{"type": "client", "name": "{name}"}}"#))
    }

    /// A service that is past its handshake.
    pub(crate) fn service(&mut self, name: &str) -> ConnectionId {
        self.identified(&format!(r#"{{"type": "service", "name": "{name}", "attributes": {{}}}}"#))
    }

    fn identified(&mut self, identity: &str) -> ConnectionId {
        let device = self.connect();
        self.say(device, &format!(r#"{{"result": {identity}}}"#));
        self.hear(device);
        self.acts(device);
        assert!(self.hub.connection(device).unwrap().name().is_some(), "{identity}");
        device
    }

    /// A client that is linked with a service.
    pub(crate) fn linked(&mut self, name: &str, service: &str) -> ConnectionId {
        let client = self.client(name);
        self.say(client, &ask("link", service, "0"));
        assert_eq!(self.hear(client)[0]["error"], false);
        self.acts(client);
        client
    }

    /// The device sends a line.
    pub(crate) fn say(&mut self, device: ConnectionId, line: &str) {
        self.send(device, format!("{line}\r\n").into_bytes());
    }

    /// The device sends bytes.
    pub(crate) fn send(&mut self, device: ConnectionId, bytes: impl Into<Bytes>) {
        self.socket(device).inbox.push_back(bytes.into());
        self.settle();
    }

    /// The bytes that the device has read since it was asked last.
    pub(crate) fn hear_bytes(&mut self, device: ConnectionId) -> Vec<u8> {
        mem::take(&mut self.socket(device).heard)
    }

    /// The same as lines.
    pub(crate) fn hear_text(&mut self, device: ConnectionId) -> Vec<String> {
        String::from_utf8(self.hear_bytes(device))
            .unwrap()
            .split_terminator("\r\n")
            .map(ToString::to_string)
            .collect()
    }

    /// The same as values.
    pub(crate) fn hear(&mut self, device: ConnectionId) -> Vec<Value> {
        self.hear_text(device).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The uids of what the device has read.
    pub(crate) fn hear_uids(&mut self, device: ConnectionId) -> Vec<Value> {
        self.hear(device).into_iter().map(|mut message| message["uid"].take()).collect()
    }

    /// The messages of the errors that the device has read, with their uids.
    pub(crate) fn hear_errors(&mut self, device: ConnectionId) -> Vec<(String, Value)> {
        let errors = self.hear(device).into_iter().map(|mut error| {
            assert_eq!(error["error"], true, "{error}");
            (error["message"].as_str().unwrap().to_string(), error["uid"].take())
        });
        errors.collect()
    }

    /// The device closes its sending side.
    pub(crate) fn end(&mut self, device: ConnectionId) {
        self.socket(device).ended = true;
        self.settle();
    }

    /// The device's socket fails.
    pub(crate) fn lose(&mut self, device: ConnectionId) {
        self.handle(device, Input::Lost);
        self.settle();
    }

    /// The device takes nothing from now on.
    pub(crate) fn stop_reading(&mut self, device: ConnectionId) {
        self.socket(device).stopped = true;
    }

    /// The device takes all there is.
    pub(crate) fn read_again(&mut self, device: ConnectionId) {
        let socket = self.socket(device);
        socket.stopped = false;
        let pending = mem::take(&mut socket.pending);
        socket.heard.extend_from_slice(&pending);
        self.handle(device, Input::Written { bytes: pending.len(), pending: 0 });
        self.settle();
    }

    /// An answer to something that the Manager has asked the world for.
    pub(crate) fn tell(&mut self, device: ConnectionId, notice: Notice) {
        self.handle(device, Input::Told(notice));
        self.settle();
    }

    pub(crate) fn shut_down(&mut self) {
        self.hub.shut_down(self.now, &mut self.outputs);
        self.settle();
    }

    /// Time passes; every deadline on the way is kept.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let until = self.now + duration;
        for _ in 0..MOST_DEADLINES {
            match self.hub.deadline() {
                Some((deadline, ..)) if deadline <= until => {
                    self.now = self.now.max(deadline);
                    self.hub.handle_timeout(self.now, &mut self.outputs);
                    self.settle();
                }
                _ => {
                    self.now = until;
                    return;
                }
            }
        }
        panic!("a deadline comes back for ever: {:?}", self.hub.deadline());
    }

    /// The clock jumps: whatever was due on the way happens only now, and at once.
    pub(crate) fn jump(&mut self, duration: Duration) {
        self.now = self.now + duration;
        self.hub.handle_timeout(self.now, &mut self.outputs);
        self.settle();
    }

    /// Time passes until the next deadline: how long that took, and why.
    pub(crate) fn wait_for_deadline(&mut self) -> (Duration, Why) {
        let (deadline, _, why) = self.hub.deadline().expect("there is a deadline");
        let waited = deadline - self.now;
        self.wait(waited);
        (waited, why)
    }

    /// What the Manager has asked the world for because of this device, and noted about it, since it was asked last.
    pub(crate) fn acts(&mut self, device: ConnectionId) -> Vec<Action> {
        let (its, others) = mem::take(&mut self.acts).into_iter().partition(|(id, _)| *id == device);
        self.acts = others;
        let its: Vec<(ConnectionId, Action)> = its;
        its.into_iter().map(|(_, action)| action).collect()
    }

    /// Whether there is such a note about the device; forgets the others.
    pub(crate) fn noted(&mut self, device: ConnectionId, which: impl Fn(&Note) -> bool) -> bool {
        self.acts(device).iter().any(|action| matches!(action, Action::Note(note) if which(note)))
    }

    /// How the device's connection ended, as it was noted.
    pub(crate) fn ending(&mut self, device: ConnectionId) -> Option<Ending> {
        self.acts(device).into_iter().find_map(|action| match action {
            Action::Note(Note::Ending(ending)) => Some(ending),
            _ => None,
        })
    }

    /// Whether the hub has nothing more to say to the device, and has closed its side.
    pub(crate) fn is_closed(&self, device: ConnectionId) -> bool {
        self.sockets[&device].closed || self.is_gone(device)
    }

    /// Whether the connection has ended.
    pub(crate) fn is_gone(&self, device: ConnectionId) -> bool {
        self.hub.connection(device).is_none()
    }

    /// What the device has sent and the hub has not read.
    pub(crate) fn unread(&self, device: ConnectionId) -> usize {
        self.sockets[&device].inbox.iter().map(Bytes::len).sum()
    }

    /// Nobody is left, and nothing of anybody.
    pub(crate) fn assert_empty(&self) {
        assert_eq!(self.hub.connections().count(), 0);
        assert_eq!(self.hub.held(), 0);
        assert_eq!(self.hub.deadline(), None);
    }

    fn socket(&mut self, device: ConnectionId) -> &mut Socket {
        self.sockets.get_mut(&device).unwrap()
    }

    fn handle(&mut self, device: ConnectionId, input: Input) {
        self.hub.handle(device, input, self.now, &mut self.outputs);
    }

    /// Moves bytes until nothing moves any more.
    fn settle(&mut self) {
        loop {
            let mut moved = self.look_up_hosts();
            for device in self.hub.connections().collect::<Vec<_>>() {
                moved |= self.write(device) || self.read(device);
            }
            if !moved {
                return;
            }
        }
    }

    fn look_up_hosts(&mut self) -> bool {
        let mut moved = false;
        for output in mem::take(&mut self.outputs) {
            match output {
                Output::Act(device, Action::LookUpHost) if self.names => {
                    self.handle(device, Input::Told(Notice::HostName("lab".into())));
                    moved = true;
                }
                Output::Act(device, action) => self.acts.push((device, action)),
                Output::Ready(_) => {}
            }
        }
        moved
    }

    fn write(&mut self, device: ConnectionId) -> bool {
        let Some(socket) = self.sockets.get_mut(&device) else { return false };
        if socket.pending.is_empty() {
            if let Some(lines) = self.hub.next_lines(device) {
                let lines = lines.to_bytes();
                assert_are_lines(&lines);
                let taken = if socket.stopped { 0 } else { lines.len() };
                socket.heard.extend_from_slice(&lines[..taken]);
                socket.pending = lines.slice(taken..);
                let pending = socket.pending.len();
                self.handle(device, Input::Written { bytes: taken, pending });
                return true;
            }
            if self.hub.flow(device) == Flow::Draining {
                socket.closed = true;
                self.handle(device, Input::SendingClosed);
                return true;
            }
        }
        if self.hub.flow(device) == Flow::Ended {
            self.hub.remove(device, self.now, &mut self.outputs);
            return true;
        }
        false
    }

    fn read(&mut self, device: ConnectionId) -> bool {
        if !self.hub.wants_input(device) {
            return false;
        }
        let Some(socket) = self.sockets.get_mut(&device) else { return false };
        if let Some(bytes) = socket.inbox.pop_front() {
            self.handle(device, Input::Received(bytes));
            return true;
        }
        if socket.ended && !mem::replace(&mut socket.end_told, true) {
            self.handle(device, Input::EndOfInput);
            return true;
        }
        false
    }
}

fn assert_are_lines(lines: &Bytes) {
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let shown = String::from_utf8_lossy(line);
        let text = line.strip_suffix(b"\r\n").unwrap_or_else(|| panic!("no line end: {shown}"));
        assert!(Frame::parse(lines.slice_ref(text)).is_ok(), "not valid: {shown}");
    }
}
