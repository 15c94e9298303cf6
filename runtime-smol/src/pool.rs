//! Threads that run asynchronous code.
//!
//! smol has an executor for all tasks of a program, with one thread. A Manager needs all cores, and a connection must not
//! depend on what else a program does on that thread; so both have executors of their own.

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
    /// Closed when it is dropped, at which the threads end.
    _alive: Sender<()>,
    ended: Receiver<()>,
}

impl Pool {
    /// A pool without threads yet.
    pub(crate) fn new() -> Self {
        let (alive, ended) = bounded(1);
        Self { executor: Arc::default(), _alive: alive, ended }
    }

    /// Starts another thread.
    pub(crate) fn start_thread(&self) -> io::Result<()> {
        let (executor, ended) = (self.executor.clone(), self.ended.clone());
        let thread = thread::Builder::new().name("msl-network".to_owned());
        thread.spawn(move || {
            IS_OURS.set(true);
            // Nothing is ever sent: this is the end of the pool.
            let _ = smol::block_on(executor.run(ended.recv()));
        })?;
        Ok(())
    }

    /// Its executor, for as long as it is there.
    pub(crate) fn executor(&self) -> Weak<Executor<'static>> {
        Arc::downgrade(&self.executor)
    }

    /// Runs a future, and what is spawned meanwhile, on the thread that awaits this as well.
    pub(crate) async fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.executor.run(future).await
    }
}
