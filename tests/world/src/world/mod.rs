//! One world: the Manager, the devices, and time.
//!
//! Nothing in it knows of any other clock or chance than its own, so the same bytes give the same world, to the byte of its trace.
//! What the devices do by themselves is in `devices`, what is done to them in `play`, what the Manager says of itself in `notes`,
//! and the end of it all in `finale`.

mod devices;
mod finale;
mod notes;
mod play;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::{Arguments, Write as _};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use msl_network_protocol::drive::{Handle, Manager};
use msl_network_protocol::instant::Instant;
use msl_network_protocol::mailbox::Notice;
use msl_network_protocol::service::ExecutionId;
use msl_network_protocol::settings::{ManagerIdentity, Settings};

use crate::choices::Chance;
use crate::clock::Clock;
use crate::device::Device;
use crate::executor::Executor;
use crate::manager::{Acts, Door, Program, Queue};
use crate::model::{Model, Number, Port};
use crate::reached::Reached;
use crate::scenario::{self, Setup};

/// More than this at one moment: tasks that wake one another for ever.
const MOST_TURNS: usize = 100_000;

/// More moments than this until nothing is due: timers that set one another for ever.
const MOST_MOMENTS: usize = 50_000;

/// What came of a world.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What happened, how often.
    pub reached: Reached,
    /// How long it took, by its own clock.
    pub simulated: Duration,
    /// How many steps were played.
    pub steps: usize,
    /// How often a task of the Manager had a turn.
    pub turns: usize,
    /// What happened, line by line, if that was asked for.
    pub trace: Option<String>,
}

/// Plays the scenario in these bytes to its end.
///
/// # Panics
/// A rule is broken; the text says which. `trace` has then what happened until then, if there is one.
pub(crate) fn play(bytes: &[u8], trace: Option<&mut String>) -> Report {
    let (setup, steps) = scenario::read(bytes);
    let mut world = World::new(setup, trace);
    world.begin();
    for step in &steps {
        world.step(step);
    }
    world.finish();
    world.report.steps = steps.len();
    world.report.simulated = world.clock.now().since_epoch();
    world.report
}

/// What is going to happen by itself.
enum Due {
    /// The Manager's program has an answer.
    Tell(Handle, Notice),
    /// It has done what an administrator asked for.
    Administer { mailbox: Handle, attribute: String, args: Bytes },
    /// A service has executed a request.
    Finish(Port, ExecutionId),
    /// A device reads again.
    Read(Port),
    /// A person has typed the answer to a prompt.
    Type(Port, String),
}

struct World<'a> {
    setup: Setup,
    clock: Clock,
    chance: Rc<Chance>,
    executor: Executor,
    manager: Arc<Manager>,
    queue: Queue,
    turned_away: Rc<Cell<usize>>,
    acts: Acts,
    /// The device with port 1 is the first one.
    devices: Vec<Device>,
    agenda: BTreeMap<(Instant, u64), Due>,
    appointments: u64,
    model: Model,
    calls: Number,
    /// By when all connections have to be gone.
    over_by: Option<Instant>,
    /// Whether memory was short within this step.
    is_short: bool,
    /// Since when it is.
    short_since: Option<Instant>,
    report: Report,
    trace: Option<&'a mut String>,
}

impl<'a> World<'a> {
    fn new(setup: Setup, trace: Option<&'a mut String>) -> Self {
        let hostname = "lab".into();
        let identity = ManagerIdentity { hostname, port: 1875, language: "Rust".into(), os: "none".into() };
        let settings = Settings::new(identity, setup.authentication, setup.limits.clone());
        let acts = Acts::default();
        let manager = Manager::new(settings, Box::new(Program(acts.clone())));
        let (executor, queue) = (Executor::default(), Queue::default());
        let (clock, chance, turned_away) =
            (Clock::default(), Rc::<Chance>::default(), Rc::<Cell<usize>>::default());
        let door = Door {
            manager: manager.clone(),
            queue: queue.clone(),
            spawner: executor.spawner(),
            clock: clock.clone(),
            chance: chance.clone(),
            turned_away: turned_away.clone(),
        };
        executor.spawner().spawn(door.accept());
        Self {
            setup,
            clock,
            chance,
            executor,
            manager,
            queue,
            turned_away,
            acts,
            devices: Vec::new(),
            agenda: BTreeMap::new(),
            appointments: 0,
            model: Model::default(),
            calls: 0,
            over_by: None,
            is_short: false,
            short_since: None,
            report: Report::default(),
            trace,
        }
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn device(&mut self, port: Port) -> &mut Device {
        &mut self.devices[usize::from(port) - 1]
    }

    fn ports(&self) -> impl Iterator<Item = Port> + use<> {
        1..=Port::try_from(self.devices.len()).expect("a scenario has fewer steps than ports")
    }

    fn reach(&mut self, kind: &'static str) {
        self.report.reached.add(kind);
    }

    /// A line of the trace.
    fn note(&mut self, what: Arguments<'_>) {
        if let Some(trace) = &mut self.trace {
            let time = self.clock.now().since_epoch();
            // Writing to a string never fails.
            let _ = writeln!(trace, "{:>11.4} {what}", time.as_secs_f64());
        }
    }

    fn later(&mut self, after: Duration, due: Due) {
        self.appointments += 1;
        self.agenda.insert((self.now() + after, self.appointments), due);
    }

    /// Everything that can happen now happens.
    fn settle(&mut self) {
        for _ in 0..MOST_TURNS {
            if self.executor.run_one(&self.chance) {
                self.report.turns += 1;
                self.is_short |= self.manager.is_short_of_memory();
                self.look();
                continue;
            }
            let mut moved = false;
            for port in self.ports() {
                moved |= self.turn_of(port);
            }
            if !moved {
                self.check_memory();
                return;
            }
        }
        panic!("the tasks do not come to rest");
    }

    /// Time passes: the clock goes from one moment at which something is due to the next.
    fn pass(&mut self, time: Duration) {
        let end = self.now() + time;
        self.run_until(end);
        self.jump(end);
    }

    /// Time passes until nothing is due.
    fn run_out(&mut self) {
        self.run_until(Instant::new(Duration::MAX));
    }

    fn run_until(&mut self, end: Instant) {
        self.settle();
        for _ in 0..MOST_MOMENTS {
            let Some(due) = self.next_due().filter(|due| *due <= end) else { return };
            self.jump(due);
        }
        panic!("something is due again and again");
    }

    fn next_due(&self) -> Option<Instant> {
        let agenda = self.agenda.first_key_value().map(|((due, _), _)| *due);
        let devices = self.devices.iter().filter_map(Device::deadline);
        let sockets = self.devices.iter().filter_map(|device| device.socket.borrow().deadline());
        agenda.into_iter().chain(self.clock.deadline()).chain(devices).chain(sockets).min()
    }

    fn jump(&mut self, to: Instant) {
        let now = to.max(self.now());
        self.clock.set(now);
        for device in &self.devices {
            device.socket.borrow_mut().wake(now);
        }
        while let Some(first) = self.agenda.first_entry().filter(|first| first.key().0 <= now) {
            let due = first.remove();
            self.happen(due);
        }
        self.settle();
        let connections = self.manager.admission().connections();
        let is_late = self.over_by.is_some_and(|over_by| now > over_by);
        assert!(!is_late || connections == 0, "{connections} connections have not ended in time");
    }

    /// Memory may be short for as long as a device may take nothing.
    fn check_memory(&mut self) {
        if !self.manager.is_short_of_memory() {
            self.short_since = None;
            return;
        }
        let now = self.now();
        let since = *self.short_since.get_or_insert(now);
        let limits = &self.setup.limits;
        let most = limits.write_timeout + limits.linger;
        assert!(now - since <= most, "memory has been short for {:?}", now - since);
    }
}
