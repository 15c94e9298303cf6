//! Waiting for a future on a thread that has nothing else to do.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::device::{Error, ErrorKind};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Parks the thread until the future is ready.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            // A wake-up between the poll and this is not lost: the thread then does not park.
            Poll::Pending => thread::park(),
        }
    }
}

/// Parks the thread until the future is ready, or this time is over.
///
/// # Errors
/// [`ErrorKind::TimedOut`]; `what` was waited for.
pub(super) fn block_on_for<F: Future>(future: F, after: Duration, what: &str) -> Result<F::Output, Error> {
    let begin = Instant::now();
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Ok(output);
        }
        let left = after.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Err(Error::new(ErrorKind::TimedOut, format!("{what} within {after:?}")));
        }
        thread::park_timeout(left);
    }
}
