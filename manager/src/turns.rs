//! A bounded number of checks at once, and everybody in turn.
//!
//! Checking a password takes much time and memory on purpose. So few are checked at once, which bounds the memory; and where
//! more wait, the addresses that they come from take turns, so that one computer that sends a hundred passwords holds up
//! another's only for one of them.
//!
//! What waits is bounded by the limits on connections, as each has one check at most. Easy to get wrong: a connection can be
//! reset while its check waits, and the next one be opened at once. So what nobody waits for any more is taken out of the
//! line and not done; else one computer could fill the memory, and hold up the others behind its address for minutes.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::backoff::Origin;
use crate::program::{Job, Program};

/// Runs jobs on threads that may block, a few at once.
#[derive(Clone)]
pub(crate) struct Turns {
    line: Arc<Mutex<Line>>,
    program: Arc<dyn Program>,
}

struct Line {
    /// How many more may run now.
    free: usize,
    /// What waits, by origin; an origin that has nothing is not here.
    waiting: BTreeMap<Origin, VecDeque<Turn>>,
    /// The origins that wait, the next one first.
    order: VecDeque<Origin>,
}

/// What waits for its turn.
struct Turn {
    job: Job,
    is_awaited: Box<dyn Fn() -> bool + Send>,
}

impl Turns {
    /// At most `at_once` jobs run, on threads of the program.
    pub(crate) fn new(at_once: usize, program: Arc<dyn Program>) -> Self {
        let line = Line { free: at_once.max(1), waiting: BTreeMap::new(), order: VecDeque::new() };
        Self { line: Arc::new(Mutex::new(line)), program }
    }

    /// Runs a job when it is its turn, unless nobody waits for it any more.
    pub(crate) fn run(&self, origin: Origin, is_awaited: impl Fn() -> bool + Send + 'static, job: Job) {
        let mut line = lock(&self.line);
        line.join(origin, Turn { job, is_awaited: Box::new(is_awaited) });
        if line.free > 0 {
            line.free -= 1;
            drop(line);
            let line = self.line.clone();
            self.program.run_blocking(Box::new(move || work(&line)));
        }
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").finish_non_exhaustive()
    }
}

impl Line {
    fn join(&mut self, origin: Origin, turn: Turn) {
        let turns = self.waiting.entry(origin).or_default();
        if turns.is_empty() {
            self.order.push_back(origin);
        }
        turns.retain(Turn::is_awaited);
        turns.push_back(turn);
    }

    fn next(&mut self) -> Option<Turn> {
        let origin = self.order.pop_front()?;
        let turns = self.waiting.get_mut(&origin)?;
        let turn = turns.pop_front();
        if turns.is_empty() {
            self.waiting.remove(&origin);
        } else {
            self.order.push_back(origin);
        }
        turn
    }
}

impl Turn {
    fn is_awaited(&self) -> bool {
        (self.is_awaited)()
    }
}

/// What one of the threads does: what waits, until there is nothing.
fn work(line: &Mutex<Line>) {
    loop {
        let mut locked = lock(line);
        let Some(turn) = locked.next() else {
            // Under the same lock, so that nobody joins the line in between and counts on this thread.
            locked.free += 1;
            return;
        };
        drop(locked);
        // A job that panics (a bug) costs itself, not the ones behind it.
        if turn.is_awaited() {
            let _ = catch_unwind(AssertUnwindSafe(turn.job));
        }
    }
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    /// Threads that do nothing before they are told to, and what has been done.
    #[derive(Clone, Default)]
    struct Threads {
        started: Arc<Mutex<Vec<Job>>>,
        done: Arc<Mutex<Vec<String>>>,
    }

    impl Threads {
        fn turns(&self, at_once: usize) -> Turns {
            Turns::new(at_once, Arc::new(self.clone()))
        }

        fn job(&self, name: &str) -> Job {
            let (done, name) = (self.done.clone(), name.to_owned());
            Box::new(move || done.lock().unwrap().push(name))
        }

        fn go(&self) -> Vec<String> {
            let started: Vec<Job> = std::mem::take(&mut self.started.lock().unwrap());
            for job in started {
                job();
            }
            std::mem::take(&mut self.done.lock().unwrap())
        }
    }

    impl Program for Threads {
        fn run_blocking(&self, job: Job) {
            self.started.lock().unwrap().push(job);
        }

        fn run_later(&self, _: Duration, _: Job) {}

        fn shut_down(&self) {}
    }

    fn origin(n: u8) -> Origin {
        IpAddr::from([10, 0, 0, n]).into()
    }

    #[test]
    fn no_more_run_at_once_than_may() {
        let threads = Threads::default();
        let turns = threads.turns(2);
        for n in 0..10 {
            turns.run(origin(n), || true, threads.job("x"));
        }
        assert_eq!(threads.started.lock().unwrap().len(), 2);
        assert_eq!(threads.go().len(), 10);
        turns.run(origin(1), || true, threads.job("later"));
        assert_eq!(threads.go(), ["later"]);
    }

    #[test]
    fn addresses_take_turns_however_much_one_of_them_sends() {
        let threads = Threads::default();
        let turns = threads.turns(1);
        for name in ["a1", "a2", "a3", "a4"] {
            turns.run(origin(1), || true, threads.job(name));
        }
        turns.run(origin(2), || true, threads.job("b1"));
        turns.run(origin(2), || true, threads.job("b2"));
        turns.run(origin(3), || true, threads.job("c1"));
        assert_eq!(threads.go(), ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
    }

    #[test]
    fn a_job_that_panics_holds_nobody_up() {
        let threads = Threads::default();
        let turns = threads.turns(1);
        turns.run(origin(1), || true, Box::new(|| panic!("a bug")));
        turns.run(origin(1), || true, threads.job("next"));
        assert_eq!(threads.go(), ["next"]);
        turns.run(origin(1), || true, threads.job("later"));
        assert_eq!(threads.go(), ["later"]);
    }

    #[test]
    fn what_nobody_waits_for_is_not_done_and_does_not_stay_in_the_line() {
        let threads = Threads::default();
        let turns = threads.turns(1);
        let connected = Arc::new(AtomicBool::new(true));
        let is_connected = || {
            let connected = connected.clone();
            move || connected.load(Ordering::Relaxed)
        };
        for _ in 0..1000 {
            turns.run(origin(1), is_connected(), threads.job("gone"));
        }
        assert_eq!(lock(&turns.line).waiting[&origin(1)].len(), 1000);

        connected.store(false, Ordering::Relaxed);
        turns.run(origin(1), || true, threads.job("here"));

        assert_eq!(lock(&turns.line).waiting[&origin(1)].len(), 1);
        turns.run(origin(1), is_connected(), threads.job("gone when its turn comes"));
        assert_eq!(threads.go(), ["here"]);
    }
}
