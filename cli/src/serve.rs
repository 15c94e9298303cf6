//! Serving, once everything is ready: the place where the Manager meets a runtime.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use msl_network_manager::duties::{Duties, Equipment};
use msl_network_manager::log::{Control, TARGET};
use msl_network_manager::program::{Job, Program};
use msl_network_manager::store::ConnectionLog;
use msl_network_manager::{Authentication, Computer, Config, Error, Kind, Secret, Store};
use msl_network_protocol::settings::ManagerIdentity;
use msl_network_protocol::settings::{self, Settings};
use msl_network_tokio::{Listener, Manager, serve as serve_devices};
use tokio::runtime::{self, Handle};
use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::info;

/// What it takes to serve.
pub(crate) struct Serve {
    /// What the Manager was told.
    pub(crate) config: Config,
    /// Where it runs.
    pub(crate) computer: Computer,
    /// How connections are encrypted, if they are.
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    /// What it remembers.
    pub(crate) store: Store,
    /// Where it is written who connects.
    pub(crate) connections: Arc<ConnectionLog>,
    /// Which events are logged.
    pub(crate) log: Control,
}

/// What the Manager's duties may use of this program.
struct Surroundings {
    stop: Arc<Notify>,
    runtime: Handle,
}

impl Program for Surroundings {
    fn run_blocking(&self, job: Job) {
        self.runtime.spawn_blocking(job);
    }

    fn run_later(&self, after: Duration, job: Job) {
        self.runtime.spawn(async move {
            sleep(after).await;
            job();
        });
    }

    fn shut_down(&self) {
        self.stop.notify_one();
    }
}

/// Serves until the Manager is told to stop, by a signal or by an administrator.
///
/// # Errors
/// When it cannot listen.
pub(crate) fn serve(ready: Serve) -> Result<(), Error> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed("cannot start the runtime", error))?;
    let connections = ready.connections.clone();
    let outcome = runtime.block_on(run(ready));
    // A look-up of a host name may still be waiting for a name server; nobody waits for it any more.
    runtime.shutdown_background();
    connections.finish();
    outcome
}

async fn run(ready: Serve) -> Result<(), Error> {
    let Serve { config, computer, tls, store, connections, log } = ready;
    // Before the port is open, so that no signal is missed once somebody may know of it.
    let signals = signals().map_err(|error| failed("cannot wait for signals", error))?;
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
    let stop = Arc::new(Notify::new());
    let equipment = Equipment {
        host_name: computer.host_name.clone(),
        password: password(&config.authentication),
        store,
        connections,
        log,
    };
    let duties = Duties::new(equipment, Surroundings { stop: stop.clone(), runtime: Handle::current() });
    let settings = Settings::new(identity, way(&config.authentication), config.limits.clone());
    let manager = Manager::new(settings, Box::new(duties));
    info!(target: TARGET, "{}", config.running(&computer.host_name, listener.port()));
    serve_devices(listener, manager, tls, async {
        tokio::select! {
            name = signals => info!(target: TARGET, "{name} received"),
            () = stop.notified() => {}
        }
        info!(target: TARGET, "shutting down the Network Manager");
    })
    .await;
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

/// The first signal that asks for the end, by its name.
#[cfg(unix)]
fn signals() -> io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        }
    })
}

/// Ctrl+C, or Ctrl+Break.
#[cfg(windows)]
fn signals() -> io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::windows::{ctrl_break, ctrl_c};

    let (mut interrupt, mut stop) = (ctrl_c()?, ctrl_break()?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "Ctrl+C",
            _ = stop.recv() => "Ctrl+Break",
        }
    })
}
