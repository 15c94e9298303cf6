//! The names of the computers that connect: IP address to host name (`docs/wire.md` section 3).
//!
//! A look-up may take many seconds when a name server does not answer, so it has two halves: [`Names::cached`] never
//! blocks and is for every thread; [`Names::look_up`] blocks and belongs on a thread that may. A device's handshake waits
//! for it for a little while ([`Limits::name_wait`](crate::Limits)) and goes on with the address itself then; the answer
//! still arrives in the cache for the next time.
//!
//! A name is for people to read. It proves nothing: who owns an address decides what its reverse name says.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::computer;

/// How long a name is taken from the cache. Computers seldom change their names; a laboratory that renames one expects
/// to see it soon.
const NAME_LIFE: Duration = Duration::from_secs(5 * 60);

/// The same for an address without a name: shorter, as the name server may just have been unreachable.
const NO_NAME_LIFE: Duration = Duration::from_secs(60);

/// The addresses that are remembered. A laboratory has hundreds of computers; a stranger who connects from an IPv6
/// network with billions must not fill the memory.
const LARGEST_CACHE: usize = 4096;

/// The longest name that is believed (RFC 1035); a longer one is a broken or hostile name server's.
const LONGEST_NAME: usize = 253;

type Resolver = dyn Fn(IpAddr) -> Option<String> + Send + Sync;

/// Looks up host names and remembers them. Cheap to share behind an [`Arc`].
pub struct Names {
    own: Arc<str>,
    resolver: Box<Resolver>,
    addresses: Box<dyn Fn() -> Vec<IpAddr> + Send + Sync>,
    cache: Mutex<BTreeMap<IpAddr, Entry>>,
}

struct Entry {
    name: Arc<str>,
    /// The same with the domain.
    full: Arc<str>,
    expires: Instant,
}

impl Names {
    /// Names as this computer's resolver knows them; loopback and own addresses have this computer's host name.
    pub fn new(host_name: &str) -> Self {
        Self {
            own: host_name.into(),
            resolver: Box::new(|ip| dns_lookup::lookup_addr(&ip).ok()),
            addresses: Box::new(computer::addresses),
            cache: Mutex::default(),
        }
    }

    /// The names of a network for a test, on the computer `lab-7` with the address 10.0.0.7.
    #[cfg(test)]
    pub(crate) fn with_resolver(resolver: impl Fn(IpAddr) -> Option<String> + Send + Sync + 'static) -> Self {
        Self {
            resolver: Box::new(resolver),
            addresses: Box::new(|| vec![IpAddr::from([10, 0, 0, 7])]),
            ..Self::new("lab-7")
        }
    }

    /// The name of an address if it is known already. Never blocks.
    pub fn cached(&self, ip: IpAddr) -> Option<Arc<str>> {
        self.cached_at(ip, Instant::now())
    }

    /// The name of an address: the host without its domain, or the text of the address where it has no name.
    ///
    /// Blocks for as long as the computer's resolver does, which can be far longer than a device should wait.
    pub fn look_up(&self, ip: IpAddr) -> Arc<str> {
        self.look_up_at(ip, Instant::now())
    }

    /// The name of an address with its domain, as far as that is known already; else the text of the address. Never blocks.
    pub fn domain(&self, ip: IpAddr) -> Arc<str> {
        let ip = ip.to_canonical();
        if ip.is_loopback() {
            return Arc::clone(&self.own);
        }
        self.lock().get(&ip).map_or_else(|| address_text(ip), |entry| Arc::clone(&entry.full))
    }

    fn cached_at(&self, ip: IpAddr, now: Instant) -> Option<Arc<str>> {
        let ip = ip.to_canonical();
        if ip.is_loopback() {
            return Some(Arc::clone(&self.own));
        }
        self.lock().get(&ip).filter(|entry| now < entry.expires).map(|entry| Arc::clone(&entry.name))
    }

    fn look_up_at(&self, ip: IpAddr, now: Instant) -> Arc<str> {
        if let Some(name) = self.cached_at(ip, now) {
            return name;
        }
        let ip = ip.to_canonical();
        // Own addresses are asked for each time: they are few calls, and a laptop changes them.
        let (name, full, life) = if (self.addresses)().contains(&ip) {
            (Arc::clone(&self.own), Arc::clone(&self.own), NAME_LIFE)
        } else {
            let full = (self.resolver)(ip);
            match full.as_deref().and_then(|full| Some((short(full)?, full))) {
                Some((name, full)) => (name.into(), full.into(), NAME_LIFE),
                None => (address_text(ip), address_text(ip), NO_NAME_LIFE),
            }
        };
        let mut cache = self.lock();
        if cache.len() >= LARGEST_CACHE && !cache.contains_key(&ip) {
            make_room(&mut cache, now);
        }
        cache.insert(ip, Entry { name: Arc::clone(&name), full, expires: now + life });
        name
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Entry>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands for the name of an address that has none, or whose name takes too long. An IPv4 address that comes in
/// IPv6 form is written as plain IPv4.
pub fn address_text(ip: IpAddr) -> Arc<str> {
    ip.to_canonical().to_string().into()
}

/// The host of a full name; `None` for what is no name. Some resolvers answer with the address, which is not one.
fn short(name: &str) -> Option<&str> {
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '[' | ']' | ':');
    if name.len() > LONGEST_NAME || name.parse::<IpAddr>().is_ok() || !name.chars().all(plain) {
        return None;
    }
    name.split('.').next().filter(|host| !host.is_empty())
}

/// Forgets what has expired, and where that is nothing the entry that expires next.
fn make_room(cache: &mut BTreeMap<IpAddr, Entry>, now: Instant) {
    cache.retain(|_, entry| now < entry.expires);
    if cache.len() >= LARGEST_CACHE {
        let oldest = cache.iter().min_by_key(|(_, entry)| entry.expires).map(|(ip, _)| *ip);
        if let Some(ip) = oldest {
            cache.remove(&ip);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn names(resolver: impl Fn(IpAddr) -> Option<String> + Send + Sync + 'static) -> Names {
        Names::with_resolver(resolver)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn loopback_and_own_addresses_have_this_computers_name() {
        let names = names(|_| Some("other".into()));
        assert_eq!(&*names.cached(ip("127.0.0.1")).unwrap(), "lab-7");
        assert_eq!(&*names.cached(ip("::1")).unwrap(), "lab-7");
        assert_eq!(&*names.cached(ip("::ffff:127.0.0.1")).unwrap(), "lab-7");
        assert_eq!(&*names.look_up(ip("10.0.0.7")), "lab-7");
        assert_eq!(&*names.look_up(ip("::ffff:10.0.0.7")), "lab-7");
    }

    #[test]
    fn the_domain_is_left_out() {
        let names = names(|_| Some("bench-3.example.org".into()));
        assert_eq!(&*names.domain(ip("10.0.0.1")), "10.0.0.1", "nothing is known yet");
        assert_eq!(&*names.look_up(ip("10.0.0.1")), "bench-3");
        assert_eq!(&*names.domain(ip("10.0.0.1")), "bench-3.example.org");
    }

    #[test]
    fn an_address_without_a_name_stands_for_itself() {
        let names = names(|_| None);
        assert_eq!(&*names.look_up(ip("10.0.0.1")), "10.0.0.1");
        assert_eq!(&*names.look_up(ip("::ffff:10.0.0.2")), "10.0.0.2");
        assert_eq!(&*names.look_up(ip("2001:db8::1")), "2001:db8::1");
    }

    #[test]
    fn what_is_no_name_is_not_believed() {
        for answer in ["10.0.0.1", "", ".", "a b", "x]:1", "a\nb", &"x".repeat(300)] {
            let answer = answer.to_owned();
            let names = names(move |_| Some(answer.clone()));
            assert_eq!(&*names.look_up(ip("10.0.0.1")), "10.0.0.1");
        }
    }

    #[test]
    fn a_name_is_looked_up_once_until_it_expires() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let names = names(move |_| Some(format!("n{}", count.fetch_add(1, Ordering::Relaxed))));
        let start = Instant::now();
        assert_eq!(names.cached_at(ip("10.0.0.1"), start), None);
        assert_eq!(&*names.look_up_at(ip("10.0.0.1"), start), "n0");
        assert_eq!(&*names.cached_at(ip("::ffff:10.0.0.1"), start).unwrap(), "n0");
        assert_eq!(&*names.look_up_at(ip("10.0.0.1"), start), "n0");
        assert_eq!(names.cached_at(ip("10.0.0.1"), start + NAME_LIFE), None);
        assert_eq!(&*names.look_up_at(ip("10.0.0.1"), start + NAME_LIFE), "n1");
    }

    #[test]
    fn the_cache_stays_bounded_and_forgets_the_oldest() {
        let names = names(|_| None);
        let start = Instant::now();
        let address = |n: usize| IpAddr::from(Ipv4Addr::from_bits(0x0a01_0000 + u32::try_from(n).unwrap()));
        for n in 0..=LARGEST_CACHE {
            names.look_up_at(address(n), start + Duration::from_micros(n as u64));
        }
        let later = start + Duration::from_secs(1);
        assert_eq!(names.lock().len(), LARGEST_CACHE);
        assert_eq!(names.cached_at(address(0), later), None);
        assert!(names.cached_at(address(LARGEST_CACHE), later).is_some());
    }
}
