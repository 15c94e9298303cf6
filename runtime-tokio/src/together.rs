//! A Manager and services in one process, for a computer with its instruments.

use std::future::Future;
use std::sync::Arc;

use msl_network_protocol::author::{Connect, Ended, Service};
use msl_network_protocol::device::Error;
use tokio::sync::oneshot;

use crate::{Listener, Manager, serve};

/// Serves devices as [`serve`] does, and runs services that connect with this Manager. Ends when the last of the services
/// has gone (clients can shut them down), or when `stop` is ready.
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
    let (gone, all_gone) = oneshot::channel::<()>();
    let stop = async {
        tokio::select! {
            () = stop => {}
            _ = all_gone => {}
        }
    };
    let run = async {
        // Dropped on any way out of here; the Manager then ends.
        let _gone = gone;
        let mut ends: Vec<Ended> = Vec::new();
        for service in services {
            // One that connects again when it is lost would wait for another Manager.
            ends.push(service.reconnect(None).await?.ended());
        }
        for end in ends {
            end.await;
        }
        Ok(())
    };
    let ((), outcome) = tokio::join!(serve(listener, manager, tls, stop), run);
    outcome
}
