//! A Manager and services in one process, for a computer with its instruments.

use std::future::Future;
use std::sync::Arc;

use async_lock::OnceCell;
use futures_lite::future::{or, zip};
use msl_network_protocol::author::{Connect, Ended, Service};
use msl_network_protocol::device::Error;
use msl_network_protocol::drive::Manager;
use rustls::ServerConfig;

use crate::{Listener, Network, serve};

/// Serves devices as [`serve`] does, and runs services that connect with this Manager. Ends when the last of the services
/// has gone (clients can shut them down), or when `stop` is ready.
///
/// # Errors
/// Why a service could not be started; everything has ended then, too.
pub async fn run_services<N: Network>(
    network: N,
    listener: Listener,
    manager: Arc<Manager>,
    tls: Option<Arc<ServerConfig>>,
    services: impl IntoIterator<Item = Connect<Service>>,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let all_gone = OnceCell::new();
    let stop = or(stop, async {
        all_gone.wait().await;
    });
    let run = async {
        let outcome = run(services).await;
        // It is set here only, once; the Manager then ends.
        let _ = all_gone.set(()).await;
        outcome
    };
    let ((), outcome) = zip(serve(network, listener, manager, tls, stop), run).await;
    outcome
}

/// Starts them one after the other, and waits for the end of all.
async fn run(services: impl IntoIterator<Item = Connect<Service>>) -> Result<(), Error> {
    let mut ends: Vec<Ended> = Vec::new();
    for service in services {
        // One that connects again when it is lost would wait for another Manager.
        ends.push(service.reconnect(None).await?.ended());
    }
    for end in ends {
        end.await;
    }
    Ok(())
}
