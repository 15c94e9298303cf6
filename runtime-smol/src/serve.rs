//! A Manager on smol.

use std::future::Future;
use std::io;
use std::sync::Arc;

use msl_network_protocol::author::{Connect, Service};
use msl_network_protocol::device::Error;
use msl_network_protocol::drive::Manager;
use msl_network_runtime::Listener;
use msl_network_trust::computer::half_of_the_cores;
use tracing::warn;

use crate::interrupted;
use crate::pool::Pool;
use crate::runtime::Smol;

/// Serves devices until `stop` is ready, or somebody else calls [`Manager::shut_down`]; then ends every connection in good
/// order and returns. It may be awaited on any executor, and has one of its own, with a thread for every second core.
///
/// With `tls`, devices have to speak TLS. At the end, open requests get their answers, or an error after
/// [`Limits::shutdown`]; it takes no longer than that and twice [`Limits::linger`]. If it is dropped before its end, so are
/// its connections.
///
/// [`Limits::shutdown`]: msl_network_protocol::limits::Limits::shutdown
/// [`Limits::linger`]: msl_network_protocol::limits::Limits::linger
pub async fn serve(
    listener: Listener,
    manager: Arc<Manager>,
    tls: Option<Arc<rustls::ServerConfig>>,
    stop: impl Future<Output = ()>,
) {
    let pool = pool();
    let serving = msl_network_runtime::serve(Smol::new(&pool), listener, manager, tls, stop);
    // Boxed, as what awaits this would be large otherwise.
    pool.run(Box::pin(serving)).await;
}

/// Serves devices as [`serve`] does until the program is asked to end: Ctrl+C, or SIGTERM. Services of the same program are run
/// by [`run_services`], with [`interrupted`] as what stops it.
///
/// # Errors
/// The system does not let this program handle signals.
pub async fn run_forever(
    listener: Listener,
    manager: Arc<Manager>,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> io::Result<()> {
    let signal = interrupted()?;
    let stop = async {
        signal.await;
    };
    serve(listener, manager, tls, stop).await;
    Ok(())
}

/// Serves devices as [`serve`] does, and runs services that connect with this Manager. Ends when the last of the services
/// has gone (clients can shut them down), or when `stop` is ready; the services are shut down then. It returns when their hooks
/// for the end have returned ([`Service::on_disconnect`]).
///
/// The services are started one after the other; each is given the way to this Manager, as any other service:
/// `start(service, ("localhost", listener.port()))`, and its certificate. None connects again when this Manager is gone.
///
/// # Errors
/// Why a service could not be started; everything has ended then, too.
pub async fn run_services(
    listener: Listener,
    manager: Arc<Manager>,
    tls: Option<Arc<rustls::ServerConfig>>,
    services: impl IntoIterator<Item = Connect<Service>>,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let pool = pool();
    let smol = Smol::new(&pool);
    let serving = msl_network_runtime::run_services(smol, listener, manager, tls, services, stop);
    pool.run(Box::pin(serving)).await
}

/// Half of the cores: docs/design.md says why. If the system gives no thread at all, the one that awaits the Manager does everything.
fn pool() -> Pool {
    let mut pool = Pool::new();
    if let Some(error) = (0..half_of_the_cores()).find_map(|_| pool.start_thread().err()) {
        warn!(target: "msl.network", "there will be fewer threads than there should be: {error}");
    }
    pool
}
