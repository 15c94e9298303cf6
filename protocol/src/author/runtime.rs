//! What the handles need of a runtime: the seam between this crate and `msl-network-tokio`, say.
//!
//! All that an author does is here and the same everywhere; a runtime brings threads, time and sockets. Easy to get wrong:
//! a future of a [`Runtime`] may be awaited on any thread, also on one that is not the runtime's own.

use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, RandomState};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use super::service::Executor;
use super::watch::remember;
use super::{ConnectOptions, Endpoint};
use crate::device::{Error, ErrorKind};
use crate::drive::lock;
use crate::instant::Instant;

/// A future that owns all it needs.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Threads, time and sockets.
pub trait Runtime: Executor {
    /// The time now, as the sockets of this runtime know it.
    fn now(&self) -> Instant;

    /// Is ready after this time.
    fn sleep(&self, time: Duration) -> BoxFuture<()>;

    /// Any number, for delays that are not to be the same everywhere.
    fn random(&self) -> u32 {
        u32::try_from(RandomState::new().hash_one(()) >> 32).unwrap_or_default()
    }

    /// Whether this thread runs asynchronous code, so that parking it would hold others up.
    fn is_asynchronous_here(&self) -> bool;

    /// Is ready when a person or the system asks the program to end: Ctrl+C, SIGTERM.
    fn interrupted(&self) -> BoxFuture<()>;

    /// What devices say about where they run.
    fn computer(&self) -> Computer;

    /// Opens a connection with a Manager, encrypted as the options say, and spawns the [`super::Driver`] that owns it.
    ///
    /// Each of its steps on the network takes [`ConnectOptions::timeout`] at most.
    fn open(&self, options: &ConnectOptions, endpoint: Arc<dyn Endpoint>) -> BoxFuture<Result<(), Error>>;
}

/// What devices say about where they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Computer {
    /// Like `Rust 1.95.0`.
    pub language: String,
    /// Like `Linux 6.1.0 x86_64`.
    pub os: String,
}

/// Finds the runtime for a connection, once it is known how its author waits.
pub trait Runtimes: Send + Sync {
    /// The runtime that runs this code.
    ///
    /// # Errors
    /// [`crate::device::ErrorKind::Invalid`]: none does.
    fn here(&self) -> Result<Arc<dyn Runtime>, Error>;

    /// One on a thread of its own, for scripts.
    ///
    /// # Errors
    /// [`crate::device::ErrorKind::Io`]: the thread cannot be started.
    fn background(&self) -> Result<Arc<dyn Runtime>, Error>;
}

/// An error where asynchronous code calls what parks its thread; `instead` is what it should do. A runtime may take its own
/// threads for blocking work for such, hence the last words.
pub(super) fn check_may_park(asynchronous: bool, instead: &str) -> Result<(), Error> {
    if asynchronous {
        let text = format!(
            "this would hold up the runtime that has to bring the answer; {instead}, or in spawn_blocking the runtime's block_on"
        );
        return Err(Error::new(ErrorKind::Invalid, text));
    }
    Ok(())
}

/// Which of two futures was ready first.
pub(super) enum First<A, B> {
    Left(A),
    Right(B),
}

/// Waits for the first of two futures; the other one is dropped.
pub(super) async fn first<A, B>(
    left: impl Future<Output = A>,
    right: impl Future<Output = B>,
) -> First<A, B> {
    let (mut left, mut right) = (pin!(left), pin!(right));
    poll_fn(|cx| match left.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(First::Left(value)),
        Poll::Pending => right.as_mut().poll(cx).map(First::Right),
    })
    .await
}

/// Runs something that may block where it holds nobody up.
///
/// # Errors
/// [`ErrorKind::Io`]: the runtime has dropped it, as it is being shut down. [`ErrorKind::Invalid`]: it has panicked.
pub async fn unblock<R: Send + 'static>(
    executor: &(impl Executor + ?Sized),
    job: impl FnOnce() -> R + Send + 'static,
) -> Result<R, Error> {
    let done = Arc::new(Mutex::new(Done { waker: None, outcome: None, over: false, panicked: false }));
    let over = Over(done.clone());
    executor.block(Box::new(move || {
        let over = over;
        let outcome = job();
        lock(&over.0).outcome = Some(outcome);
    }));
    poll_fn(|cx| {
        // The waker before is dropped without the lock.
        let (poll, _old) = {
            let mut done = lock(&done);
            match done.outcome.take() {
                Some(outcome) => (Poll::Ready(Ok(outcome)), None),
                None if done.over => (Poll::Ready(Err(no_outcome(done.panicked))), None),
                None => (Poll::Pending, remember(&mut done.waker, cx.waker())),
            }
        };
        poll
    })
    .await
}

fn no_outcome(panicked: bool) -> Error {
    if panicked {
        Error::new(ErrorKind::Invalid, "a function of the device's author has panicked")
    } else {
        Error::new(ErrorKind::Io, "the runtime is being shut down")
    }
}

struct Done<R> {
    waker: Option<Waker>,
    outcome: Option<R>,
    over: bool,
    panicked: bool,
}

/// Says that a job is over, also when a runtime drops it, or when it panics.
struct Over<R>(Arc<Mutex<Done<R>>>);

impl<R> Drop for Over<R> {
    fn drop(&mut self) {
        let waker = {
            let mut done = lock(&self.0);
            done.over = true;
            done.panicked = thread::panicking();
            done.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
