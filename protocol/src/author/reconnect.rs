//! How a connection that was lost is restored, and what its author hears of it: plain values.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::device::{Error, ErrorKind};

/// The least delay between two attempts.
const SHORTEST: Duration = Duration::from_millis(10);

/// Whether and how a connection is restored when it was lost: [`super::Connect::reconnect`].
///
/// The first attempt comes after 0.5 s, and each further one after twice that time, up to 30 s: for as long as it takes,
/// unless [`Reconnect::give_up_after`] says otherwise. Somewhat less at random, so that devices which were lost together do
/// not all come back at once.
///
/// Some ends are final: that the author has asked for it, and that the Manager refuses the login or asks for one that nobody
/// has. A certificate that has changed is not: the connection is restored once it is in its place.
///
/// A Manager that ends is noticed at once. A network that only falls silent is noticed within about five minutes, as TCP
/// does; [`super::Call::timeout`] is for those who cannot wait. A service that leaves while the *client's* connection stays says
/// nothing to its clients: that is noticed at the next request to it, which fails. It is then linked again as soon as it is
/// back. If it is back by then, the request is answered, since that takes no link, and nothing is noticed; only its
/// notifications are missing. Who depends on them calls [`super::Client::link`] now and then, with which they go on.
///
/// ```
/// use std::time::Duration;
/// use msl_network_protocol::author::{Reconnect, Reconnection};
///
/// let reconnect = Reconnect::default()
///     .longest_delay(Duration::from_secs(10))
///     .give_up_after(Duration::from_secs(3600))
///     .on_change(|change| match change {
///         Reconnection::Failed { .. } => {} // no news
///         change => eprintln!("{change}"),
///     });
/// ```
#[derive(Clone)]
pub struct Reconnect {
    first_delay: Duration,
    longest_delay: Duration,
    give_up_after: Option<Duration>,
    on_change: Option<OnChange>,
}

type OnChange = Arc<dyn Fn(&Reconnection) + Send + Sync>;

/// What happens to a connection that is restored when it was lost. As text, it can be read by people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reconnection {
    /// The connection was lost, for this reason.
    Lost(Error),
    /// It could not be restored; another attempt follows after this time.
    Failed {
        /// Why.
        error: Error,
        /// The time until the next attempt.
        next: Duration,
    },
    /// The Manager has let the device in again.
    Restored,
    /// The client is linked with this service again.
    Linked(String),
    /// It is not: the service may not be there yet, or be locked. Another attempt follows after this time.
    NotLinked {
        /// The service.
        service: String,
        /// Why.
        error: Error,
        /// The time until the next attempt.
        next: Duration,
    },
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            first_delay: Duration::from_millis(500),
            longest_delay: Duration::from_secs(30),
            give_up_after: None,
            on_change: None,
        }
    }
}

impl Reconnect {
    /// The time until the first attempt: 0.5 s if not set, and at least 10 ms.
    #[must_use]
    pub fn first_delay(mut self, delay: Duration) -> Self {
        self.first_delay = delay;
        self
    }

    /// The longest time between two attempts: 30 s if not set.
    #[must_use]
    pub fn longest_delay(mut self, delay: Duration) -> Self {
        self.longest_delay = delay;
        self
    }

    /// Gives up when the connection could not be restored within this time since it was lost. If not set, never.
    #[must_use]
    pub fn give_up_after(mut self, time: Duration) -> Self {
        self.give_up_after = Some(time);
        self
    }

    /// Is called with everything that happens to the connection, in order. It must not block: what it waits for waits for it.
    /// If it panics, the connection has ended for good.
    #[must_use]
    pub fn on_change(mut self, hook: impl Fn(&Reconnection) + Send + Sync + 'static) -> Self {
        self.on_change = Some(Arc::new(hook));
        self
    }

    pub(super) fn tell(&self, change: &Reconnection) {
        if let Some(hook) = &self.on_change {
            hook(change);
        }
    }

    pub(super) fn limit(&self) -> Option<Duration> {
        self.give_up_after
    }

    pub(super) fn back_off(&self) -> BackOff {
        let longest = self.longest_delay.max(SHORTEST);
        BackOff { next: self.first_delay.clamp(SHORTEST, longest), longest }
    }
}

/// The times between attempts.
pub(super) struct BackOff {
    next: Duration,
    longest: Duration,
}

impl BackOff {
    /// The next one: between a half and the whole of what it may be.
    pub(super) fn delay(&mut self, random: u32) -> Duration {
        let half = self.next / 2;
        let delay = self.next.saturating_sub(half) + half.saturating_mul(random) / u32::MAX;
        self.next = self.next.saturating_mul(2).min(self.longest);
        delay
    }
}

/// Whether another attempt cannot do better than the one that failed so.
pub(super) fn is_final(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Login | ErrorKind::Invalid => true,
        // A Manager may still believe in the connection that was lost, and then takes a service's name for taken.
        ErrorKind::Refused => !matches!(
            error.exception(),
            Some("NameError" | "ConnectionError" | "TimeoutError" | "RuntimeError")
        ),
        _ => false,
    }
}

impl fmt::Display for Reconnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(error) => write!(f, "the connection was lost: {}", error.message()),
            Self::Failed { error, next } => {
                write!(f, "not connected again yet, the next attempt is in {next:.1?}: {}", error.message())
            }
            Self::Restored => f.write_str("connected again"),
            Self::Linked(service) => write!(f, "linked with {service} again"),
            Self::NotLinked { service, error, next } => {
                let error = error.message();
                write!(f, "not linked with {service} again yet, the next attempt is in {next:.1?}: {error}")
            }
        }
    }
}

impl fmt::Debug for Reconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnect")
            .field("first_delay", &self.first_delay)
            .field("longest_delay", &self.longest_delay)
            .field("give_up_after", &self.give_up_after)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let mut back_off = Reconnect::default().back_off();
        let delays = [(); 8].map(|()| back_off.delay(u32::MAX).as_millis());
        assert_eq!(delays, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    }

    #[test]
    fn a_delay_is_at_random_between_a_half_and_the_whole() {
        let half = Reconnect::default().back_off().delay(0);
        let between = Reconnect::default().back_off().delay(u32::MAX / 2);
        assert_eq!(half, Duration::from_millis(250));
        assert_eq!(between.as_millis(), 374);
    }

    #[test]
    fn no_delay_is_so_short_or_so_long_that_it_harms() {
        let eager = Reconnect::default().first_delay(Duration::ZERO).longest_delay(Duration::ZERO);
        assert_eq!(eager.back_off().delay(u32::MAX), SHORTEST);
        let patient = Reconnect::default().first_delay(Duration::MAX).longest_delay(Duration::MAX);
        let mut back_off = patient.back_off();
        assert!(back_off.delay(u32::MAX) > Duration::from_secs(u64::MAX / 2));
        back_off.delay(u32::MAX);
    }

    #[test]
    fn only_what_another_attempt_cannot_mend_is_final() {
        let refused = |text: &str| Error::remote(ErrorKind::Refused, text.into(), Vec::new());
        assert!(is_final(&refused("ValueError: Wrong Manager password")));
        assert!(is_final(&Error::new(ErrorKind::Login, "a password is asked for")));
        assert!(!is_final(&refused("NameError: A 'Echo' service is already running on the Manager")));
        assert!(!is_final(&Error::new(ErrorKind::Tls, "the certificate is another one")));
        assert!(!is_final(&Error::new(ErrorKind::TimedOut, "no answer")));
    }
}
