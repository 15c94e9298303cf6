//! A Manager whose devices are wherever the C program has them.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use msl_network_protocol::hub::{Hub, Input, Output};
use msl_network_protocol::instant::Instant;
use msl_network_protocol::limits::Limits;
use msl_network_protocol::mailbox::ConnectionId;
use msl_network_protocol::settings::{Authentication, ManagerIdentity, Settings};

/// All that is held for devices, in bytes.
const MEMORY: usize = 64 * 1024;

/// Time is what the caller says it is: here it stands still.
const NOW: Instant = Instant::EPOCH;

/// Where every device is.
const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) struct Manager {
    hub: Hub,
    outputs: Vec<Output>,
}

impl Manager {
    pub(crate) fn new() -> Self {
        let identity = ManagerIdentity {
            hostname: "board".into(),
            port: 1875,
            language: "Rust, without std".into(),
            os: "none".into(),
        };
        let settings = Settings::new(identity, Authentication::None, Limits::for_memory(MEMORY));
        Self { hub: Hub::new(settings), outputs: Vec::new() }
    }

    /// A new device, with this port.
    pub(crate) fn connect(&mut self, port: u16) -> ConnectionId {
        let device = self.hub.connect(IP, port, NOW, &mut self.outputs);
        self.follow_up();
        device
    }

    /// The device has sent these bytes.
    pub(crate) fn hears(&mut self, device: ConnectionId, bytes: &[u8]) {
        self.hub.handle(device, Input::Received(Bytes::copy_from_slice(bytes)), NOW, &mut self.outputs);
        self.follow_up();
    }

    /// The next line for the device, or several that came together. It counts as held until the device has it; this device takes it at once.
    pub(crate) fn says(&mut self, device: ConnectionId) -> Option<Bytes> {
        let line = self.hub.next_lines(device)?.to_bytes();
        let written = Input::Written { bytes: line.len(), pending: 0 };
        self.hub.handle(device, written, NOW, &mut self.outputs);
        Some(line)
    }

    /// Answers what the hub asks for.
    fn follow_up(&mut self) {
        for output in core::mem::take(&mut self.outputs) {
            if let Output::Act(device, action) = output
                && let Some(answer) = action.plain_answer(IP)
            {
                self.hub.handle(device, Input::Told(answer), NOW, &mut self.outputs);
            }
        }
    }
}
