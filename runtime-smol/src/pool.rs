//! Threads that run asynchronous code.
//!
//! smol has an executor for all tasks of a program, with one thread. A Manager may need more, and a connection must not
//! depend on what else a program does on that thread; so both have executors of their own.
//!
//! Easy to get wrong: such an executor wakes one of its threads at a time, and no other one until that has looked for work. So
//! each has to come back soon; one that did something else meanwhile would hold up all.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::sync::{Arc, Weak};
use std::thread;

use smol::Executor;
use smol::channel::{Receiver, Sender, bounded};

thread_local! {
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is a thread of a [`Pool`].
pub(crate) fn is_here() -> bool {
    IS_OURS.get()
}

/// An executor with its threads. They end with it, and what was spawned is dropped.
#[derive(Debug)]
pub(crate) struct Pool {
    executor: Arc<Executor<'static>>,
    threads: usize,
    /// Closed when it is dropped, at which the threads end.
    _alive: Sender<()>,
    ended: Receiver<()>,
}

impl Pool {
    /// A pool without threads yet.
    pub(crate) fn new() -> Self {
        let (alive, ended) = bounded(1);
        Self { executor: Arc::default(), threads: 0, _alive: alive, ended }
    }

    /// Starts another thread.
    pub(crate) fn start_thread(&mut self) -> io::Result<()> {
        let (executor, ended) = (self.executor.clone(), self.ended.clone());
        let thread = thread::Builder::new().name("msl-network".to_owned());
        thread.spawn(move || {
            IS_OURS.set(true);
            // Nothing is ever sent: this is the end of the pool.
            let _ = smol::block_on(executor.run(ended.recv()));
        })?;
        self.threads += 1;
        Ok(())
    }

    /// Its executor, for as long as it is there.
    pub(crate) fn executor(&self) -> Weak<Executor<'static>> {
        Arc::downgrade(&self.executor)
    }

    /// Runs a future where this is awaited; without any threads, also what is spawned meanwhile.
    pub(crate) async fn run<T>(&self, future: impl Future<Output = T>) -> T {
        if self.threads == 0 { self.executor.run(future).await } else { future.await }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Barrier;

    use super::*;

    fn with_threads(count: usize) -> Pool {
        let mut pool = Pool::new();
        (0..count).for_each(|_| pool.start_thread().unwrap());
        pool
    }

    #[test]
    fn every_thread_runs_tasks() {
        const THREADS: usize = 4;
        let pool = with_threads(THREADS);
        // None of them returns before all are there.
        let barrier = Arc::new(Barrier::new(THREADS));
        let tasks: Vec<_> = (0..THREADS)
            .map(|_| {
                let barrier = barrier.clone();
                pool.executor.spawn(async move {
                    barrier.wait();
                    is_here()
                })
            })
            .collect();
        assert!(tasks.into_iter().all(smol::block_on));
        assert!(!is_here());
    }

    #[test]
    fn what_runs_is_dropped_with_its_pool() {
        let pool = with_threads(2);
        let (held, released) = bounded::<()>(1);
        pool.executor.spawn(async move { drop((pending::<()>().await, held)) }).detach();
        drop(pool);
        assert!(smol::block_on(released.recv()).is_err());
    }

    #[test]
    fn a_panic_costs_one_task_and_no_thread() {
        let pool = with_threads(1);
        pool.executor.spawn(async { panic!("a task has panicked") }).detach();
        assert_eq!(smol::block_on(pool.executor.spawn(async { 7 })), 7);
    }

    #[test]
    fn where_a_pool_with_threads_is_awaited_none_of_its_tasks_runs() {
        let pool = with_threads(1);
        let here = thread::current().id();
        smol::block_on(pool.run(async {
            for _ in 0..100 {
                assert_ne!(pool.executor.spawn(async { thread::current().id() }).await, here);
            }
        }));
    }

    #[test]
    fn a_pool_without_threads_runs_on_the_one_that_waits() {
        let pool = Pool::new();
        let task = pool.executor.spawn(async { 7 });
        assert_eq!(smol::block_on(pool.run(task)), 7);
    }
}
