//! Time as an argument: the core never reads a clock.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A moment, as the time since an epoch that the caller picks (its start, say).
///
/// Only differences count. A caller must never hand in a moment before one that it handed in earlier;
/// a clock that jumps forward makes deadlines pass, nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

impl Instant {
    /// The epoch itself.
    pub const EPOCH: Self = Self(Duration::ZERO);

    /// The moment that lies `since_epoch` after the epoch.
    pub const fn new(since_epoch: Duration) -> Self {
        Self(since_epoch)
    }

    /// How long after the epoch this is.
    pub const fn since_epoch(self) -> Duration {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates: a limit of "for ever" is no reason to panic.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adding_for_ever_saturates() {
        let late = Instant::new(Duration::from_secs(1)) + Duration::MAX;
        assert_eq!(late.since_epoch(), Duration::MAX);
    }

    #[test]
    fn a_moment_is_no_time_after_a_later_one() {
        let early = Instant::new(Duration::from_secs(1));
        let late = Instant::new(Duration::from_secs(3));
        assert_eq!(early - late, Duration::ZERO);
        assert_eq!(late - early, Duration::from_secs(2));
    }
}
