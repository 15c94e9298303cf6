//! Time, as the core counts it and as timers know it.

use std::time;

use msl_network_protocol::instant::Instant;

/// The clock that all sockets of a runtime share.
#[derive(Clone, Copy, Debug)]
pub struct Clock(time::Instant);

impl Clock {
    /// A clock that begins now.
    pub fn start() -> Self {
        Self(time::Instant::now())
    }

    /// The time now.
    pub fn now(self) -> Instant {
        Instant::new(self.0.elapsed())
    }

    /// A moment of this clock as timers know it; `None` for one that lies too far ahead to ever come.
    pub fn to_std(self, moment: Instant) -> Option<time::Instant> {
        self.0.checked_add(moment.since_epoch())
    }
}
