//! Waiting for a connection to be restored.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::ended::Ending;
use super::park::{block_on, block_on_for};
use super::runtime::check_may_park;
use super::session::Session;
use super::watch::Watch;
use crate::device::Error;

/// A future that is ready when requests can be sent; at once, if they can be now.
///
/// Its error is the end of the connection for good: why none follows.
#[must_use = "nothing is waited for before it is awaited"]
pub struct Restored {
    restored: Watch<Result<(), Error>>,
    session: Session,
}

impl Restored {
    /// Requests to this service can be sent; without one, to the Manager.
    pub(super) fn new(session: Session, service: Option<Arc<str>>) -> Self {
        let watched = session.clone();
        Self { restored: Watch::new(move || watched.restored(service.as_deref())), session }
    }

    /// Waits by parking this thread: for scripts. In asynchronous code, `.await` it.
    ///
    /// # Errors
    /// As the future itself; [`crate::device::ErrorKind::Invalid`] on a thread that runs asynchronous code, which it would
    /// hold up.
    pub fn wait(self) -> Result<(), Error> {
        check_may_park(self.session.is_asynchronous_here(), "use .await here")?;
        block_on(self)
    }

    /// As [`Restored::wait`], for this long at most.
    ///
    /// # Errors
    /// [`crate::device::ErrorKind::TimedOut`]: it has not been restored. As [`Restored::wait`], too.
    pub fn wait_timeout(self, after: Duration) -> Result<(), Error> {
        check_may_park(self.session.is_asynchronous_here(), "use .await here")?;
        block_on_for(self, after, "the connection was not restored")?
    }
}

impl Future for Restored {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.restored).poll(cx)
    }
}

impl fmt::Debug for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Restored")
    }
}
