//! Machines of clients and services, each at the end of a wire to a Manager in memory.
//!
//! Nothing moves by itself: the test carries the bytes, as few at a time as it likes, and sets the one clock that all go by.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use crate::client::{self, CallId, Request};
use crate::device::{Credentials, Description, Error, Machine, Role};
use crate::instant::Instant;
use crate::mailbox::ConnectionId;
use crate::service::{self, Execution, Offer};
use crate::testing::World;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);
/// The smallest step of the clock.
pub(super) const TICK: Duration = Duration::from_nanos(1);
/// The clock stands.
pub(super) const STILL: Duration = Duration::ZERO;

/// As late as can be before that much time is over.
pub(super) fn almost(due: Duration) -> Duration {
    due.saturating_sub(TICK)
}

/// All bytes that there are.
pub(super) const ALL: usize = usize::MAX;

const READ_LIMIT: usize = 1 << 16;

/// A machine, its wire, and what it has told.
pub(super) struct Wired<R: Role> {
    pub(super) machine: Machine<R>,
    pub(super) id: ConnectionId,
    /// On the way to the Manager, and from it.
    pub(super) up: Vec<u8>,
    down: Vec<u8>,
    events: Vec<R::Event>,
}

impl<R: Role> Wired<R> {
    pub(super) fn new(machine: Machine<R>, world: &mut World) -> Self {
        Self { machine, id: world.connect(), up: Vec::new(), down: Vec::new(), events: Vec::new() }
    }

    /// Does something with the machine; what it says is on its way then.
    pub(super) fn act<T>(&mut self, act: impl FnOnce(&mut Machine<R>, &mut Vec<R::Event>) -> T) -> T {
        let mut events = Vec::new();
        let result = act(&mut self.machine, &mut events);
        for event in events {
            assert!(!self.machine.is_ended() || R::line(&event).is_none(), "it speaks after its end");
            match R::line(&event) {
                Some(line) => self.up.extend_from_slice(&line.to_bytes()),
                None => self.events.push(event),
            }
        }
        result
    }

    /// What the machine has told since it was asked last.
    pub(super) fn told(&mut self) -> Vec<R::Event> {
        mem::take(&mut self.events)
    }

    /// Carries at most so many bytes to the Manager; returns whether there were any.
    pub(super) fn carry_up(&mut self, world: &mut World, most: usize) -> bool {
        let some = self.up.len().min(most);
        let bytes: Vec<u8> = self.up.drain(..some).collect();
        world.send(self.id, bytes);
        some > 0
    }

    /// Carries at most so many bytes to the device, and the end of the connection behind the last of them; returns
    /// whether there was anything.
    pub(super) fn carry_down(&mut self, world: &mut World, most: usize) -> bool {
        self.down.append(&mut world.hear_bytes(self.id));
        let some = self.down.len().min(most);
        if some > 0 {
            let bytes: Vec<u8> = self.down.drain(..some).collect();
            self.machine.receive(bytes.into());
            self.act(|machine, out| while machine.advance(out) {});
        } else if world.is_closed(self.id) && !self.machine.is_ended() {
            self.act(|machine, out| machine.end("the Manager closed the connection", out));
            world.end(self.id);
            return true;
        }
        some > 0
    }

    /// How many bytes are on their way to the device.
    pub(super) fn coming(&mut self, world: &mut World) -> usize {
        self.down.append(&mut world.hear_bytes(self.id));
        self.down.len()
    }

    /// The network fails; what was on its way is lost.
    pub(super) fn cut(&mut self, world: &mut World) {
        self.up.clear();
        self.down.clear();
        world.lose(self.id);
        world.hear_bytes(self.id);
        self.act(|machine, out| machine.end("the network is down", out));
    }
}

pub(super) type Client = Wired<client::Calls>;
pub(super) type Service = Wired<service::Executions>;

/// A Manager with devices.
pub(super) struct Laboratory {
    pub(super) world: World,
    pub(super) clients: Vec<Client>,
    pub(super) services: Vec<Service>,
}

impl Laboratory {
    /// Devices that are connected; every client is linked with every service.
    pub(super) fn new(world: World, clients: &[&str], services: &[&str]) -> Self {
        let mut lab = Self { world, clients: Vec::new(), services: Vec::new() };
        for name in services {
            lab.services.push(Wired::new(new_service(name), &mut lab.world));
        }
        for name in clients {
            lab.clients.push(Wired::new(new_client(name, Credentials::default()), &mut lab.world));
        }
        lab.settle();
        for client in 0..clients.len() {
            for service in services {
                let link = request("Manager", "link", format!("[\"{service}\"]"), None);
                lab.clients[client].act(|machine, out| machine.call(link, out)).unwrap();
            }
            lab.settle();
            let told = lab.clients[client].told();
            assert!(matches!(told[0], client::Event::Connected));
            assert_eq!(told.len(), 1 + services.len(), "{told:?}");
        }
        for service in &mut lab.services {
            assert!(matches!(service.told()[..], [service::Event::Connected]));
        }
        lab
    }

    /// Ann and Adder.
    pub(super) fn pair() -> Self {
        Self::new(World::new(), &["Ann"], &["Adder"])
    }

    pub(super) fn now(&self) -> Instant {
        self.world.now
    }

    /// Carries all there is until nothing moves any more.
    pub(super) fn settle(&mut self) {
        let mut moved = true;
        while mem::take(&mut moved) {
            for client in &mut self.clients {
                moved |= client.carry_up(&mut self.world, ALL) | client.carry_down(&mut self.world, ALL);
            }
            for service in &mut self.services {
                moved |= service.carry_up(&mut self.world, ALL) | service.carry_down(&mut self.world, ALL);
            }
        }
    }

    /// The clock jumps, for all at once. Nothing is carried.
    pub(super) fn jump(&mut self, by: Duration) {
        self.world.jump(by);
        for client in &mut self.clients {
            client.act(|machine, out| machine.handle_timeout(self.world.now, out));
        }
        for service in &mut self.services {
            service.act(|machine, out| machine.handle_timeout(self.world.now, out));
        }
    }

    /// The first client asks the first service.
    pub(super) fn call(&mut self, attribute: &str, deadline: Option<Instant>) -> CallId {
        let request = request("Adder", attribute, "[]", deadline);
        self.clients[0].act(|machine, out| machine.call(request, out)).unwrap()
    }

    /// The answers that the first client has got since the last time.
    pub(super) fn settled(&mut self) -> Vec<(CallId, Result<String, Error>)> {
        let told = self.clients[0].told().into_iter();
        told.filter_map(|event| match event {
            client::Event::Settled { call, outcome } => Some((call, outcome.map(|json| text(&json)))),
            _ => None,
        })
        .collect()
    }

    /// What the first service is to execute since the last time.
    pub(super) fn executions(&mut self) -> Vec<Execution> {
        let told = self.services[0].told().into_iter();
        told.filter_map(|event| match event {
            service::Event::Execute(execution) => Some(execution),
            _ => None,
        })
        .collect()
    }

    /// The first service answers each of them with the name of its attribute.
    pub(super) fn finish(&mut self, executions: &[Execution]) {
        for Execution { id, attribute, .. } in executions {
            let result = format!("\"{attribute}\"");
            self.services[0].act(|machine, out| machine.finish(*id, Ok(result), out));
        }
    }
}

pub(super) fn new_client(name: &str, credentials: Credentials) -> client::Machine {
    client::Machine::new(description(name), credentials, READ_LIMIT)
}

pub(super) fn new_service(name: &str) -> service::Machine {
    service::Machine::new(description(name), Offer::default(), Credentials::default(), READ_LIMIT)
}

fn description(name: &str) -> Description {
    Description { name: name.into(), language: "Rust".into(), os: "any".into() }
}

pub(super) fn request<'a>(
    service: &'a str,
    attribute: &'a str,
    args: impl Into<Cow<'a, str>>,
    deadline: Option<Instant>,
) -> Request<'a> {
    Request { service, attribute, args: args.into(), kwargs: "{}".into(), deadline }
}

pub(super) fn text(json: &[u8]) -> String {
    core::str::from_utf8(json).unwrap().to_string()
}
