//! tokio, as the authors' handles know it: threads, time, signals.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use msl_network_protocol::author::{
    BoxFuture, Computer, ConnectOptions, Endpoint, Executor, Runtime, Runtimes,
};
use msl_network_protocol::device::{Error, ErrorKind};
use msl_network_protocol::instant::Instant;
use msl_network_runtime::{Clock, open};
use msl_network_trust::computer;
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinSet;
use tokio::time;

use crate::interrupted;

/// A runtime of tokio, for the connections of devices.
#[derive(Clone, Debug)]
pub(crate) struct Tokio {
    pub(crate) handle: Handle,
    pub(crate) clock: Clock,
}

impl Tokio {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle, clock: Clock::start() }
    }

    /// Runs a future on this runtime, whatever awaits it; it ends when it is not awaited any more.
    fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = Option<T>> + Send + 'static {
        let mut task = JoinSet::new();
        task.spawn_on(future, &self.handle);
        async move { task.join_next().await?.ok() }
    }
}

impl Executor for Tokio {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.handle.spawn(future);
    }

    fn block(&self, job: Box<dyn FnOnce() + Send>) {
        self.handle.spawn_blocking(|| {
            let _here = Blocking::begin();
            job();
        });
    }
}

impl Runtime for Tokio {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<()> {
        // The timer belongs to the runtime that it is made in.
        let _inside = self.handle.enter();
        Box::pin(time::sleep(time))
    }

    fn is_asynchronous_here(&self) -> bool {
        Handle::try_current().is_ok() && !Blocking::is_here()
    }

    fn interrupted(&self) -> BoxFuture<()> {
        let signal = {
            let _inside = self.handle.enter();
            interrupted()
        };
        Box::pin(async move {
            match signal {
                Ok(signal) => drop(signal.await),
                // The program then ends as the system ends it.
                Err(_) => std::future::pending().await,
            }
        })
    }

    fn computer(&self) -> Computer {
        let (language, os) = (computer::language(), computer::os());
        Computer { language, os }
    }

    fn open(&self, options: &ConnectOptions, endpoint: Arc<dyn Endpoint>) -> BoxFuture<Result<(), Error>> {
        let opening = self.run(open(self.clone(), options.clone(), endpoint));
        Box::pin(async move {
            opening.await.unwrap_or_else(|| Err(Error::new(ErrorKind::Io, "the runtime is being shut down")))
        })
    }
}

thread_local! {
    static IS_BLOCKING: Cell<bool> = const { Cell::new(false) };
}

/// A job of [`Executor::block`] that runs on this thread, which is there to be parked. tokio does not tell its threads for
/// blocking work from those of its tasks.
struct Blocking;

impl Blocking {
    fn begin() -> Self {
        IS_BLOCKING.set(true);
        Self
    }

    fn is_here() -> bool {
        IS_BLOCKING.get()
    }
}

/// The thread may be given back to the runtime, also after a panic.
impl Drop for Blocking {
    fn drop(&mut self) {
        IS_BLOCKING.set(false);
    }
}

/// The runtimes that a connection may be on.
#[derive(Debug)]
pub(crate) struct AnyTokio;

impl Runtimes for AnyTokio {
    fn here(&self) -> Result<Arc<dyn Runtime>, Error> {
        if let Ok(handle) = Handle::try_current() {
            return Ok(Arc::new(Tokio::new(handle)));
        }
        let text = "this is no task of a tokio runtime; in a script, use .wait() instead of .await";
        Err(Error::new(ErrorKind::Invalid, text))
    }

    fn background(&self) -> Result<Arc<dyn Runtime>, Error> {
        background().map(|runtime| Arc::new(runtime.clone()) as Arc<dyn Runtime>)
    }
}

/// The runtime of all scripts of this process: one thread for the connections, and up to 512 for what blocks. It runs
/// until the process ends, as nobody knows who is the last to need it.
fn background() -> Result<&'static Tokio, Error> {
    static RUNTIME: OnceLock<io::Result<(tokio::runtime::Runtime, Tokio)>> = OnceLock::new();
    let started = RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("msl-network").enable_all().build()?;
        let tokio = Tokio::new(runtime.handle().clone());
        Ok((runtime, tokio))
    });
    match started {
        Ok((_, tokio)) => Ok(tokio),
        Err(error) => {
            Err(Error::new(ErrorKind::Io, format!("cannot start a thread for the connection: {error}")))
        }
    }
}
