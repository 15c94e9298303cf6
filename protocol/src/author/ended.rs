//! Waiting for the end of a connection.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::park::block_on;
use super::runtime::check_may_park;
use crate::device::Error;

/// A connection that ends at some time.
pub(super) trait Ending: Send + Sync {
    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<Error>;

    fn is_asynchronous_here(&self) -> bool;
}

/// The end of a connection: a future that is ready then and says why. Nothing depends on whether it is awaited.
pub struct Ended(Arc<dyn Ending>);

impl Ended {
    pub(super) fn new(connection: impl Ending + 'static) -> Self {
        Self(Arc::new(connection))
    }

    /// Waits by parking this thread: for scripts. In asynchronous code, `.await` it.
    ///
    /// # Errors
    /// [`crate::device::ErrorKind::Invalid`] on a thread that runs asynchronous code, which it would hold up.
    pub fn wait(self) -> Result<Error, Error> {
        check_may_park(self.0.is_asynchronous_here(), "use .await here")?;
        Ok(block_on(self))
    }
}

impl Future for Ended {
    type Output = Error;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Error> {
        self.0.poll_ended(cx)
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ended")
    }
}
