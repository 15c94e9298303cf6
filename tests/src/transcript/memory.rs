//! A network without sockets: the Manager is a [`Hub`], and its clock is moved by hand.
//!
//! Every device reads at once what it is sent, so quiet means that nothing is left to be written. A device that the Manager
//! ends closes its own side when the transcript says so, or at the end of the play.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use msl_network_protocol::connection::Flow;
use msl_network_protocol::hub::{Hub, Input, Output};
use msl_network_protocol::instant::Instant;
use msl_network_protocol::limits::Limits;
use msl_network_protocol::mailbox::ConnectionId;
use msl_network_protocol::settings::ManagerIdentity;
use msl_network_protocol::settings::{Authentication, Settings};

use super::{Network, Transcript};
use crate::accounts::Accounts;

/// The computer that the Manager and all devices are on.
const HOST: &str = "lab";
const PORT: u16 = 1875;
/// The first device's port; the others' follow.
const FIRST_DEVICE: u16 = 50_000;
/// How much time passes with each piece that a device sends.
const TICK: Duration = Duration::from_millis(1);

/// Connections to a hub, by the names that a transcript gives them.
#[derive(Debug)]
pub struct HubNetwork {
    hub: Hub,
    now: Instant,
    accounts: Accounts,
    devices: BTreeMap<String, Device>,
    connected: u16,
}

#[derive(Debug)]
struct Device {
    id: ConnectionId,
    received: Vec<u8>,
    /// Whether the Manager has closed its sending side.
    ended: bool,
}

impl HubNetwork {
    /// For the play of `transcript`, with a Manager that has its flags.
    pub fn new(transcript: &Transcript) -> Self {
        let password = transcript.password().map(str::to_owned);
        let authentication = match &password {
            Some(_) => Authentication::ManagerPassword,
            None if transcript.needs_login() => Authentication::Login,
            None => Authentication::None,
        };
        let identity =
            ManagerIdentity { hostname: HOST.into(), port: PORT, language: "Rust".into(), os: "any".into() };
        Self {
            hub: Hub::new(Settings::new(identity, authentication, Limits::default())),
            now: Instant::EPOCH,
            accounts: Accounts { password, host: Some(HOST.to_owned()) },
            devices: BTreeMap::new(),
            connected: 0,
        }
    }

    /// Closes what is still open, and checks that the Manager then keeps nothing: no connection, and not a byte.
    pub fn finish(mut self) {
        while let Some((connection, _)) = self.devices.first_key_value() {
            self.close(&connection.clone());
        }
        assert_eq!(self.hub.connections().count(), 0, "a connection stays though its device has gone");
        assert_eq!(self.hub.held(), 0, "bytes are held for nobody");
    }

    fn device(&mut self, connection: &str) -> &mut Device {
        self.devices.get_mut(connection).unwrap_or_else(|| panic!("{connection} is not open"))
    }

    fn input(&mut self, id: ConnectionId, input: Input) {
        let mut outputs = Vec::new();
        self.hub.handle(id, input, self.now, &mut outputs);
        self.perform(outputs);
    }

    fn tick(&mut self) {
        self.now = self.now + TICK;
        if self.hub.deadline().is_some_and(|(deadline, ..)| deadline <= self.now) {
            let mut outputs = Vec::new();
            self.hub.handle_timeout(self.now, &mut outputs);
            self.perform(outputs);
        }
    }

    fn perform(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Ready(id) => self.write(id),
                Output::Act(id, action) => {
                    if let Some(notice) = self.accounts.answer(&action) {
                        self.input(id, Input::Told(notice));
                    }
                }
            }
        }
    }

    /// Delivers what there is for a device, and then the end if it is time for it.
    fn write(&mut self, id: ConnectionId) {
        while let Some(line) = self.hub.next_lines(id) {
            if let Some(device) = self.devices.values_mut().find(|device| device.id == id) {
                assert!(!device.ended, "a line after the end");
                device.received.extend_from_slice(&line.to_bytes());
            }
            self.input(id, Input::Written { bytes: line.len(), pending: 0 });
        }
        if self.hub.flow(id) == Flow::Draining {
            if let Some(device) = self.devices.values_mut().find(|device| device.id == id) {
                device.ended = true;
            }
            self.input(id, Input::SendingClosed);
        }
        if self.hub.flow(id) == Flow::Ended {
            let mut outputs = Vec::new();
            self.hub.remove(id, self.now, &mut outputs);
            self.perform(outputs);
        }
    }
}

impl Network for HubNetwork {
    fn host(&self) -> String {
        HOST.to_owned()
    }

    fn port(&self) -> u16 {
        PORT
    }

    fn open(&mut self, connection: &str) -> u16 {
        let port = FIRST_DEVICE + self.connected;
        self.connected += 1;
        let mut outputs = Vec::new();
        let id = self.hub.connect(Ipv4Addr::LOCALHOST.into(), port, self.now, &mut outputs);
        self.devices.insert(connection.to_owned(), Device { id, received: Vec::new(), ended: false });
        self.perform(outputs);
        port
    }

    fn send(&mut self, connection: &str, bytes: &[u8]) {
        self.tick();
        let id = self.device(connection).id;
        self.input(id, Input::Received(Bytes::copy_from_slice(bytes)));
    }

    fn receive(&mut self, connection: &str) -> Vec<u8> {
        let received = &mut self.device(connection).received;
        let end = received.iter().position(|&byte| byte == b'\n').expect("a line is there");
        let mut line: Vec<u8> = received.drain(..=end).collect();
        assert_eq!(line.split_off(end - 1), b"\r\n", "a line's ending");
        line
    }

    fn expect_end(&mut self, connection: &str) {
        self.expect_quiet(connection);
        assert!(self.device(connection).ended, "the connection is still open");
    }

    fn expect_quiet(&mut self, connection: &str) {
        let received = &self.device(connection).received;
        assert!(received.is_empty(), "not quiet: {}", String::from_utf8_lossy(received));
    }

    fn close(&mut self, connection: &str) {
        let id = self.device(connection).id;
        self.input(id, Input::EndOfInput);
        self.devices.remove(connection);
    }
}
