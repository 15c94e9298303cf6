//! Runs the Manager's tasks, on one thread, in an order that chance decides.
//!
//! A task is polled when it was woken, and at no other time: so a wake-up that is left out leaves its task asleep, as it would
//! with a real runtime, and somebody waits for ever.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use crate::choices::Chance;

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// The tasks.
#[derive(Default)]
pub(crate) struct Executor {
    tasks: Vec<Task>,
    ready: Arc<Ready>,
    spawned: Spawner,
}

struct Task {
    /// `None` when it has ended.
    future: Option<Work>,
    woken: Arc<Woken>,
    waker: Waker,
}

/// The numbers of the tasks that were woken, in the order in which that happened.
#[derive(Default)]
struct Ready(Mutex<VecDeque<usize>>);

/// Knows whether its task is among the ready ones.
struct Woken {
    task: usize,
    is_ready: AtomicBool,
    ready: Arc<Ready>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        if !self.is_ready.swap(true, Ordering::Relaxed) {
            self.ready.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(self.task);
        }
    }
}

/// Starts tasks, also from within a task.
#[derive(Clone, Default)]
pub(crate) struct Spawner(Rc<RefCell<Vec<Work>>>);

impl Spawner {
    /// Starts a task.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.borrow_mut().push(Box::pin(task));
    }
}

impl Executor {
    /// Something to start tasks with.
    pub(crate) fn spawner(&self) -> Spawner {
        self.spawned.clone()
    }

    /// Polls one of the tasks that were woken. Returns whether there was any.
    pub(crate) fn run_one(&mut self, chance: &Chance) -> bool {
        self.take_in();
        let number = {
            let mut ready = self.ready.0.lock().unwrap_or_else(PoisonError::into_inner);
            let which = chance.below(ready.len());
            ready.remove(which)
        };
        let Some(task) = number.and_then(|number| self.tasks.get_mut(number)) else { return false };
        task.woken.is_ready.store(false, Ordering::Relaxed);
        let context = &mut Context::from_waker(&task.waker);
        if task.future.as_mut().is_some_and(|future| future.as_mut().poll(context).is_ready()) {
            task.future = None;
        }
        true
    }

    /// New tasks begin as woken ones.
    fn take_in(&mut self) {
        for future in self.spawned.0.take() {
            let is_ready = AtomicBool::new(false);
            let woken = Arc::new(Woken { task: self.tasks.len(), is_ready, ready: self.ready.clone() });
            let waker = Waker::from(woken.clone());
            waker.wake_by_ref();
            self.tasks.push(Task { future: Some(future), woken, waker });
        }
    }
}
