//! A Manager without sockets or waiting: devices read at once what they are sent, and every check is answered at once.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use msl_network_protocol::connection::{Action, Credentials, Flow, Verdict};
use msl_network_protocol::error::{Exception, Refusal};
use msl_network_protocol::frame::Frame;
use msl_network_protocol::hub::{Hub, Input, Output};
use msl_network_protocol::instant::Instant;
use msl_network_protocol::limits::Limits;
use msl_network_protocol::mailbox::{ConnectionId, Notice};
use msl_network_protocol::settings::{Authentication, ManagerIdentity, Settings};

/// Longer than whatever a connection may wait for.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);
/// More deadlines than this, one after the other: one that never passes.
const MOST_DEADLINES: usize = 1000;

/// Whether a device's credentials are right.
pub(crate) type Check = fn(&Credentials) -> bool;

/// A Manager and its devices.
pub(crate) struct Lab {
    pub(crate) hub: Hub,
    now: Instant,
    check: Check,
    /// Whether any device has shown the right credentials.
    pub(crate) accepted: bool,
    /// What each device has been sent and has not looked at.
    heard: BTreeMap<ConnectionId, Vec<Frame>>,
    next_port: u16,
}

impl Lab {
    pub(crate) fn new(authentication: Authentication, check: Check) -> Self {
        let identity =
            ManagerIdentity { hostname: "lab".into(), port: 1875, language: "Rust".into(), os: "any".into() };
        // Small, so that every limit on bytes is met soon.
        let limits = Limits { max_frame: 4096, max_handshake_frame: 1024, ..Limits::for_memory(64 * 1024) };
        Self {
            hub: Hub::new(Settings::new(identity, authentication, limits)),
            now: Instant::EPOCH,
            check,
            accepted: false,
            heard: BTreeMap::new(),
            next_port: 1,
        }
    }

    /// A device connects: the first one from port 1, and so on.
    pub(crate) fn connect(&mut self) -> ConnectionId {
        let mut outputs = Vec::new();
        let device = self.hub.connect(Ipv4Addr::LOCALHOST.into(), self.next_port, self.now, &mut outputs);
        self.next_port += 1;
        self.heard.insert(device, Vec::new());
        self.perform(outputs);
        device
    }

    /// A device connects, and says who it is: a JSON object.
    pub(crate) fn identified(&mut self, identity: &str) -> ConnectionId {
        let device = self.connect();
        self.send(device, format!("{{\"result\": {identity}}}\n").as_bytes());
        self.hear(device);
        device
    }

    /// What a device sends; nothing if the Manager does not want any more of it.
    pub(crate) fn send(&mut self, device: ConnectionId, bytes: &[u8]) {
        if self.hub.wants_input(device) {
            self.input(device, Input::Received(Bytes::copy_from_slice(bytes)));
        }
    }

    /// What a device has been sent since it was asked last.
    pub(crate) fn hear(&mut self, device: ConnectionId) -> Vec<Frame> {
        self.heard.get_mut(&device).map(std::mem::take).unwrap_or_default()
    }

    /// The device closes its side, and all time passes that its connection may take to end.
    pub(crate) fn close(&mut self, device: ConnectionId) {
        self.input(device, Input::EndOfInput);
        self.wait();
        assert!(self.hub.connection(device).is_none(), "a connection stays though its device has gone");
    }

    /// Every device leaves: nothing may be left of any.
    pub(crate) fn finish(mut self) {
        for device in self.hub.connections().collect::<Vec<_>>() {
            self.close(device);
        }
        assert_eq!(self.hub.held(), 0, "bytes are held for nobody");
        assert!(self.hub.broker().census().clients.is_empty(), "a client is listed that is not there");
        assert!(self.hub.broker().census().services.is_empty(), "a service is listed that is not there");
    }

    fn wait(&mut self) {
        let until = self.now + LONG;
        for _ in 0..MOST_DEADLINES {
            match self.hub.deadline() {
                Some((deadline, ..)) if deadline <= until => {
                    self.now = self.now.max(deadline);
                    let mut outputs = Vec::new();
                    self.hub.handle_timeout(self.now, &mut outputs);
                    self.perform(outputs);
                }
                _ => {
                    self.now = until;
                    return;
                }
            }
        }
        panic!("a deadline comes back for ever: {:?}", self.hub.deadline());
    }

    fn input(&mut self, device: ConnectionId, input: Input) {
        let mut outputs = Vec::new();
        self.hub.handle(device, input, self.now, &mut outputs);
        self.perform(outputs);
    }

    fn perform(&mut self, outputs: Vec<Output>) {
        let mut outputs = VecDeque::from(outputs);
        while let Some(output) = outputs.pop_front() {
            let mut more = Vec::new();
            match output {
                Output::Ready(device) => self.write(device, &mut more),
                Output::Act(device, action) => {
                    if let Some(notice) = self.answer(&action) {
                        self.hub.handle(device, Input::Told(notice), self.now, &mut more);
                    }
                }
            }
            outputs.extend(more);
        }
    }

    fn answer(&mut self, action: &Action) -> Option<Notice> {
        match action {
            Action::LookUpHost => Some(Notice::HostName("lab".into())),
            Action::Check(credentials) if (self.check)(credentials) => {
                self.accepted = true;
                Some(Notice::Checked(Verdict::Accepted { administrator: true }))
            }
            Action::Check(credentials) => Some(Notice::Checked(Verdict::Refused(credentials.refusal()))),
            Action::Administer { .. } => {
                let refusal = Refusal::new(Exception::Attribute, "this Manager keeps nothing");
                Some(Notice::Administered(Err(refusal)))
            }
            // The words of a note are for a log: making them must not fail.
            Action::Note(note) => {
                assert!(!note.to_string().contains('\n'), "a note is one line");
                None
            }
            Action::ShutDown => None,
        }
    }

    fn write(&mut self, device: ConnectionId, outputs: &mut Vec<Output>) {
        while let Some(lines) = self.hub.next_lines(device) {
            let lines = lines.to_bytes();
            let frames =
                lines.split_inclusive(|byte| *byte == b'\n').map(|line| read(&lines.slice_ref(line)));
            self.heard.entry(device).or_default().extend(frames);
            self.hub.handle(device, Input::Written { bytes: lines.len(), pending: 0 }, self.now, outputs);
        }
        if self.hub.flow(device) == Flow::Draining {
            self.hub.handle(device, Input::SendingClosed, self.now, outputs);
        }
        if self.hub.flow(device) == Flow::Ended {
            self.hub.remove(device, self.now, outputs);
        }
    }
}

/// Whatever a Manager says is lines with one frame each.
pub(crate) fn read(line: &Bytes) -> Frame {
    let shown = line.escape_ascii();
    let text = line.strip_suffix(b"\r\n").unwrap_or_else(|| panic!("no line end: {shown}"));
    assert!(!text.contains(&b'\n'), "more than one line: {shown}");
    Frame::parse(line.slice(..text.len())).unwrap_or_else(|error| panic!("{error}: {shown}"))
}
