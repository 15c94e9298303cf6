//! What goes wrong around a Manager, on real sockets: devices that die, that never read, that come by the thousand; a
//! computer that runs out of file descriptors or of disk; the Manager's own end.
//!
//! Each fault is a function from a [`Setup`] and a [`Size`] to an [`Outcome`], and panics where a rule is broken.
//! `tests/tests/faults.rs` runs them small, with every `cargo test`; `tests/benches/faults.rs` runs them at full size and
//! prints what they cost. Beside each, two devices make small calls all the while, and none of these calls may
//! fail. What they took is shown and never judged: that depends on the machine.

mod beside;
mod crowds;
mod descriptors;
mod disk;
mod ends;
mod figures;
mod killed;
mod sleepers;

use std::fmt;
use std::time::Duration;

use crate::setup::Setup;

pub use beside::percentile;
pub use figures::{peak_memory, raise_descriptors};

/// How much of a fault there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Some seconds on a busy computer without optimisation.
    Small,
    /// What a Manager has to withstand.
    Full,
}

impl Size {
    /// One of two values.
    pub fn of<T>(self, small: T, full: T) -> T {
        match self {
            Self::Small => small,
            Self::Full => full,
        }
    }
}

/// A fault, by name.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// What goes wrong.
    pub name: &'static str,
    /// Lets it happen.
    pub run: fn(Setup, Size) -> Outcome,
}

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $constant:ident: $name:literal, $run:path;)*) => {
        impl Fault {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$constant),*];

            $($(#[doc = $doc])+ pub const $constant: Self = Self { name: $name, run: $run };)*
        }
    };
}

faults! {
    /// Each of their callers gets exactly one error for each request.
    KILLED_SERVICES: "services are killed with requests in flight", killed::services;
    /// What it does not read costs no more memory than the limits say, and is nobody else's affair.
    SLEEPERS: "clients never read what they get in bulk", sleepers::clients;
    /// They are ended in their time, and newcomers find a place.
    UNFINISHED_HANDSHAKES: "handshakes are never finished", crowds::unfinished_handshakes;
    /// They are there, they can work at any time, and all may leave at once.
    IDLE_DEVICES: "many devices are idle, and leave all at once", crowds::idle_devices;
    /// They connect and leave in every way as fast as they can, and nothing of them stays.
    STORM: "connection storm", crowds::storm;
    /// Devices wait until some are free again, and waiting costs nothing.
    NO_DESCRIPTORS: "no file descriptors are left", descriptors::run_out;
    /// Log and store fail, brokering goes on, and the store is sound afterwards.
    FULL_DISK: "the disk is full", disk::full;
    /// Devices that connect again find each other again, also those of the Python package.
    KILLED_MANAGER: "the Manager is killed and comes back", ends::killed;
    /// Each open call has its answer or its error; devices of the Python package come to their end.
    TERMINATED_MANAGER: "the Manager is terminated under load", ends::terminated;
}

/// What a fault did.
#[derive(Debug)]
pub struct Outcome {
    /// How much there was of it.
    pub size: String,
    /// What became of the devices that it is about.
    pub faulty: String,
    /// 99 of 100 calls of the bystanders took no longer than this before it, and while it lasted; nothing where the
    /// bystanders cannot go on, as the Manager has its end.
    pub bystanders: Option<(Duration, Duration)>,
    /// The most memory that the Manager had at one time, in bytes.
    pub memory: usize,
    /// The processor time that the Manager took meanwhile.
    pub processor: Duration,
}

/// A row of a table, without the fault and the setup.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bystanders = match self.bystanders {
            Some((without, with)) => format!("{without:.1?} / {with:.1?}"),
            None => "-".to_owned(),
        };
        let (memory, processor) = (self.memory / 1_000_000, self.processor.as_secs_f64());
        write!(f, "| {} | {} | {bystanders} | {memory} MB | {processor:.1} s |", self.size, self.faulty)
    }
}
