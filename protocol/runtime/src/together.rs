//! A Manager and services in one process, for a computer with its instruments.

use std::future::Future;
use std::sync::Arc;

use async_lock::OnceCell;
use futures_lite::future::{or, zip};
use msl_network_protocol::author::{Connect, Ended, RunningService, Service};
use msl_network_protocol::device::Error;
use msl_network_protocol::drive::Manager;
use rustls::ServerConfig;

use crate::{Listener, Network, serve};

/// Serves devices as [`serve`] does, and runs services. Ends when the last of them has gone (clients can shut them down), or when
/// `stop` is ready; then all of them are shut down, wherever they are connected.
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
    let over = OnceCell::new();
    let is_over = async {
        over.wait().await;
    };
    let run = async {
        // Told to the Manager at once, too: it sees to it that no open request holds up the end.
        let stop = async {
            stop.await;
            let _ = over.set(()).await;
        };
        let outcome = run(services, stop).await;
        // If it has been told already, that is as good.
        let _ = over.set(()).await;
        outcome
    };
    let ((), outcome) = zip(serve(network, listener, manager, tls, is_over), run).await;
    outcome
}

/// Starts them one after the other, and waits for the end of all.
async fn run(
    services: impl IntoIterator<Item = Connect<Service>>,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let mut running = Vec::new();
    let until_all_have_gone = async {
        for service in services {
            // One that connects again when it is lost would wait for another Manager.
            running.push(service.reconnect(None).await?);
        }
        for service in &running {
            service.ended().await;
        }
        Ok(())
    };
    let until_stopped = async {
        stop.await;
        Ok(())
    };
    // A service that is being started at that time is given up.
    let outcome = or(until_all_have_gone, until_stopped).await;
    let ends: Vec<Ended> = running.iter().map(RunningService::shut_down).collect();
    for end in ends {
        end.await;
    }
    outcome
}
