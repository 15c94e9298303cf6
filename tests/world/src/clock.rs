//! The one clock of a world. It jumps from one moment at which something is due to the next.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use msl_network_protocol::instant::Instant;

/// Cheap to clone: all clones are the same clock.
#[derive(Clone, Default)]
pub(crate) struct Clock(Rc<Inner>);

#[derive(Default)]
struct Inner {
    now: Cell<Instant>,
    timers: RefCell<BTreeMap<(Instant, u64), Waker>>,
    next: Cell<u64>,
}

impl Clock {
    /// The time now.
    pub(crate) fn now(&self) -> Instant {
        self.0.now.get()
    }

    /// Sets the clock, forward, and wakes whose time has come.
    pub(crate) fn set(&self, now: Instant) {
        self.0.now.set(now);
        let mut timers = self.0.timers.borrow_mut();
        while let Some(timer) = timers.first_entry().filter(|timer| timer.key().0 <= now) {
            timer.remove().wake();
        }
    }

    /// When the first sleeper is to be woken.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.0.timers.borrow().first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Waits for so long.
    pub(crate) async fn sleep(&self, duration: Duration) {
        let deadline = self.now() + duration;
        poll_fn(|context| {
            if self.now() >= deadline {
                return Poll::Ready(());
            }
            self.0.next.update(|next| next + 1);
            self.0.timers.borrow_mut().insert((deadline, self.0.next.get()), context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
