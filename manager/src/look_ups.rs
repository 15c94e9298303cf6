//! Host names are looked up here: each address once at a time, and a bounded number of them.
//!
//! A name server that does not answer holds a thread for half a minute, and every new device asks for the name of its
//! computer. So few are asked at once, apart from the threads that check who may come in, and addresses take
//! [turns](crate::turns). Devices do not wait for long: they go on without a name (`docs/wire.md` section 3).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Names;
use crate::names::address_text;
use crate::program::Program;
use crate::turns::Turns;

/// The names that are looked up at once. Most of these threads wait for a name server.
const AT_ONCE: usize = 32;

/// The addresses whose names are awaited, and for each the devices that wait, at most. Further ones go without a name at once:
/// a device that does not wait for the answer is forgotten only with it.
const MOST_ADDRESSES: usize = 1024;
const MOST_ASKERS: usize = 1024;

/// What is done with a name.
type Then = Box<dyn FnOnce(Arc<str>) + Send>;

/// The look-ups of one Manager.
pub(crate) struct LookUps {
    names: Arc<Names>,
    turns: Turns,
    /// What waits for the name of an address that is being looked up.
    waiting: Arc<Waiting>,
}

type Waiting = Mutex<BTreeMap<IpAddr, Vec<Then>>>;

/// A look-up on its way. Whatever becomes of it, its askers do not stay in the list.
struct LookUp {
    waiting: Arc<Waiting>,
    ip: IpAddr,
    name: Option<Arc<str>>,
}

impl LookUps {
    pub(crate) fn new(names: Arc<Names>, program: Arc<dyn Program>) -> Self {
        Self { names, turns: Turns::new(AT_ONCE, program), waiting: Arc::default() }
    }

    /// Finds the name of an address. Does not block; `then` may be called at once.
    pub(crate) fn find(&self, ip: IpAddr, then: impl FnOnce(Arc<str>) + Send + 'static) {
        if let Some(name) = self.names.cached(ip) {
            return then(name);
        }
        let mut waiting = lock(&self.waiting);
        let asked_already = waiting.contains_key(&ip);
        let has_room = match waiting.get(&ip) {
            Some(askers) => askers.len() < MOST_ASKERS,
            None => waiting.len() < MOST_ADDRESSES,
        };
        if !has_room {
            drop(waiting);
            return then(address_text(ip));
        }
        waiting.entry(ip).or_default().push(Box::new(then));
        drop(waiting);
        if asked_already {
            return;
        }
        let names = self.names.clone();
        let look_up = LookUp { waiting: self.waiting.clone(), ip, name: None };
        // Worth doing also when the device has gone: it will come back, and the name is remembered.
        self.turns.run(
            ip.into(),
            || true,
            Box::new(move || {
                let mut look_up = look_up;
                look_up.name = Some(names.look_up(ip));
            }),
        );
    }
}

impl Drop for LookUp {
    fn drop(&mut self) {
        let askers = lock(&self.waiting).remove(&self.ip).unwrap_or_default();
        if let Some(name) = &self.name {
            for then in askers {
                then(name.clone());
            }
        }
    }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, BTreeMap<IpAddr, Vec<Then>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Job;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    /// Threads that do nothing before they are told to, and the names that were found.
    #[derive(Clone, Default)]
    struct Threads {
        started: Arc<Mutex<Vec<Job>>>,
        found: Arc<Mutex<Vec<String>>>,
    }

    impl Threads {
        fn look_ups(&self) -> LookUps {
            LookUps::new(
                Arc::new(Names::with_resolver(|ip| Some(format!("name-of-{ip}")))),
                Arc::new(self.clone()),
            )
        }

        fn then(&self) -> impl FnOnce(Arc<str>) + Send + 'static {
            let found = self.found.clone();
            move |name| found.lock().unwrap().push(name.to_string())
        }

        fn go(&self) {
            let started: Vec<Job> = std::mem::take(&mut self.started.lock().unwrap());
            for job in started {
                job();
            }
        }

        fn started(&self) -> usize {
            self.started.lock().unwrap().len()
        }

        fn found(&self) -> Vec<String> {
            std::mem::take(&mut self.found.lock().unwrap())
        }
    }

    impl Program for Threads {
        fn run_blocking(&self, job: Job) {
            self.started.lock().unwrap().push(job);
        }

        fn run_later(&self, _: Duration, _: Job) {}

        fn shut_down(&self) {}
    }

    fn address(n: usize) -> IpAddr {
        Ipv4Addr::from_bits(0xf000_0000 + u32::try_from(n).unwrap()).into()
    }

    #[test]
    fn a_name_that_is_known_is_there_at_once() {
        let threads = Threads::default();
        threads.look_ups().find(Ipv4Addr::LOCALHOST.into(), threads.then());
        assert_eq!((threads.found(), threads.started()), (vec!["lab-7".to_owned()], 0));
    }

    #[test]
    fn few_are_looked_up_at_once_and_each_address_once_however_many_ask() {
        let threads = Threads::default();
        let look_ups = threads.look_ups();
        for n in 0..100 {
            look_ups.find(address(n), threads.then());
            look_ups.find(address(n), threads.then());
        }
        assert_eq!((threads.started(), threads.found().len()), (AT_ONCE, 0));
        assert_eq!(lock(&look_ups.waiting).len(), 100);

        threads.go();

        let found = threads.found();
        assert_eq!((found.len(), found[0].as_str(), found[1].as_str()), (200, "name-of-240", "name-of-240"));
        assert!(lock(&look_ups.waiting).is_empty());
    }

    #[test]
    fn what_waits_is_bounded_and_who_comes_later_goes_without_a_name() {
        let threads = Threads::default();
        let look_ups = threads.look_ups();
        for _ in 0..MOST_ASKERS {
            look_ups.find(address(0), threads.then());
        }
        look_ups.find(address(0), threads.then());
        assert_eq!(threads.found(), ["240.0.0.0"]);
        for n in 1..MOST_ADDRESSES {
            look_ups.find(address(n), threads.then());
        }
        assert_eq!(threads.found().len(), 0);
        look_ups.find(address(MOST_ADDRESSES), threads.then());
        assert_eq!(threads.found(), ["240.0.4.0"]);
    }

    #[test]
    fn a_look_up_that_never_runs_leaves_nobody_in_the_list() {
        let threads = Threads::default();
        let look_ups = threads.look_ups();
        look_ups.find(address(0), threads.then());
        threads.started.lock().unwrap().clear();
        drop(look_ups.turns);
        assert!(lock(&look_ups.waiting).is_empty());
    }
}
