//! A service that is connected, as its author holds it.

use std::io::{Write, stderr};

use super::session::ServiceSession;
use super::{Notifier, Service};
use crate::author::connect::{Connect, Device, Way};
use crate::author::connection::Connection;
use crate::author::keeper::keep;
use crate::author::park::block_on;
use crate::author::runtime::{BoxFuture, First, check_may_park, first, unblock};
use crate::author::{Ended, Runtime};
use crate::device::Error;

impl Device for Service {
    type Connected = RunningService;

    fn connect(self, way: Way) -> BoxFuture<Result<RunningService, Error>> {
        Box::pin(async move {
            let (options, runtime) = (way.options.clone(), way.runtime.clone());
            // The properties are read, which may take its time.
            let session =
                unblock(&*way.runtime, move || ServiceSession::new(self, &options, runtime)).await??;
            way.open(&Connection::begin(&session)).await?;
            keep(&session, &way);
            Ok(RunningService(session))
        })
    }
}

impl Connect<Service> {
    /// Runs the service until its end, for programs that are nothing else. Ctrl+C, and SIGTERM, shut it down: what is being
    /// executed is finished and answered first, unless there is a second Ctrl+C.
    ///
    /// # Errors
    /// Why it could not be started, or why the connection was lost; [`crate::device::ErrorKind::Invalid`] on a thread that
    /// runs asynchronous code, which it would hold up.
    pub fn run(self) -> Result<(), Error> {
        self.wait()?.run()
    }
}

/// A service that clients can reach. Cheap to clone; the service goes on when its handles are dropped.
#[derive(Clone, Debug)]
pub struct RunningService(ServiceSession);

impl RunningService {
    /// The service's name.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The Manager's network name, like `Manager[lab:1875]`.
    pub fn manager(&self) -> String {
        self.0.manager()
    }

    /// Whether clients can reach it now.
    pub fn is_connected(&self) -> bool {
        self.0.is_connected()
    }

    /// Sends notifications outside of requests.
    pub fn notifier(&self) -> Notifier {
        Notifier::new(self.0.clone())
    }

    /// Waits for the end, for programs that are nothing else, as [`Connect::run`] does: Ctrl+C, and SIGTERM, shut the service
    /// down. A line on standard error says that it runs.
    ///
    /// # Errors
    /// Why the connection was lost; [`crate::device::ErrorKind::Invalid`] on a thread that runs asynchronous code, which it
    /// would hold up.
    pub fn run(self) -> Result<(), Error> {
        let runtime = self.0.runtime().clone();
        check_may_park(runtime.is_asynchronous_here(), "await shut_down() or ended() here")?;
        // Without a standard error, nobody wants to know.
        let _ = writeln!(stderr(), "{} runs at {}; Ctrl+C ends it", self.name(), self.manager());
        block_on(self.run_until_interrupted(&*runtime))
    }

    /// Lets no more requests in, and finishes and answers those that are being executed; the returned future is ready when
    /// the connection has ended and [`Service::on_disconnect`] has returned. A method that never returns holds it up for ever; a
    /// Manager that does not answer, for [`LEAVE`](crate::device::LEAVE) at most. A connection that is being restored is given up at once.
    pub fn shut_down(&self) -> Ended {
        self.0.shut_down();
        self.ended()
    }

    /// Is ready when the connection has ended and [`Service::on_disconnect`] has returned, and says why. One that is [restored](Connect::reconnect) has not ended.
    pub fn ended(&self) -> Ended {
        Ended::new(self.0.clone())
    }

    /// Whether the end was asked for: with [`RunningService::shut_down`], or by a client with `shutdown_service`.
    pub fn is_shutting_down(&self) -> bool {
        self.0.is_shutting_down()
    }

    async fn run_until_interrupted(&self, runtime: &dyn Runtime) -> Result<(), Error> {
        match first(self.ended(), runtime.interrupted()).await {
            First::Left(_) if self.is_shutting_down() => Ok(()),
            First::Left(error) => Err(error),
            First::Right(()) => {
                first(self.shut_down(), runtime.interrupted()).await;
                Ok(())
            }
        }
    }
}
