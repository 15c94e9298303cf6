//! smol, as the authors' handles know it: threads, time, signals.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use msl_network_protocol::author::{
    BoxFuture, Computer, ConnectOptions, Endpoint, Executor, Runtime, Runtimes,
};
use msl_network_protocol::device::{Error, ErrorKind};
use msl_network_protocol::instant::Instant;
use msl_network_runtime::{Clock, open};
use msl_network_trust::computer;
use smol::{Timer, unblock};

use crate::interrupted;
use crate::pool::{self, Pool};

/// The executor of a [`Pool`], with its clock.
#[derive(Clone, Debug)]
pub(crate) struct Smol {
    /// Weak, as its tasks have this: they end with the pool.
    executor: Weak<smol::Executor<'static>>,
    pub(crate) clock: Clock,
}

impl Smol {
    pub(crate) fn new(pool: &Pool) -> Self {
        Self { executor: pool.executor(), clock: Clock::start() }
    }
}

impl Executor for Smol {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        if let Some(executor) = self.executor.upgrade() {
            executor.spawn(future).detach();
        }
    }

    fn block(&self, job: Box<dyn FnOnce() + Send>) {
        unblock(job).detach();
    }
}

impl Runtime for Smol {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<()> {
        let timer = Timer::after(time);
        Box::pin(async {
            timer.await;
        })
    }

    fn is_asynchronous_here(&self) -> bool {
        pool::is_here()
    }

    fn interrupted(&self) -> BoxFuture<()> {
        let signal = interrupted();
        Box::pin(async move {
            match signal {
                Ok(signal) => drop(signal.await),
                // The program then ends as the system ends it.
                Err(_) => pending().await,
            }
        })
    }

    fn computer(&self) -> Computer {
        let (language, os) = (computer::language(), computer::os());
        Computer { language, os }
    }

    fn open(&self, options: &ConnectOptions, endpoint: Arc<dyn Endpoint>) -> BoxFuture<Result<(), Error>> {
        Box::pin(open(self.clone(), options.clone(), endpoint))
    }
}

/// The one place where the connections of devices run, whoever waits for them: a thread of this crate.
///
/// smol's own executor would do for most programs. But smol does not tell whether a thread runs it, so that nobody could
/// warn a task that parks the only one, with the connection that it waits for on it.
#[derive(Debug)]
pub(crate) struct Background;

impl Runtimes for Background {
    fn here(&self) -> Result<Arc<dyn Runtime>, Error> {
        self.background()
    }

    fn background(&self) -> Result<Arc<dyn Runtime>, Error> {
        static STARTED: OnceLock<std::io::Result<(Pool, Smol)>> = OnceLock::new();
        let started = STARTED.get_or_init(|| {
            let mut pool = Pool::new();
            pool.start_thread()?;
            let smol = Smol::new(&pool);
            Ok((pool, smol))
        });
        match started {
            Ok((_, smol)) => Ok(Arc::new(smol.clone())),
            Err(error) => {
                Err(Error::new(ErrorKind::Io, format!("cannot start a thread for the connection: {error}")))
            }
        }
    }
}
