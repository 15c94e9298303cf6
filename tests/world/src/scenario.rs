//! What a string of bytes means: the settings of a world, and the steps that are played in it.
//!
//! Limits are small, so that they are reached; times are so short that the steps reach across them.

use std::time::Duration;

use msl_network_protocol::limits::Limits;
use msl_network_protocol::settings::Authentication;

use crate::choices::{Choices, HEADER, MOST_STEPS, STEP};

const KIB: usize = 1024;
const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// What a world begins with.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The Manager's.
    pub(crate) limits: Limits,
    /// How devices show that they may connect.
    pub(crate) authentication: Authentication,
    /// How long bytes travel.
    pub(crate) latency: Duration,
    /// How many bytes a pipe takes that are not read.
    pub(crate) capacity: usize,
    /// How long it takes to look up a host name; `None`: it is never found.
    pub(crate) names: Option<Duration>,
    /// How long the check of a password takes.
    pub(crate) check: Duration,
    /// How many clients and services are there already, undisturbed until then.
    pub(crate) clients: usize,
    /// The same of services.
    pub(crate) services: usize,
    /// How it all ends.
    pub(crate) finale: Finale,
    /// How long what has a length may be.
    lengths: [usize; 8],
}

/// How a world ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finale {
    /// The Manager shuts down.
    ShutDown,
    /// The devices ask to be disconnected.
    Leave,
    /// Their connections are cut.
    Cut,
}

/// One of the things that happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Nothing.
    Rest,
    /// A client connects.
    Client,
    /// A service connects.
    Service,
    /// Somebody connects who says who it is, and then keeps to no rule.
    RudeClient,
    /// The same as a service.
    RudeService,
    /// Somebody connects who never says who it is.
    Stranger,
    /// Many connect at once, from one computer.
    Crowd,
    /// A client sends a request to a service.
    Call,
    /// It sends several.
    Calls,
    /// A client waits no more for an answer.
    Forget,
    /// It asks the Manager for something.
    Ask,
    /// It asks for what only administrators may.
    Administer,
    /// A service notifies.
    Notify,
    /// It notifies again and again.
    Beat,
    /// A service works otherwise from now on.
    Pace,
    /// A device does not read for a while.
    Deaf,
    /// A pipe stalls.
    Stall,
    /// A pipe becomes slow.
    Delay,
    /// A connection is cut, in one of many ways.
    Cut,
    /// A device asks to be disconnected.
    Leave,
    /// A rude peer says something.
    Rude,
    /// The Manager shuts down.
    ShutDown,
}

use Deed::{
    Administer, Ask, Beat, Call, Calls, Client, Crowd, Cut, Deaf, Delay, Forget, Leave, Notify, Pace, Rest,
    Rude, RudeClient, RudeService, Service, ShutDown, Stall, Stranger,
};

/// The deeds by their bytes; one that stands here more often happens more often.
const DEEDS: [Deed; 64] = [
    Rest,
    Client,
    Service,
    Call,
    Ask,
    Notify,
    Rude,
    Cut,
    Deaf,
    Stall,
    Leave,
    Pace,
    Calls,
    Beat,
    Delay,
    Forget,
    Client,
    Service,
    Call,
    Ask,
    Notify,
    Rude,
    RudeClient,
    RudeService,
    Stranger,
    Crowd,
    Administer,
    Calls,
    Call,
    Ask,
    Ask,
    Deaf,
    Client,
    Service,
    Call,
    Ask,
    Notify,
    Rude,
    RudeClient,
    RudeService,
    Rude,
    Calls,
    Call,
    Ask,
    Beat,
    Cut,
    Stall,
    Pace,
    Client,
    Service,
    Call,
    Ask,
    Ask,
    Rude,
    Rude,
    Rude,
    Calls,
    Call,
    Ask,
    Ask,
    Administer,
    Leave,
    Pace,
    Deaf,
];

/// Bytes that something is padded with. The last is longer than a frame may be.
const LENGTHS: [usize; 8] = [0, 0, 20, 100, 300, 900, 3000, 20_000];

/// The same where memory is short.
const LARGE_LENGTHS: [usize; 8] = [0, 100, 2000, 6000, 60_000, 200_000, 400_000, 400_000];

/// Bytes that a pipe takes.
const CAPACITIES: [usize; 4] = [64 * KIB, 4 * KIB, 600, 200];

/// The same for large ones: more than what one turn reads or writes, too.
const LARGE_CAPACITIES: [usize; 4] = [600 * KIB, 64 * KIB, 16 * KIB, 16 * KIB];

/// How much time passes behind a step.
const PAUSES: [Duration; 16] = [
    Duration::ZERO,
    Duration::ZERO,
    Duration::ZERO,
    MILLISECOND,
    MILLISECOND.saturating_mul(2),
    MILLISECOND.saturating_mul(5),
    MILLISECOND.saturating_mul(20),
    MILLISECOND.saturating_mul(60),
    MILLISECOND.saturating_mul(200),
    MILLISECOND.saturating_mul(700),
    SECOND,
    SECOND.saturating_mul(2),
    MILLISECOND.saturating_mul(3500),
    SECOND.saturating_mul(6),
    SECOND.saturating_mul(15),
    SECOND.saturating_mul(60),
];

/// A deed, by whom, and what else there is to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// What happens.
    pub(crate) deed: Deed,
    /// Whom it happens to: the one with this number among those whom it may happen to.
    pub(crate) who: usize,
    /// How it happens.
    pub(crate) how: usize,
    /// How much time passes then; `None`: the next step comes before anybody has had a turn.
    pub(crate) pause: Option<Duration>,
    /// For what chance decides meanwhile.
    pub(crate) chance: u8,
}

/// Reads a whole scenario.
pub(crate) fn read(bytes: &[u8]) -> (Setup, Vec<Step>) {
    let mut choices = Choices::new(bytes);
    let setup = Setup::read(choices.take());
    let mut steps = Vec::new();
    while !choices.is_over() && steps.len() < MOST_STEPS {
        steps.push(Step::read(choices.take()));
    }
    (setup, steps)
}

impl Setup {
    fn read([limits, authentication, latency, capacity, names, check, finale, there]: [u8; HEADER]) -> Self {
        let (limits, lengths, capacities) = match limits % 16 {
            14 => (quick(), LENGTHS, CAPACITIES),
            15 => (short_of_memory(), LARGE_LENGTHS, LARGE_CAPACITIES),
            _ => (small(), LENGTHS, CAPACITIES),
        };
        Self {
            limits,
            lengths,
            clients: 1 + usize::from(there) % 4,
            services: 1 + usize::from(there) / 4 % 3,
            authentication: match authentication % 16 {
                5 => Authentication::ManagerPassword,
                6 => Authentication::Login,
                7 => Authentication::HostNames,
                _ => Authentication::None,
            },
            latency: [0, 0, 1, 10, 200][usize::from(latency) % 5] * MILLISECOND,
            capacity: capacities[usize::from(capacity) % 4],
            names: [Some(0), Some(0), Some(300), None][usize::from(names) % 4].map(|time| time * MILLISECOND),
            check: [0, 300, 2000, 9000][usize::from(check) % 4] * MILLISECOND,
            finale: match finale % 4 {
                0 | 1 => Finale::ShutDown,
                2 => Finale::Leave,
                _ => Finale::Cut,
            },
        }
    }

    /// The length of something, by a choice.
    pub(crate) fn length(&self, how: usize) -> usize {
        self.lengths[how % 8]
    }
}

impl Step {
    fn read([deed, who, how, pause]: [u8; STEP]) -> Self {
        let deed = match (deed, DEEDS[usize::from(deed) % DEEDS.len()]) {
            // Rarely, as nothing comes after it.
            (128, _) => ShutDown,
            (_, deed) => deed,
        };
        let at = usize::from(pause % 18);
        let pause_length = PAUSES.get(at).copied();
        Self { deed, who: who.into(), how: how.into(), pause: pause_length, chance: pause }
    }
}

/// Times that steps reach across.
fn quick() -> Limits {
    Limits {
        service_wait: 5 * SECOND,
        write_timeout: 20 * SECOND,
        first_answer: 4 * SECOND,
        prompt: 8 * SECOND,
        name_wait: SECOND,
        unacknowledged: 21 * SECOND,
        shutdown: 3 * SECOND,
        linger: 2 * SECOND,
        leave: 4 * SECOND,
        ..Limits::default()
    }
}

fn small() -> Limits {
    Limits {
        memory: KIB * KIB * 8,
        max_frame: 16 * KIB,
        max_handshake_frame: 2 * KIB,
        service_mailbox: 1500,
        client_mailbox: 2000,
        notifications: 4 * KIB,
        handshakes: 6,
        handshakes_per_address: 3,
        connections: 14,
        open_requests: 5,
        ..quick()
    }
}

/// Few connections: what each may hold in any case must fit in.
fn short_of_memory() -> Limits {
    Limits {
        memory: 700 * KIB,
        max_frame: 500 * KIB,
        // More than one turn takes out of it, so that requests are still in it when their service dies.
        service_mailbox: 450 * KIB,
        client_mailbox: 40 * KIB,
        notifications: 300 * KIB,
        connections: 6,
        ..small()
    }
}
