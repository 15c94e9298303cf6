//! Waiting for the end of a connection.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::park::{block_on, block_on_for};
use super::runtime::check_may_park;
use super::watch::{Look, Watch};
use crate::device::Error;

/// A connection that ends at some time.
pub(super) trait Ending: Send + Sync {
    /// Why it has ended.
    fn ended(&self) -> Look<Error>;

    fn is_asynchronous_here(&self) -> bool;
}

/// The end of a connection: a future that is ready then and says why. Nothing depends on whether it is awaited.
pub struct Ended {
    end: Watch<Error>,
    connection: Arc<dyn Ending>,
}

impl Ended {
    pub(super) fn new(connection: impl Ending + 'static) -> Self {
        let connection = Arc::new(connection);
        let watched = connection.clone();
        Self { end: Watch::new(move || watched.ended()), connection }
    }

    /// Waits by parking this thread: for scripts. In asynchronous code, `.await` it.
    ///
    /// # Errors
    /// [`crate::device::ErrorKind::Invalid`] on a thread that runs asynchronous code, which it would hold up.
    pub fn wait(self) -> Result<Error, Error> {
        check_may_park(self.connection.is_asynchronous_here(), "use .await here")?;
        Ok(block_on(self))
    }

    /// As [`Ended::wait`], for this long at most.
    ///
    /// # Errors
    /// [`crate::device::ErrorKind::TimedOut`]: the connection has not ended. As [`Ended::wait`], too.
    pub fn wait_timeout(self, after: Duration) -> Result<Error, Error> {
        check_may_park(self.connection.is_asynchronous_here(), "use .await here")?;
        block_on_for(self, after, "the connection has not ended")
    }
}

impl Future for Ended {
    type Output = Error;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Error> {
        Pin::new(&mut self.end).poll(cx)
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ended")
    }
}
