//! The runtimes that the program was built with: `--runtime`.
//!
//! Nothing else here knows which one it is. A program with one of them only: `--no-default-features --features smol`.

#[cfg(feature = "tokio")]
use std::env;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
#[cfg(feature = "tokio")]
use msl_network_manager::computer::half_of_the_cores;
use msl_network_protocol::author::{Address, BoxFuture, Connect, IntoService, NewClient, Service};
use msl_network_protocol::drive::Manager;
use msl_network_runtime::Listener;
#[cfg(feature = "smol")]
use smol::unblock;
#[cfg(feature = "tokio")]
use tokio::{runtime::Builder, task::spawn_blocking};

#[cfg(not(any(feature = "tokio", feature = "smol")))]
compile_error!("the program needs a runtime: build it with the feature `tokio` or `smol`");

/// What carries the connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Runtime {
    #[cfg(feature = "tokio")]
    #[default]
    Tokio,
    #[cfg(feature = "smol")]
    #[cfg_attr(not(feature = "tokio"), default)]
    Smol,
}

/// The number of tokio's threads is its own affair where this is set.
#[cfg(feature = "tokio")]
const THREADS: &str = "TOKIO_WORKER_THREADS";

impl Runtime {
    /// Runs a future on this thread, and on others what it spawns.
    ///
    /// # Errors
    /// The threads cannot be started.
    #[cfg_attr(not(feature = "tokio"), expect(clippy::unnecessary_wraps, reason = "smol always can"))]
    pub(crate) fn block_on<T>(self, future: impl Future<Output = T>) -> io::Result<T> {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => {
                let mut builder = Builder::new_multi_thread();
                if env::var_os(THREADS).is_none() {
                    builder.worker_threads(half_of_the_cores());
                }
                let runtime = builder.enable_all().build()?;
                let output = runtime.block_on(future);
                // A look-up of a host name may still be waiting for a name server; nobody waits for it any more.
                runtime.shutdown_background();
                Ok(output)
            }
            #[cfg(feature = "smol")]
            Self::Smol => Ok(smol::block_on(future)),
        }
    }

    /// Runs what may block, elsewhere.
    pub(crate) fn run_blocking(self, job: impl FnOnce() + Send + 'static) {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => drop(spawn_blocking(job)),
            #[cfg(feature = "smol")]
            Self::Smol => unblock(job).detach(),
        }
    }

    /// Runs this after that time. It must not block.
    pub(crate) fn run_later(self, after: Duration, job: impl FnOnce() + Send + 'static) {
        let later = async move {
            self.sleep(after).await;
            job();
        };
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => drop(tokio::spawn(later)),
            #[cfg(feature = "smol")]
            Self::Smol => smol::spawn(later).detach(),
        }
    }

    /// Is ready after this time.
    pub(crate) async fn sleep(self, time: Duration) {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => tokio::time::sleep(time).await,
            #[cfg(feature = "smol")]
            Self::Smol => drop(smol::Timer::after(time).await),
        }
    }

    /// The first signal that asks for the end, by its name; from now on.
    ///
    /// # Errors
    /// The system does not let this program handle signals.
    pub(crate) fn interrupted(self) -> io::Result<BoxFuture<&'static str>> {
        Ok(match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => Box::pin(msl_network_tokio::interrupted()?),
            #[cfg(feature = "smol")]
            Self::Smol => Box::pin(msl_network_smol::interrupted()?),
        })
    }

    /// A client that is about to be connected.
    pub(crate) fn connect(self, address: impl Into<Address>) -> Connect<NewClient> {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => msl_network_tokio::connect(address),
            #[cfg(feature = "smol")]
            Self::Smol => msl_network_smol::connect(address),
        }
    }

    /// A service that is about to be started.
    pub(crate) fn start(self, service: impl IntoService, address: impl Into<Address>) -> Connect<Service> {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => msl_network_tokio::start(service, address),
            #[cfg(feature = "smol")]
            Self::Smol => msl_network_smol::start(service, address),
        }
    }

    /// Serves devices until `stop` is ready.
    pub(crate) async fn serve(
        self,
        listener: Listener,
        manager: Arc<Manager>,
        tls: Option<Arc<rustls::ServerConfig>>,
        stop: impl Future<Output = ()>,
    ) {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => msl_network_tokio::serve(listener, manager, tls, stop).await,
            #[cfg(feature = "smol")]
            Self::Smol => msl_network_smol::serve(listener, manager, tls, stop).await,
        }
    }
}
