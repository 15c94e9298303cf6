//! Waiting for a connection to be restored.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::ended::Ending;
use super::park::block_on;
use super::runtime::check_may_park;
use super::session::Session;
use crate::device::Error;

/// A future that is ready when requests can be sent; at once, if they can be now.
///
/// Its error is the end of the connection for good: why none follows.
#[must_use = "nothing is waited for before it is awaited"]
pub struct Restored {
    session: Session,
    /// The service that requests are to be sent to; else the Manager.
    service: Option<Arc<str>>,
}

impl Restored {
    pub(super) fn new(session: Session, service: Option<Arc<str>>) -> Self {
        Self { session, service }
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
}

impl Future for Restored {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.session.poll_restored(self.service.as_deref(), cx)
    }
}

impl fmt::Debug for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Restored")
    }
}
