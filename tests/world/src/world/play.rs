//! What is done to the world: each step of a scenario.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use msl_network_protocol::client::{self, Request};
use msl_network_protocol::device::{Credentials, Description};
use msl_network_protocol::service::{self, Offer};

use super::{Due, World};
use crate::device::{Author, Client, Device, Pace, Question, Role, Rude, Service};
use crate::line::Line;
use crate::manager::Arrival;
use crate::model::Port;
use crate::network::Socket;
use crate::rude::{self, Situation};
use crate::scenario::{Deed, Step};

const CLIENTS: [&str; 4] = ["Ann", "Bob", "Cem", "Dan"];
const SERVICES: [&str; 3] = ["Adder", "Echo", "Tester"];
const SECOND: Duration = Duration::from_secs(1);

/// The longest line that a device reads.
const READ_LIMIT: usize = 1 << 20;

/// One of the computers of the laboratory.
pub(super) fn address(number: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, number % 4).into()
}

impl World<'_> {
    /// Some are there before anything happens.
    pub(super) fn begin(&mut self) {
        (0..self.setup.services).for_each(|number| self.connect_service(number, 64 * number));
        (0..self.setup.clients).for_each(|number| self.connect_client(number, 0));
        self.settle();
    }

    pub(super) fn step(&mut self, step: &Step) {
        let Step { deed, who, how, pause, chance } = *step;
        self.chance.set(chance);
        self.note(format_args!("* {deed:?} {who} {how}, then {pause:?}"));
        match deed {
            // Nobody listens any more.
            Deed::Client
            | Deed::Service
            | Deed::RudeClient
            | Deed::RudeService
            | Deed::Stranger
            | Deed::Crowd
                if self.model.shutting_down => {}
            Deed::Rest => {}
            Deed::Client => self.connect_client(who, how),
            Deed::Service => self.connect_service(who, how),
            Deed::RudeClient => self.connect_rude(CLIENTS[who % 4], Some(false), who, how),
            Deed::RudeService => self.connect_rude(SERVICES[who % 3], Some(true), who, how),
            Deed::Stranger => self.connect_rude("nobody", None, who, how),
            Deed::Crowd => (0..3 + how % 13).for_each(|_| self.connect_rude("nobody", None, who, how)),
            Deed::Call => self.call(who, how),
            Deed::Calls => (0..2 + how % 7).for_each(|_| self.call(who, how)),
            Deed::Forget => self.forget(who, how),
            Deed::Ask => self.ask_manager(who, how),
            Deed::Administer => self.administer(who, how),
            Deed::Notify => self.notify(who, how),
            Deed::Beat => (0..4 + how / 16).for_each(|_| self.notify(who, how)),
            Deed::Pace => self.change_pace(who, how),
            Deed::Deaf => self.deafen(who, how),
            Deed::Stall => self.stall(who, how),
            Deed::Delay => self.delay(who, how),
            Deed::Cut => self.cut(who, how),
            Deed::Leave => self.leave(who),
            Deed::Rude => self.be_rude(who, how),
            Deed::ShutDown => {
                self.reach("told: shutdown in the middle");
                self.shut_down();
            }
        }
        if let Some(pause) = pause {
            self.pass(pause);
            self.look_around();
        }
    }

    fn connect(&mut self, name: &str, computer: usize, author: Author, role: Role) -> Port {
        let port = Port::try_from(self.devices.len() + 1).expect("a scenario has fewer steps than ports");
        let socket = Socket::new(self.setup.capacity, self.setup.latency, self.now());
        let ip = address(computer.to_le_bytes()[0]);
        self.devices.push(Device::new(port, ip, name, socket.clone(), author, role));
        let limits = &self.setup.limits;
        if self.manager.admission().connections() >= limits.connections {
            self.reach("limit: connections");
        }
        self.queue.push(Arrival { socket, ip, port });
        port
    }

    /// What a device's author knows, by a choice; and what its machine is told of it.
    fn author(how: usize) -> (Author, Credentials) {
        let knows = Credentials {
            username: Some("root".into()),
            password: Some(if how % 16 == 12 { "wrong" } else { "secret" }.into()),
            manager_password: Some(if how % 16 == 12 { "wrong" } else { "1234" }.into()),
        };
        let author = |is_right, types_after| Author { is_right, types_after };
        match how % 16 {
            13 => (author(true, Some(SECOND)), Credentials::default()),
            14 => (author(false, Some(SECOND * 20)), Credentials::default()),
            15 => (author(true, None), Credentials::default()),
            _ => (author(true, Some(SECOND)), knows),
        }
    }

    fn connect_client(&mut self, who: usize, how: usize) {
        let name = CLIENTS[who % CLIENTS.len()];
        let (author, credentials) = Self::author(how);
        let machine = client::Machine::new(description(name), credentials, READ_LIMIT);
        let client = Client { machine, events: Vec::new(), calls: BTreeMap::new(), sent: BTreeMap::new() };
        self.connect(name, who / 4, author, Role::Client(Box::new(client)));
    }

    fn connect_service(&mut self, who: usize, how: usize) {
        let name = SERVICES[who % SERVICES.len()];
        let (author, credentials) = Self::author(how);
        let most = [None, None, Some(1), Some(2)][how / 64];
        let attributes = vec![("echo".to_owned(), "\"(*args)\"".to_owned())];
        let max_clients = most.map(|most| u32::try_from(most).expect("it is 1 or 2"));
        let offer = Offer { attributes, max_clients };
        let machine = service::Machine::new(description(name), offer, credentials, READ_LIMIT);
        let service = Service {
            machine,
            events: Vec::new(),
            pace: Pace { takes: Some(Duration::ZERO), ..Pace::default() },
            most,
            said: 0,
            executing: BTreeMap::new(),
        };
        self.connect(name, who / 4, author, Role::Service(Box::new(service)));
    }

    fn connect_rude(&mut self, name: &str, service: Option<bool>, who: usize, how: usize) {
        let author = Author { is_right: true, types_after: None };
        let rude = Rude { service, closes: !how.is_multiple_of(4), requests: Vec::new() };
        let port = self.connect(name, who / 4, author, Role::Rude(rude));
        if service.is_none() {
            let hello: &[u8] = match how % 8 {
                0 => &[0x16, 0x03, 0x01, 0x02],
                1 => b"client ",
                2 => b"\r\n",
                3 => &[b'x'; 3000],
                4 => b"{\"result\": {\"type\": \"client\"}}\n",
                _ => b"",
            };
            if hello.is_empty() {
                self.reach("rude: says nothing");
            } else {
                self.device(port).unsent.push_back(Bytes::from_static(hello));
            }
        }
    }

    /// One of the devices for which `test` holds: the one with this number among them.
    fn choose(&mut self, who: usize, mut test: impl FnMut(&mut Device) -> bool) -> Option<Port> {
        let fitting: Vec<Port> = self
            .devices
            .iter_mut()
            .filter(|device| !device.gone)
            .filter_map(|device| test(device).then_some(device.port))
            .collect();
        fitting.get(who % fitting.len().max(1)).copied()
    }

    fn choose_client(&mut self, who: usize) -> Option<Port> {
        self.choose(who, |device| device.connected_client().is_some())
    }

    fn call(&mut self, who: usize, how: usize) {
        let padding = "x".repeat(self.setup.length(how / 16));
        let patience = [None, None, None, Some(3 * SECOND)][how / 3 % 4];
        // Its number is its argument.
        let args = format!("[{}, \"{padding}\"]", self.calls + 1);
        self.request(who, SERVICES[how % 3], "echo", args, patience, None);
    }

    fn ask_manager(&mut self, who: usize, how: usize) {
        let service = SERVICES[how % 3];
        let (attribute, question) = match how / 3 % 16 {
            0..7 => ("link", Question::Any),
            7 | 8 => ("unlink", Question::Unlink(service)),
            9..12 => ("acquire_lock", Question::Any),
            12 | 13 => ("release_lock", Question::Any),
            _ => ("identity", Question::Any),
        };
        self.request(who, "Manager", attribute, format!("[\"{service}\"]"), None, Some(question));
    }

    fn administer(&mut self, who: usize, how: usize) {
        let victim = self.model.clients.values().nth(how % 8).cloned().unwrap_or_default();
        let (attribute, args) = match how % 16 {
            0 => ("shutdown_manager", "[]".to_owned()),
            1..6 => ("disconnect_client", format!("[\"{victim}\"]")),
            _ => ("clients", "[]".to_owned()),
        };
        self.request(who, "Manager", attribute, args, None, Some(Question::Any));
    }

    fn request(
        &mut self,
        who: usize,
        service: &str,
        attribute: &str,
        args: String,
        patience: Option<Duration>,
        question: Option<Question>,
    ) {
        let Some(port) = self.choose_client(who) else { return };
        let deadline = patience.map(|patience| self.now() + patience);
        let kwargs = if who % 2 == 1 && attribute == "acquire_lock" { "{\"shared\": true}" } else { "{}" };
        let request = Request { service, attribute, args: args.into(), kwargs: kwargs.into(), deadline };
        let Some(client) = self.device(port).connected_client() else { return };
        let Ok(id) = client.machine.call(request, &mut client.events) else { return };
        let Some(client::Event::Send(line)) = client.events.last() else { panic!("a call is a line") };
        let line = line.to_bytes();
        let uid = Line::read(&line).number().expect("a call has a number");
        self.calls += 1;
        let call = self.calls;
        let Some(client) = self.device(port).connected_client() else { return };
        client.sent.insert(uid, (call, question));
        client.calls.insert(id, (call, deadline));
        self.model.called(call, port, service);
    }

    fn forget(&mut self, who: usize, how: usize) {
        let Some(port) = self.choose_client(who) else { return };
        let Some(client) = self.device(port).connected_client() else { return };
        let call = client.calls.keys().nth(how % client.calls.len().max(1)).copied();
        if let Some(call) = call {
            client.machine.forget(call);
            client.calls.remove(&call);
        }
    }

    fn choose_service(&mut self, who: usize) -> Option<Port> {
        self.choose(who, |device| device.service().is_some_and(|service| service.machine.is_connected()))
    }

    fn notify(&mut self, who: usize, how: usize) {
        let Some(port) = self.choose_service(who) else { return };
        // One that is too long, or that is given up for lack of memory, would rightly be missed.
        let padding = "x".repeat(self.setup.length(how).min(self.setup.limits.max_frame / 2).min(30_000));
        let Some(service) = self.device(port).service() else { return };
        service.said += 1;
        let said = service.said;
        let number = self.model.notified(port);
        let Some(service) = self.device(port).service() else { return };
        let args = format!("[{port}, {number}, {said}, \"{padding}\"]");
        assert!(service.machine.notify(&args, "{}", &mut service.events), "a connected service notifies");
    }

    fn change_pace(&mut self, who: usize, how: usize) {
        let Some(port) = self.choose(who, |device| device.service().is_some()) else { return };
        let padding = self.setup.length(how / 8);
        let Some(service) = self.device(port).service() else { return };
        let takes = [
            Some(Duration::ZERO),
            Some(SECOND / 10),
            Some(SECOND),
            Some(7 * SECOND),
            Some(30 * SECOND),
            None,
        ];
        service.pace = Pace { takes: takes[how % 6], padding, fails: how % 5 == 4 };
    }

    fn deafen(&mut self, who: usize, how: usize) {
        let Some(port) = self.choose(who, |device| device.reads) else { return };
        self.device(port).reads = false;
        self.reach("device: does not read");
        if let Some(time) = [None, Some(SECOND), Some(6 * SECOND), Some(30 * SECOND)][how % 4] {
            self.later(time, Due::Read(port));
        }
    }

    fn stall(&mut self, who: usize, how: usize) {
        let Some(port) = self.choose(who, |_| true) else { return };
        let until = self.now() + [SECOND / 20, SECOND, 6 * SECOND, 30 * SECOND][how / 2 % 4];
        let mut socket = self.device(port).socket.borrow_mut();
        if how.is_multiple_of(2) {
            socket.up.stall(until);
        } else {
            socket.down.stall(until);
        }
        drop(socket);
        self.reach("network: stall");
    }

    fn delay(&mut self, who: usize, how: usize) {
        let Some(port) = self.choose(who, |_| true) else { return };
        let latency = [SECOND / 1000, SECOND / 20, SECOND / 2, 3 * SECOND][how / 2 % 4];
        let mut socket = self.device(port).socket.borrow_mut();
        if how.is_multiple_of(2) {
            socket.up.delay(latency);
        } else {
            socket.down.delay(latency);
        }
        drop(socket);
        self.reach("network: delay");
    }

    fn cut(&mut self, who: usize, how: usize) {
        if let Some(port) = self.choose(who, |_| true) {
            self.cut_device(port, how);
        }
    }

    fn cut_device(&mut self, port: Port, how: usize) {
        let now = self.now();
        let unacknowledged = self.setup.limits.unacknowledged;
        let device = self.device(port);
        if how % 6 == 4 {
            device.unsent.push_back("{\"service\": \"Adder\", \"uid\": \"7".into());
            device.flush(now);
        }
        device.unsent.clear();
        let mut socket = device.socket.borrow_mut();
        let kind = match how % 6 {
            0 => {
                socket.close(now);
                "cut: closed"
            }
            4 => {
                socket.close(now);
                "cut: in mid-line"
            }
            1 => {
                socket.fail(now, std::io::ErrorKind::ConnectionReset);
                "cut: reset"
            }
            2 | 3 => {
                socket.up.send_end(now);
                "cut: half closed"
            }
            _ => {
                socket.vanish(now + unacknowledged);
                "cut: vanished"
            }
        };
        socket.wake(now);
        drop(socket);
        if kind != "cut: half closed" {
            self.lose(port);
        }
        self.reach(kind);
    }

    /// The device has no connection any more: its machine learns that, and its author gives up.
    pub(super) fn lose(&mut self, port: Port) {
        let device = self.device(port);
        (device.gone, device.disturbed) = (true, true);
        match &mut device.role {
            Role::Client(client) => {
                client.machine.end("the network has failed", &mut client.events);
                let settled = client.events.iter().filter_map(|event| match event {
                    client::Event::Settled { call, .. } => Some(*call),
                    _ => None,
                });
                for call in settled {
                    client.calls.remove(&call);
                }
                assert!(client.calls.is_empty(), "{port} has ended, and waits for {:?}", client.calls);
            }
            Role::Service(service) => {
                service.machine.end("the network has failed", &mut service.events);
                service.executing.clear();
            }
            Role::Rude(_) => {}
        }
    }

    fn leave(&mut self, who: usize) {
        if let Some(port) = self.choose(who, |device| !device.is_rude()) {
            self.take_leave(port);
        }
    }

    pub(super) fn take_leave(&mut self, port: Port) {
        match &mut self.device(port).role {
            Role::Client(client) => client.machine.disconnect(&mut client.events),
            Role::Service(service) => service.machine.shut_down(&mut service.events),
            Role::Rude(_) => {}
        }
    }

    fn be_rude(&mut self, who: usize, how: usize) {
        let Some(port) = self.choose(who, |device| device.is_rude()) else { return };
        let victims = self.model.clients.values();
        let victim = victims.cycle().nth(how / 16).cloned().unwrap_or_else(|| "Ann[lab:1]".to_owned());
        let length = self.setup.length(who / 8);
        let max_frame = self.setup.limits.max_frame;
        let device = self.device(port);
        let name = device.name.clone();
        let Role::Rude(rude) = &mut device.role else { return };
        // The newest request gets the first answer, and later ones get none: it is rude.
        let request = rude.requests.last().cloned();
        let other = SERVICES.iter().find(|service| **service != name).expect("there are three");
        let situation = Situation {
            port,
            name: &name,
            victim: &victim,
            uid: who % 16 + 1,
            other,
            request: request.as_ref(),
            length,
            max_frame,
        };
        let (bytes, kind) = rude::speech(how, &situation, &self.chance);
        self.reach(kind);
        self.device(port).unsent.push_back(bytes.into());
    }
}

fn description(name: &str) -> Description {
    Description { name: name.into(), language: "Rust".into(), os: "none".into() }
}
