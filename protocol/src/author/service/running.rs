//! A service that is connected, as its author holds it.

use super::Notifier;
use super::session::ServiceSession;
use crate::device::Error;

/// A service that clients can reach. Cheap to clone; the service goes on when its handles are dropped.
#[derive(Clone, Debug)]
pub struct RunningService(ServiceSession);

impl RunningService {
    /// The handle of a session that is connected, for a runtime crate.
    pub fn new(session: ServiceSession) -> Self {
        Self(session)
    }

    /// The service's name.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The Manager's network name, like `Manager[lab:1875]`.
    pub fn manager(&self) -> String {
        self.0.manager()
    }

    /// Whether clients can reach it.
    pub fn is_connected(&self) -> bool {
        self.0.is_connected()
    }

    /// Sends notifications outside of requests.
    pub fn notifier(&self) -> Notifier {
        Notifier::new(self.0.clone())
    }

    /// Lets no more requests in, finishes and answers those that are being executed, and waits until the connection has
    /// ended. A method that never returns holds it up for ever.
    pub async fn shut_down(&self) {
        self.0.shut_down();
        self.0.ended().await;
    }

    /// Waits until the connection has ended, and says why.
    pub async fn ended(&self) -> Error {
        self.0.ended().await
    }
}
