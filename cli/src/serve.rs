//! Serving, once everything is ready: the place where the Manager meets a runtime.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_lock::OnceCell;
use futures_lite::future::or;
use msl_network_manager::duties::{Duties, Equipment};
use msl_network_manager::log::{Control, TARGET};
use msl_network_manager::program::{Job, Program};
use msl_network_manager::store::ConnectionLog;
use msl_network_manager::{Authentication, Computer, Config, Error, Kind, Secret, Store};
use msl_network_protocol::drive::Manager;
use msl_network_protocol::settings::ManagerIdentity;
use msl_network_protocol::settings::{self, Settings};
use msl_network_runtime::Listener;
use tracing::info;

use crate::runtime::Runtime;

/// What it takes to serve.
pub(crate) struct Serve {
    /// What the Manager was told.
    pub(crate) config: Config,
    /// Where it runs.
    pub(crate) computer: Computer,
    /// How connections are encrypted, if they are.
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    /// What carries the connections.
    pub(crate) runtime: Runtime,
    /// What it remembers.
    pub(crate) store: Store,
    /// Where it is written who connects.
    pub(crate) connections: Arc<ConnectionLog>,
    /// Which events are logged.
    pub(crate) log: Control,
}

/// What the Manager's duties may use of this program.
struct Surroundings {
    stop: Arc<OnceCell<()>>,
    runtime: Runtime,
}

impl Program for Surroundings {
    fn run_blocking(&self, job: Job) {
        self.runtime.run_blocking(job);
    }

    fn run_later(&self, after: Duration, job: Job) {
        self.runtime.run_later(after, job);
    }

    fn shut_down(&self) {
        // A second call finds it filled, which is as good.
        let _ = self.stop.set_blocking(());
    }
}

/// Serves until the Manager is told to stop, by a signal or by an administrator.
///
/// # Errors
/// When it cannot listen.
pub(crate) fn serve(ready: Serve) -> Result<(), Error> {
    let (runtime, connections) = (ready.runtime, ready.connections.clone());
    let outcome = runtime.block_on(run(ready)).map_err(|error| failed("cannot start the runtime", error));
    connections.finish();
    outcome?
}

async fn run(ready: Serve) -> Result<(), Error> {
    let Serve { config, computer, tls, runtime, store, connections, log } = ready;
    // Before the port is open, so that no signal is missed once somebody may know of it.
    let signals = runtime.interrupted().map_err(|error| failed("cannot wait for signals", error))?;
    let shown = config.host.as_deref().unwrap_or(&computer.host_name);
    let listener = Listener::bind(config.host.as_deref(), config.port)
        .await
        .map_err(|error| failed(&format!("cannot listen on {shown}:{}", config.port), error))?;
    let identity = ManagerIdentity {
        hostname: computer.host_name.clone(),
        port: listener.port(),
        language: computer.language.clone(),
        os: computer.os.clone(),
    };
    let stop = Arc::new(OnceCell::new());
    let equipment = Equipment {
        host_name: computer.host_name.clone(),
        password: password(&config.authentication),
        store,
        connections,
        log,
    };
    let duties = Duties::new(equipment, Surroundings { stop: stop.clone(), runtime });
    let settings = Settings::new(identity, way(&config.authentication), config.limits.clone());
    let manager = Manager::new(settings, Box::new(duties));
    info!(target: TARGET, "{}", config.running(&computer.host_name, listener.port()));
    let signalled = async { info!(target: TARGET, "{} received", signals.await) };
    let told = async {
        stop.wait().await;
    };
    let serving = runtime.serve(listener, manager, tls, async {
        or(signalled, told).await;
        info!(target: TARGET, "shutting down the Network Manager");
    });
    serving.await;
    info!(target: TARGET, "the Network Manager has been shut down");
    Ok(())
}

/// Says what could not be done, and why: "address already in use", say.
fn failed(doing: &str, error: io::Error) -> Error {
    Error::with_source(Kind::Os, format!("{doing}: {error}"), error)
}

fn password(authentication: &Authentication) -> Option<Secret> {
    match authentication {
        Authentication::Password(password) => Some(password.clone()),
        _ => None,
    }
}

fn way(authentication: &Authentication) -> settings::Authentication {
    match authentication {
        Authentication::None => settings::Authentication::None,
        Authentication::Password(_) => settings::Authentication::ManagerPassword,
        Authentication::Login => settings::Authentication::Login,
        Authentication::HostNames => settings::Authentication::HostNames,
    }
}
