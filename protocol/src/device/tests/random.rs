//! Random calls, notifications, cuts, ends and jumps of the clock, against a small model.
//!
//! Whatever happens: every call settles once, with its own answer or an error that does not promise too much; a deadline
//! that is over is kept; notifications arrive in order, and all of them where nothing was cut; and nothing is left open.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use proptest::prelude::*;

use super::laboratory::{ALL, HOUR, Laboratory, request, text};
use crate::client::{CallId, Event};
use crate::device::{Error, ErrorKind};
use crate::instant::Instant;
use crate::service::{self, ExecutionId, Failure};
use crate::testing::World;

const CLIENTS: [&str; 2] = ["Ann", "Bob"];
const SERVICES: [&str; 2] = ["Adder", "Echo"];

#[derive(Clone, Debug)]
enum Step {
    Call { client: usize, service: usize, seconds: Option<u64> },
    Forget { which: usize },
    Finish { which: usize, fails: bool },
    Notify { service: usize },
    CarryUp { device: usize, bytes: usize },
    CarryDown { device: usize, bytes: usize },
    Jump { seconds: u64 },
    Leave { device: usize },
    Cut { device: usize },
    ShutDown,
}

fn step() -> impl Strategy<Value = Step> {
    let device = 0..CLIENTS.len() + SERVICES.len();
    let bytes = prop_oneof![3 => 1..300_usize, 1 => Just(ALL)];
    let carried = (device.clone(), bytes);
    prop_oneof![
        12 => (0..2_usize, 0..2_usize, prop::option::of(0..100_u64))
            .prop_map(|(client, service, seconds)| Step::Call { client, service, seconds }),
        2 => any::<usize>().prop_map(|which| Step::Forget { which }),
        10 => (any::<usize>(), any::<bool>()).prop_map(|(which, fails)| Step::Finish { which, fails }),
        4 => (0..2_usize).prop_map(|service| Step::Notify { service }),
        20 => carried.clone().prop_map(|(device, bytes)| Step::CarryUp { device, bytes }),
        20 => carried.prop_map(|(device, bytes)| Step::CarryDown { device, bytes }),
        4 => prop_oneof![4 => 0..60_u64, 1 => Just(HOUR.as_secs())].prop_map(|seconds| Step::Jump { seconds }),
        1 => device.clone().prop_map(|device| Step::Leave { device }),
        1 => device.prop_map(|device| Step::Cut { device }),
        1 => prop::bool::weighted(0.2).prop_map(|now| if now { Step::ShutDown } else { Step::Jump { seconds: 1 } }),
    ]
}

/// A call as its caller knows it; its number is its argument and, if all goes well, its result.
struct Call {
    number: usize,
    service: usize,
    deadline: Option<Instant>,
    forgotten: bool,
    outcome: Option<Result<String, Error>>,
}

struct Stage {
    lab: Laboratory,
    calls: BTreeMap<(usize, CallId), Call>,
    /// What the services were told to execute, and have not finished: service, execution, the call's number.
    executing: Vec<(usize, ExecutionId, usize)>,
    executed: BTreeSet<usize>,
    /// How many notifications each service has sent, and by whom each was heard how often.
    notified: [u64; 2],
    heard: [[u64; 2]; 2],
    shut_down: bool,
    /// Devices that were cut off, and clients that left: what they did not get yet, they may never get.
    gone: BTreeSet<usize>,
}

impl Stage {
    fn new() -> Self {
        Self {
            lab: Laboratory::new(World::new(), &CLIENTS, &SERVICES),
            calls: BTreeMap::new(),
            executing: Vec::new(),
            executed: BTreeSet::new(),
            notified: [0; 2],
            heard: [[0; 2]; 2],
            shut_down: false,
            gone: BTreeSet::new(),
        }
    }

    fn play(&mut self, step: &Step) {
        match *step {
            Step::Call { client, service, seconds } => self.call(client, service, seconds),
            Step::Forget { which } => self.forget(which),
            Step::Finish { which, fails } => self.finish(which, fails),
            Step::Notify { service } => self.notify(service),
            Step::CarryUp { device, bytes } => self.carry_up(device, bytes),
            Step::CarryDown { device, bytes } => self.carry_down(device, bytes),
            Step::Jump { seconds } => self.jump(Duration::from_secs(seconds)),
            Step::Leave { device } => {
                self.gone.extend((device < CLIENTS.len()).then_some(device));
                self.leave(device);
            }
            Step::Cut { device } => {
                self.gone.insert(device);
                self.cut(device);
            }
            Step::ShutDown => {
                self.shut_down = true;
                self.lab.world.shut_down();
            }
        }
        self.look();
    }

    fn call(&mut self, client: usize, service: usize, seconds: Option<u64>) {
        let number = self.calls.len();
        let deadline = seconds.map(|seconds| self.lab.now() + Duration::from_secs(seconds));
        let request = request(SERVICES[service], "add", format!("[{number}]"), deadline);
        match self.lab.clients[client].act(|machine, out| machine.call(request, out)) {
            Ok(id) => {
                let call = Call { number, service, deadline, forgotten: false, outcome: None };
                let same = self.calls.insert((client, id), call);
                assert!(same.is_none(), "an id was used again");
            }
            Err(error) => {
                assert_eq!((error.kind(), error.may_be_executed()), (ErrorKind::Disconnected, false));
            }
        }
    }

    fn forget(&mut self, which: usize) {
        let count = self.calls.len().max(1);
        if let Some(((client, id), call)) = self.calls.iter_mut().nth(which % count) {
            call.forgotten = true;
            self.lab.clients[*client].machine.forget(*id);
        }
    }

    fn finish(&mut self, which: usize, fails: bool) {
        if self.executing.is_empty() {
            return;
        }
        let (service, execution, number) = self.executing.remove(which % self.executing.len());
        let result = number.to_string();
        let outcome = if fails { Err(Failure::new("ValueError", result)) } else { Ok(result) };
        self.lab.services[service].act(|machine, out| machine.finish(execution, outcome, out));
    }

    fn notify(&mut self, service: usize) {
        let args = format!("[{}]", self.notified[service]);
        if self.lab.services[service].act(|machine, out| machine.notify(&args, "{}", out)) {
            self.notified[service] += 1;
        }
    }

    fn jump(&mut self, by: Duration) {
        self.lab.jump(by);
        self.look();
        let now = self.lab.now();
        let is_late = |call: &Call| call.deadline.is_some_and(|deadline| deadline <= now);
        assert!(self.calls.values().all(|call| call.forgotten || call.outcome.is_some() || !is_late(call)));
    }

    /// Clients come first in the numbers of devices.
    fn carry_up(&mut self, device: usize, bytes: usize) {
        let Laboratory { world, clients, services } = &mut self.lab;
        match device.checked_sub(CLIENTS.len()) {
            None => clients[device].carry_up(world, bytes),
            Some(service) => services[service].carry_up(world, bytes),
        };
    }

    fn carry_down(&mut self, device: usize, bytes: usize) {
        let Laboratory { world, clients, services } = &mut self.lab;
        match device.checked_sub(CLIENTS.len()) {
            None => clients[device].carry_down(world, bytes),
            Some(service) => services[service].carry_down(world, bytes),
        };
    }

    fn leave(&mut self, device: usize) {
        match device.checked_sub(CLIENTS.len()) {
            None => self.lab.clients[device].act(crate::client::Machine::disconnect),
            Some(service) => self.lab.services[service].act(service::Machine::shut_down),
        }
    }

    fn cut(&mut self, device: usize) {
        let Laboratory { world, clients, services } = &mut self.lab;
        match device.checked_sub(CLIENTS.len()) {
            None => clients[device].cut(world),
            Some(service) => services[service].cut(world),
        }
    }

    /// Takes what the machines have told into the model, and checks it.
    fn look(&mut self) {
        for service in 0..SERVICES.len() {
            for event in self.lab.services[service].told() {
                if let service::Event::Execute(execution) = event {
                    let number: usize = text(&execution.args).trim_matches(['[', ']']).parse().unwrap();
                    assert!(self.executed.insert(number), "{number} is executed again");
                    self.executing.push((service, execution.id, number));
                }
            }
        }
        for client in 0..CLIENTS.len() {
            for event in self.lab.clients[client].told() {
                match event {
                    Event::Settled { call, outcome } => self.settled(client, call, outcome),
                    Event::Notification { service, args, .. } => self.heard(client, &service, &text(&args)),
                    _ => {}
                }
            }
        }
    }

    fn settled(&mut self, client: usize, call: CallId, outcome: Result<bytes::Bytes, Error>) {
        let now = self.lab.now();
        let call = self.calls.get_mut(&(client, call)).expect("somebody has made that call");
        assert!(call.outcome.is_none() && !call.forgotten, "nobody waits for {}", call.number);
        match &outcome {
            Ok(result) => assert_eq!(text(result), call.number.to_string(), "somebody else's answer"),
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                assert!(call.deadline.is_some_and(|deadline| deadline <= now), "too early");
            }
            Err(error) => {
                if let Some(number) = error.message().strip_prefix("ValueError: ") {
                    assert_eq!(number, call.number.to_string(), "somebody else's error");
                }
            }
        }
        call.outcome = Some(outcome.map(|json| text(&json)));
    }

    fn heard(&mut self, client: usize, service: &str, args: &str) {
        let service = SERVICES.iter().position(|name| *name == service).unwrap();
        let heard = &mut self.heard[client][service];
        assert_eq!(args, format!("[{heard}]"), "out of order, or one is missing");
        *heard += 1;
    }

    /// Everything arrives and is executed; then everybody leaves, and all time passes.
    fn end(&mut self) {
        for _ in 0..2 {
            self.lab.settle();
            self.look();
            while !self.executing.is_empty() {
                self.finish(0, false);
            }
        }
        for device in 0..CLIENTS.len() + SERVICES.len() {
            let complete = |service: &usize| self.is_undisturbed(CLIENTS.len() + service);
            if device < CLIENTS.len() && self.lab.clients[device].machine.is_connected() {
                for service in (0..SERVICES.len()).filter(complete) {
                    assert_eq!(self.heard[device][service], self.notified[service], "some are missing");
                }
            }
            self.leave(device);
        }
        for _ in 0..3 {
            self.lab.settle();
            self.jump(HOUR);
        }
    }

    fn is_undisturbed(&self, device: usize) -> bool {
        !self.shut_down && !self.gone.contains(&device)
    }

    /// Nobody waits for anything any more.
    fn check(&self) {
        for ((client, _), call) in &self.calls {
            let Some(outcome) = &call.outcome else {
                assert!(call.forgotten, "{} was never settled", call.number);
                continue;
            };
            let executed = self.executed.contains(&call.number);
            let undisturbed =
                self.is_undisturbed(*client) && self.is_undisturbed(CLIENTS.len() + call.service);
            match outcome {
                Ok(_) => assert!(executed, "{} has an answer from nobody", call.number),
                Err(error) if error.kind() == ErrorKind::TimedOut => {}
                Err(error) if error.exception() == Some("ValueError") => {}
                Err(error) => {
                    let promised = !error.may_be_executed();
                    assert!(!executed || !(promised || undisturbed), "{}: {error:?}", call.number);
                }
            }
        }
        for client in &self.lab.clients {
            assert!(client.machine.is_ended() && client.machine.deadline().is_none());
        }
        for service in &self.lab.services {
            assert!(service.machine.is_ended() && service.machine.executing() == 0);
        }
        self.lab.world.assert_empty();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn every_call_settles_once_with_its_own_answer_or_an_honest_error(
        steps in prop::collection::vec(step(), 0..120)
    ) {
        let mut stage = Stage::new();
        for step in &steps {
            stage.play(step);
        }
        stage.end();
        stage.check();
    }
}
