//! A Manager, a service and a client in memory: no sockets, no threads, and a clock that goes when it is told to.
//!
//! So a program that is a device can be tested whole, with every delay that it may meet, and none of them takes any time.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use msl_network_protocol::client::{self, Calls, Request};
use msl_network_protocol::connection::Flow;
use msl_network_protocol::device::{Credentials, Description, LANGUAGE, Machine, READ_LIMIT, Role};
use msl_network_protocol::hub::{Hub, Input, Output};
use msl_network_protocol::instant::Instant;
use msl_network_protocol::json;
use msl_network_protocol::limits::Limits;
use msl_network_protocol::mailbox::ConnectionId;
use msl_network_protocol::service::{self, Execution, Executions, Offer};
use msl_network_protocol::settings::{Authentication, ManagerIdentity, Settings};

const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SECOND: Duration = Duration::from_secs(1);

/// How long the service needs for an answer.
const WORK: Duration = Duration::from_secs(3);

fn main() {
    let mut laboratory = Laboratory::new();
    laboratory.ask("Manager", "link", r#"["Adder"]"#, SECOND);
    laboratory.ask("Adder", "add", "[1, 2]", 10 * SECOND);
    laboratory.pass(5 * SECOND);

    println!("once more, with less patience:");
    laboratory.ask("Adder", "add", "[3, 4]", 2 * SECOND);
    laboratory.pass(24 * 60 * 60 * SECOND);

    laboratory.shut_down();
}

struct Laboratory {
    manager: Manager,
    adder: Wired<Executions>,
    /// What the service is at work on, and when it will be done.
    work: Option<(Instant, Execution)>,
    ann: Wired<Calls>,
}

/// The Manager, what it has appended, and the time.
struct Manager {
    hub: Hub,
    outputs: Vec<Output>,
    now: Instant,
}

/// A device: its machine, what that has appended, and the connection at the Manager's end.
struct Wired<R: Role> {
    machine: Machine<R>,
    events: Vec<R::Event>,
    connection: ConnectionId,
}

impl Laboratory {
    fn new() -> Self {
        let hostname = "lab".into();
        let identity = ManagerIdentity { hostname, port: 1875, language: LANGUAGE.into(), os: "none".into() };
        let hub = Hub::new(Settings::new(identity, Authentication::None, Limits::default()));
        let mut manager = Manager { hub, outputs: Vec::new(), now: Instant::EPOCH };
        let offer = Offer { attributes: vec![("add".into(), r#""(x, y)""#.into())], max_clients: None };
        let adder = Wired {
            machine: service::Machine::new(named("Adder"), offer, Credentials::default(), READ_LIMIT),
            events: Vec::new(),
            connection: manager.connect(50_001),
        };
        let ann = Wired {
            machine: client::Machine::new(named("Ann"), Credentials::default(), READ_LIMIT),
            events: Vec::new(),
            connection: manager.connect(50_002),
        };
        let mut laboratory = Self { manager, adder, work: None, ann };
        laboratory.settle();
        laboratory
    }

    /// Ann sends a request, and has this much patience.
    fn ask(&mut self, service: &str, attribute: &str, args: &str, patience: Duration) {
        let deadline = Some(self.manager.now + patience);
        let request = Request { service, attribute, args: args.into(), kwargs: "{}".into(), deadline };
        if let Err(error) = self.ann.machine.call(request, &mut self.ann.events) {
            self.report(&error.to_string());
        }
        self.settle();
    }

    /// Time passes: the clock goes from one moment at which something is due to the next.
    fn pass(&mut self, time: Duration) {
        let end = self.manager.now + time;
        while self.manager.now < end {
            let hub = self.manager.hub.deadline().map(|(deadline, ..)| deadline);
            let work = self.work.as_ref().map(|(done, _)| *done);
            let devices = [self.adder.machine.deadline(), self.ann.machine.deadline()];
            let due = devices.into_iter().chain([hub, work]).flatten().min();
            let now = due.map_or(end, |due| due.clamp(self.manager.now, end));
            self.manager.now = now;
            self.manager.hub.handle_timeout(now, &mut self.manager.outputs);
            self.adder.machine.handle_timeout(now, &mut self.adder.events);
            self.ann.machine.handle_timeout(now, &mut self.ann.events);
            if let Some((_, execution)) = self.work.take_if(|(done, _)| *done <= now) {
                self.report(&format!("Adder is done with {}", text(&execution.args)));
                self.adder.machine.finish(execution.id, Ok(sum(&execution)), &mut self.adder.events);
            }
            self.settle();
        }
    }

    fn shut_down(&mut self) {
        self.manager.hub.shut_down(self.manager.now, &mut self.manager.outputs);
        self.settle();
    }

    /// Carries everything to where it belongs, until there is nothing left to be carried.
    fn settle(&mut self) {
        let mut moved = true;
        while moved {
            moved = self.manager.answer_questions();
            for event in self.adder.carry(&mut self.manager) {
                moved = true;
                self.adder_tells(event);
            }
            for event in self.ann.carry(&mut self.manager) {
                moved = true;
                self.ann_tells(&event);
            }
        }
    }

    fn adder_tells(&mut self, event: service::Event) {
        match event {
            service::Event::Send(_) => {}
            service::Event::Connected => self.report("Adder is connected"),
            service::Event::Execute(execution) => self.work = Some((self.manager.now + WORK, execution)),
            service::Event::Ask(prompt) => self.adder.machine.refuse(&prompt, &mut self.adder.events),
            service::Event::Ended(why) => self.report(&format!("Adder: {why}")),
        }
    }

    fn ann_tells(&mut self, event: &client::Event) {
        match event {
            client::Event::Send(_) | client::Event::Notification { .. } | client::Event::Gone { .. } => {}
            client::Event::Connected => self.report("Ann is connected"),
            client::Event::Settled { outcome: Ok(result), .. } => {
                self.report(&format!("Ann gets {}", text(result)));
            }
            client::Event::Ask(prompt) => self.ann.machine.refuse(prompt, &mut self.ann.events),
            client::Event::Settled { outcome: Err(why), .. } | client::Event::Ended(why) => {
                self.report(&format!("Ann: {why}"));
            }
        }
    }

    fn report(&self, what: &str) {
        println!("{} s: {what}", self.manager.now.since_epoch().as_secs());
    }
}

impl Manager {
    fn connect(&mut self, port: u16) -> ConnectionId {
        self.hub.connect(IP, port, self.now, &mut self.outputs)
    }

    fn handle(&mut self, id: ConnectionId, input: Input) {
        self.hub.handle(id, input, self.now, &mut self.outputs);
    }

    /// Nobody's name is looked up here, and nobody logs in. Returns whether there was anything.
    fn answer_questions(&mut self) -> bool {
        let outputs = std::mem::take(&mut self.outputs);
        for output in &outputs {
            if let Output::Act(device, action) = output
                && let Some(answer) = action.plain_answer(IP)
            {
                self.handle(*device, Input::Told(answer));
            }
        }
        !outputs.is_empty()
    }

    /// Whether a connection ends now that its lines were taken.
    fn ends(&mut self, id: ConnectionId) -> bool {
        let ends = self.hub.flow(id) == Flow::Draining;
        if ends {
            self.handle(id, Input::SendingClosed);
            self.handle(id, Input::EndOfInput);
            self.hub.remove(id, self.now, &mut self.outputs);
        }
        ends
    }
}

impl<R: Role> Wired<R> {
    /// Carries lines to the device, which takes all at once, and to the Manager what it answers. Returns what the machine
    /// has told.
    fn carry(&mut self, manager: &mut Manager) -> Vec<R::Event> {
        let id = self.connection;
        while let Some(line) = manager.hub.next_lines(id) {
            manager.handle(id, Input::Written { bytes: line.len(), pending: 0 });
            self.machine.receive(line.to_bytes());
        }
        while self.machine.advance(&mut self.events) {}
        if manager.ends(id) {
            self.machine.end("the Manager has closed the connection", &mut self.events);
        }
        let events = std::mem::take(&mut self.events);
        for line in events.iter().filter_map(R::line) {
            manager.handle(id, Input::Received(line.to_bytes()));
        }
        events
    }
}

fn named(name: &str) -> Description {
    Description { name: name.into(), language: LANGUAGE.into(), os: "none".into() }
}

/// The sum of the arguments, as JSON.
fn sum(execution: &Execution) -> String {
    let numbers = json::elements(&execution.args).unwrap_or_default();
    let sum: f64 = numbers.iter().filter_map(|number| text(number).parse::<f64>().ok()).sum();
    sum.to_string()
}

fn text(json: &[u8]) -> String {
    String::from_utf8_lossy(json).into_owned()
}
