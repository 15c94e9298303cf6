//! A Manager, a service and a client in memory: no sockets, no threads, and a clock that goes when it is told to.
//!
//! So a program that is a device can be tested whole, with every delay that it may meet, and none of them takes any time.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use msl_network_protocol::client::{self, Request};
use msl_network_protocol::connection::Flow;
use msl_network_protocol::device::{Credentials, Description, LANGUAGE, READ_LIMIT};
use msl_network_protocol::hub::{Hub, Input, Output};
use msl_network_protocol::instant::Instant;
use msl_network_protocol::json;
use msl_network_protocol::limits::Limits;
use msl_network_protocol::mailbox::ConnectionId;
use msl_network_protocol::service::{self, Execution, Offer};
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
    now: Instant,
    hub: Hub,
    outputs: Vec<Output>,
    adder: Wired<service::Machine, service::Event>,
    /// What the service is at work on, and when it will be done.
    work: Option<(Instant, Execution)>,
    ann: Wired<client::Machine, client::Event>,
}

/// A device: its machine, what that has appended, and the connection at the Manager's end.
struct Wired<M, E> {
    machine: M,
    events: Vec<E>,
    connection: ConnectionId,
}

impl Laboratory {
    fn new() -> Self {
        let hostname = "lab".into();
        let identity = ManagerIdentity { hostname, port: 1875, language: LANGUAGE.into(), os: "none".into() };
        let mut hub = Hub::new(Settings::new(identity, Authentication::None, Limits::default()));
        let (now, mut outputs) = (Instant::EPOCH, Vec::new());
        let offer = Offer { attributes: vec![("add".into(), r#""(x, y)""#.into())], max_clients: None };
        let adder = Wired {
            machine: service::Machine::new(named("Adder"), offer, Credentials::default(), READ_LIMIT),
            events: Vec::new(),
            connection: hub.connect(IP, 50_001, now, &mut outputs),
        };
        let ann = Wired {
            machine: client::Machine::new(named("Ann"), Credentials::default(), READ_LIMIT),
            events: Vec::new(),
            connection: hub.connect(IP, 50_002, now, &mut outputs),
        };
        let mut laboratory = Self { now, hub, outputs, adder, work: None, ann };
        laboratory.settle();
        laboratory
    }

    /// Ann sends a request, and has this much patience.
    fn ask(&mut self, service: &str, attribute: &str, args: &str, patience: Duration) {
        let (service, attribute, args) = (service.into(), attribute.into(), args.into());
        let deadline = Some(self.now + patience);
        let request = Request { service, attribute, args, kwargs: "{}".into(), deadline };
        if let Err(error) = self.ann.machine.call(request, &mut self.ann.events) {
            self.report(&error.to_string());
        }
        self.settle();
    }

    /// Time passes: the clock goes from one moment at which something is due to the next.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            let hub = self.hub.deadline().map(|(deadline, ..)| deadline);
            let work = self.work.as_ref().map(|(done, _)| *done);
            let devices = [self.adder.machine.deadline(), self.ann.machine.deadline()];
            let due = devices.into_iter().chain([hub, work]).flatten().min();
            self.now = due.map_or(end, |due| due.clamp(self.now, end));
            self.hub.handle_timeout(self.now, &mut self.outputs);
            self.adder.machine.handle_timeout(self.now, &mut self.adder.events);
            self.ann.machine.handle_timeout(self.now, &mut self.ann.events);
            if let Some((_, execution)) = self.work.take_if(|(done, _)| *done <= self.now) {
                self.report(&format!("Adder is done with {}", text(&execution.args)));
                self.adder.machine.finish(execution.id, Ok(&sum(&execution)), &mut self.adder.events);
            }
            self.settle();
        }
    }

    fn shut_down(&mut self) {
        self.hub.shut_down(self.now, &mut self.outputs);
        self.settle();
    }

    /// Carries everything to where it belongs, until there is nothing left to be carried.
    fn settle(&mut self) {
        while self.answer_questions() | self.carry_to_adder() | self.carry_to_ann() {}
    }

    /// Nobody's name is looked up here, and nobody logs in.
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

    /// Carries lines to the service, and does what its machine then tells. Returns whether that was anything.
    fn carry_to_adder(&mut self) -> bool {
        let id = self.adder.connection;
        let (lines, ended) = self.take_lines(id);
        let Wired { machine, events, .. } = &mut self.adder;
        for line in lines {
            machine.receive(line);
        }
        while machine.advance(events) {}
        if ended {
            machine.end("the Manager has closed the connection", events);
        }
        let events = std::mem::take(events);
        for event in &events {
            match event {
                service::Event::Send(line) => self.handle(id, Input::Received(line.to_bytes())),
                service::Event::Connected => self.report("Adder is connected"),
                service::Event::Execute(execution) => self.work = Some((self.now + WORK, execution.clone())),
                service::Event::Ask(prompt) => self.adder.machine.refuse(prompt, &mut self.adder.events),
                service::Event::Ended(why) => self.report(&format!("Adder: {why}")),
            }
        }
        !events.is_empty()
    }

    /// The same for the client.
    fn carry_to_ann(&mut self) -> bool {
        let id = self.ann.connection;
        let (lines, ended) = self.take_lines(id);
        let Wired { machine, events, .. } = &mut self.ann;
        for line in lines {
            machine.receive(line);
        }
        while machine.advance(events) {}
        if ended {
            machine.end("the Manager has closed the connection", events);
        }
        let events = std::mem::take(events);
        for event in &events {
            match event {
                client::Event::Send(line) => self.handle(id, Input::Received(line.to_bytes())),
                client::Event::Connected => self.report("Ann is connected"),
                client::Event::Settled { outcome: Ok(result), .. } => {
                    self.report(&format!("Ann gets {}", text(result)));
                }
                client::Event::Notification { .. } | client::Event::Gone { .. } => {}
                client::Event::Ask(prompt) => self.ann.machine.refuse(prompt, &mut self.ann.events),
                client::Event::Settled { outcome: Err(why), .. } | client::Event::Ended(why) => {
                    self.report(&format!("Ann: {why}"));
                }
            }
        }
        !events.is_empty()
    }

    /// What the Manager has for a device, which takes all at once; and whether the connection ends with it.
    fn take_lines(&mut self, id: ConnectionId) -> (Vec<Bytes>, bool) {
        let mut lines = Vec::new();
        while let Some(line) = self.hub.next_line(id) {
            self.handle(id, Input::Written { bytes: line.len(), pending: 0 });
            lines.push(line.to_bytes());
        }
        let ended = self.hub.flow(id) == Flow::Draining;
        if ended {
            self.handle(id, Input::SendingClosed);
            self.handle(id, Input::EndOfInput);
            self.hub.remove(id, self.now, &mut self.outputs);
        }
        (lines, ended)
    }

    fn handle(&mut self, id: ConnectionId, input: Input) {
        self.hub.handle(id, input, self.now, &mut self.outputs);
    }

    fn report(&self, what: &str) {
        println!("{} s: {what}", self.now.since_epoch().as_secs());
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
