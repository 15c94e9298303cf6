//! Who failed often waits: how long the verdict on a login is held back, by the address that it comes from.
//!
//! A person who mistypes a password notices nothing; a program that guesses gets a few answers a minute on each of its
//! connections. The verdicts do not queue up behind each other: whoever guesses would keep out all that share the address.
//! The table only counts: what is held back, and by which timer, is the caller's. Time is an argument.
//!
//! Easy to get wrong:
//! - The right password waits as the wrong one does, or whoever guesses would take a quick answer for a yes and a slow
//!   one for a no, and not wait for it.
//! - A success forgives nothing. Else somebody with a login of their own could guess at another's, and log in themselves
//!   between two guesses. Only time forgives.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// So many failures cost nothing: people mistype.
const FREE: u32 = 3;

/// What the first failure after those costs; each further one doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(250);

/// The longest delay. Devices in Python give up after 10 s; on a computer where some program tries a wrong password for
/// ever, the others still get their verdict before.
pub const LONGEST_DELAY: Duration = Duration::from_secs(8);

/// After so long without a failure an address is as good as new.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(5 * 60);

/// The addresses that are remembered. Where there are more, the one that has been quiet for longest is forgotten.
const MOST_ADDRESSES: usize = 4096;

/// The failures of each address.
#[derive(Debug, Default)]
pub struct BackOff {
    addresses: BTreeMap<Origin, Failures>,
}

/// Where an attempt comes from: an IPv4 address, or an IPv6 network (the first 64 bits), as who has one of its addresses has
/// all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin(IpAddr);

#[derive(Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl From<IpAddr> for Origin {
    fn from(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V6(ip) if !ip.is_loopback() => {
                Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into()
            }
            ip => ip,
        })
    }
}

impl BackOff {
    /// Counts a failure.
    pub fn failed(&mut self, origin: Origin, now: Instant) {
        if self.addresses.len() >= MOST_ADDRESSES && !self.addresses.contains_key(&origin) {
            self.make_room(now);
        }
        let failures = self.addresses.entry(origin).or_insert(Failures { count: 0, last: now });
        if failures.is_forgotten(now) {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
    }

    /// How long the next verdict for this address is to be held back.
    pub fn delay(&self, origin: Origin, now: Instant) -> Duration {
        let failures = self.addresses.get(&origin).filter(|failures| !failures.is_forgotten(now));
        let Some(doublings) = failures.and_then(|failures| failures.count.checked_sub(FREE + 1)) else {
            return Duration::ZERO;
        };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        FIRST_DELAY.saturating_mul(factor).min(LONGEST_DELAY)
    }

    /// Forgets who is forgotten anyway, and where that is nobody the one that has been quiet for longest.
    fn make_room(&mut self, now: Instant) {
        self.addresses.retain(|_, failures| !failures.is_forgotten(now));
        if self.addresses.len() >= MOST_ADDRESSES {
            let quietest = self.addresses.iter().min_by_key(|(_, failures)| failures.last);
            if let Some(origin) = quietest.map(|(origin, _)| *origin) {
                self.addresses.remove(&origin);
            }
        }
    }
}

impl Failures {
    fn is_forgotten(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) >= FORGOTTEN_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn origin(text: &str) -> Origin {
        text.parse::<IpAddr>().unwrap().into()
    }

    fn after_failures(count: u32) -> (BackOff, Instant) {
        let (mut back_off, now) = (BackOff::default(), Instant::now());
        (0..count).for_each(|_| back_off.failed(origin("10.0.0.1"), now));
        (back_off, now)
    }

    #[test]
    fn the_first_failures_cost_nothing_and_then_the_delay_doubles_up_to_the_longest() {
        let delays = (0..=12).map(|count| {
            let (back_off, now) = after_failures(count);
            back_off.delay(origin("10.0.0.1"), now).as_millis()
        });
        let expected = [0, 0, 0, 0, 250, 500, 1000, 2000, 4000, 8000, 8000, 8000, 8000];
        assert_eq!(delays.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn any_number_of_failures_is_no_overflow() {
        for count in [FREE + 1 + 31, FREE + 1 + 32, FREE + 1 + 40] {
            let (back_off, now) = after_failures(count);
            assert_eq!(back_off.delay(origin("10.0.0.1"), now), LONGEST_DELAY, "{count}");
        }
    }

    #[test]
    fn others_do_not_wait() {
        let (back_off, now) = after_failures(100);
        assert_eq!(back_off.delay(origin("10.0.0.2"), now), Duration::ZERO);
    }

    #[test]
    fn failures_are_forgotten_after_a_while_without_one() {
        let (mut back_off, start) = after_failures(100);
        let nearly = start + FORGOTTEN_AFTER.checked_sub(Duration::from_secs(1)).unwrap();
        assert_eq!(back_off.delay(origin("10.0.0.1"), nearly), LONGEST_DELAY);
        let later = start + FORGOTTEN_AFTER;
        assert_eq!(back_off.delay(origin("10.0.0.1"), later), Duration::ZERO);
        back_off.failed(origin("10.0.0.1"), later);
        assert_eq!(back_off.delay(origin("10.0.0.1"), later), Duration::ZERO, "it begins anew");
    }

    #[test]
    fn an_ipv6_network_is_one_origin_and_an_ipv4_address_is_one_however_it_is_written() {
        assert_eq!(origin("2001:db8:1:2::1"), origin("2001:db8:1:2:ffff::9"));
        assert_ne!(origin("2001:db8:1:2::1"), origin("2001:db8:1:3::1"));
        assert_eq!(origin("::ffff:10.0.0.1"), origin("10.0.0.1"));
        assert_ne!(origin("10.0.0.1"), origin("10.0.0.2"));
        assert_ne!(origin("::1"), origin("::2"));
    }

    #[test]
    fn the_table_stays_bounded_and_forgets_the_quietest() {
        let (mut back_off, start) = (BackOff::default(), Instant::now());
        let address = |n: usize| Origin::from(IpAddr::from(Ipv4Addr::from_bits(u32::try_from(n).unwrap())));
        for n in 0..=MOST_ADDRESSES {
            let now = start + Duration::from_micros(n as u64);
            (0..10).for_each(|_| back_off.failed(address(n), now));
        }
        let now = start + Duration::from_secs(1);
        assert_eq!(back_off.addresses.len(), MOST_ADDRESSES);
        assert_eq!(back_off.delay(address(0), now), Duration::ZERO);
        assert_eq!(back_off.delay(address(MOST_ADDRESSES), now), LONGEST_DELAY);
    }
}
