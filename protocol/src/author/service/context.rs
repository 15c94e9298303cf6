//! What a method may know of a request, and notifications.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::session::ServiceSession;
use crate::author::IntoArguments;
use crate::device::{Error, ErrorKind};
use crate::service::Execution;

/// The most that may wait to be sent as notifications, in bytes. A Manager that does not read would otherwise fill the
/// memory of the service.
pub const WAITING_NOTIFICATIONS: usize = 64 << 20;

/// A request, as the method that answers it may see it. Cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    notifier: Notifier,
    execution: Execution,
}

impl Context {
    pub(super) fn new(notifier: Notifier, execution: Execution) -> Self {
        Self(Arc::new(Inner { notifier, execution }))
    }

    /// The network name of the client that asks, like `Ann[lab:50000]`.
    pub fn requester(&self) -> &str {
        &self.0.execution.requester
    }

    /// What it asks for.
    pub fn attribute(&self) -> &str {
        &self.0.execution.attribute
    }

    /// The positional arguments as they came: a JSON array.
    pub fn args(&self) -> &Bytes {
        &self.0.execution.args
    }

    /// The keyword arguments as they came: a JSON object.
    pub fn kwargs(&self) -> &Bytes {
        &self.0.execution.kwargs
    }

    /// Sends a notification to all clients that are linked, as [`Notifier::notify`] does. It arrives before the reply.
    ///
    /// # Errors
    /// As [`Notifier::notify`].
    pub fn notify(&self, arguments: impl IntoArguments) -> Result<(), Error> {
        self.0.notifier.notify(arguments)
    }

    /// Sends notifications after the request, too.
    pub fn notifier(&self) -> Notifier {
        self.0.notifier.clone()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} asks for {}", self.requester(), self.attribute())
    }
}

/// Sends notifications, from any thread and at any time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Notifier(ServiceSession);

impl Notifier {
    pub(super) fn new(session: ServiceSession) -> Self {
        Self(session)
    }

    /// Sends a notification to all clients that are linked with the service. It does not wait; notifications and replies
    /// arrive in the order in which they were sent.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`]: an argument cannot be written as JSON. [`ErrorKind::Disconnected`]: the service is not
    /// connected, or not now: [`Notifier::has_ended`]. [`ErrorKind::Backlog`]: more than [`WAITING_NOTIFICATIONS`] bytes wait already. Nothing was sent then.
    pub fn notify(&self, arguments: impl IntoArguments) -> Result<(), Error> {
        let (args, kwargs) = arguments.into().into_args_and_kwargs()?;
        self.0.notify(&args, &kwargs)
    }

    /// Whether the connection has ended for good, so that there is nobody to be notified ever again. While one that was lost
    /// is [being restored](crate::author::Connect::reconnect) it has not ended: notifications fail then, and later do not.
    pub fn has_ended(&self) -> bool {
        self.0.has_ended()
    }
}

pub(super) fn backlog() -> Error {
    let text = format!(
        "the Manager does not read fast enough: {} MiB of notifications wait already; notify less often",
        WAITING_NOTIFICATIONS >> 20
    );
    Error::new(ErrorKind::Backlog, text)
}
