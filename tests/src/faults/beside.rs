//! Two devices that only want to work while a fault lasts, and what their calls take.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::figures::{peak_memory, processor_time};
use super::{Outcome, Size};
use crate::bystanders::Bystanders;
use crate::eventually;
use crate::program::Program;

/// Between two calls: a program that measures does not call in a closed loop, which would use up the processors.
const PAUSE: Duration = Duration::from_millis(1);

/// The bystanders of one Manager, who work on another thread.
pub(super) struct Beside<'a> {
    manager: &'a Program,
    bystanders: Mutex<Bystanders>,
    calls: AtomicUsize,
    over: AtomicBool,
}

/// Lets a fault happen, which says how large it was and what became of those that it is about. Bystanders work before it, and
/// all the while.
pub(super) fn beside(
    manager: &Program,
    size: Size,
    fault: impl FnOnce(&Beside<'_>) -> (String, String),
) -> Outcome {
    let mut bystanders = Bystanders::new(manager);
    let without = (0..size.of(100, 2000)).map(|_| call(&mut bystanders)).collect();
    let beside = Beside {
        manager,
        bystanders: Mutex::new(bystanders),
        calls: AtomicUsize::new(0),
        over: AtomicBool::new(false),
    };
    let processor = processor_time(manager.id());
    let ((size, faulty), with) = thread::scope(|scope| {
        let working = scope.spawn(|| beside.work());
        let over = Over(&beside.over);
        let happened = fault(&beside);
        // The last call is one after it.
        beside.wait_for_calls(1);
        drop(over);
        (happened, working.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    Outcome {
        size,
        faulty,
        bystanders: Some((percentile(without, 990), percentile(with, 990))),
        memory: peak_memory(manager.id()),
        processor: processor_time(manager.id()).saturating_sub(processor),
    }
}

/// Ends the work of the bystanders, also where the fault is given up by a panic.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Beside<'_> {
    fn work(&self) -> Vec<Duration> {
        let mut times = Vec::new();
        while !self.over.load(Ordering::Relaxed) {
            times.push(call(&mut self.bystanders.lock().unwrap_or_else(PoisonError::into_inner)));
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        times
    }

    /// Returns when the bystanders have made so many calls more.
    pub(super) fn wait_for_calls(&self, count: usize) {
        // One may have begun before.
        let wanted = self.calls.load(Ordering::Relaxed) + count + 1;
        eventually("the bystanders go on", || self.calls.load(Ordering::Relaxed) >= wanted);
    }

    /// The processor time that the Manager takes while nobody calls anybody for so long.
    pub(super) fn processor_time_of_a_pause(&self, pause: Duration) -> Duration {
        let bystanders = self.bystanders.lock().unwrap_or_else(PoisonError::into_inner);
        let before = processor_time(self.manager.id());
        thread::sleep(pause);
        let taken = processor_time(self.manager.id()).saturating_sub(before);
        drop(bystanders);
        taken
    }
}

/// A pause, then a call; how long the call took.
fn call(bystanders: &mut Bystanders) -> Duration {
    thread::sleep(PAUSE);
    let start = Instant::now();
    bystanders.work();
    start.elapsed()
}

/// What so many of a thousand are no longer than.
pub fn percentile(mut times: Vec<Duration>, per_mille: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * per_mille / 1000]
}
