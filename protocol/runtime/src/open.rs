//! The way of a device to its Manager.

use std::sync::Arc;

use msl_network_protocol::author::{ConnectOptions, Driver, Endpoint, unblock};
use msl_network_protocol::device::{Error, ErrorKind};
use msl_network_protocol::drive::Wire;
use msl_network_protocol::limits::Limits;
use msl_network_trust::handshake::Asking;
use msl_network_trust::{FirstUse, Handshake};
use tracing::debug;

use crate::listener::configure;
use crate::network::timeout;
use crate::serve::end;
use crate::{LOG, Network};

/// Connects with the Manager, encrypted as the options say, and spawns the driver of the connection.
///
/// # Errors
/// Why there is no connection, as a person can read it.
pub async fn open<N: Network>(
    network: N,
    options: ConnectOptions,
    endpoint: Arc<dyn Endpoint>,
) -> Result<(), Error> {
    if options.tls.enabled {
        drive(&network, encrypted(&network, &options).await?, endpoint);
    } else {
        drive(&network, network.plain(tcp(&network, &options).await?), endpoint);
    }
    Ok(())
}

fn drive(network: &impl Network, wire: impl Wire + Unpin + Send + 'static, endpoint: Arc<dyn Endpoint>) {
    network.spawn(Box::pin(Driver::new(wire, endpoint)));
}

async fn tcp<N: Network>(network: &N, options: &ConnectOptions) -> Result<N::Stream, Error> {
    let (host, port) = options.address.parts()?;
    match timeout(network, options.timeout, N::connect(host, port)).await {
        Some(Ok(stream)) => {
            if let Err(error) = configure(&N::socket(&stream), &Limits::default()) {
                // Only a connection that is slower, or that takes longer to notice its end.
                debug!(target: LOG, "{}: {error}", options.address);
            }
            Ok(stream)
        }
        Some(Err(error)) => Err(options.cannot_connect(&error)),
        None => Err(options.timed_out()),
    }
}

/// A connection whose certificate is trusted; on the first use, once it is.
async fn encrypted<N: Network>(
    network: &N,
    options: &ConnectOptions,
) -> Result<impl Wire + Unpin + Send + 'static, Error> {
    let (wire, first_use) = handshake(network, options).await?;
    let FirstUse::Ask(asking) = first_use else { return Ok(wire) };
    // The Manager does not wait for as long as a person may think.
    end(wire, options.timeout).await;
    unblock(network, move || Asking::ask(*asking)).await??;
    match handshake(network, options).await? {
        (wire, FirstUse::Trusted) => Ok(wire),
        (_, FirstUse::Ask(_)) => {
            Err(Error::new(ErrorKind::Tls, "the certificate that was saved a moment ago is gone again"))
        }
    }
}

async fn handshake<N: Network>(
    network: &N,
    options: &ConnectOptions,
) -> Result<(impl Wire + Unpin + Send + 'static, FirstUse), Error> {
    let handshake = Handshake::new(options)?;
    let stream = tcp(network, options).await?;
    let connecting = network.connect_tls(stream, handshake.server_name(), handshake.config());
    let wire = match timeout(network, options.timeout, connecting).await {
        Some(Ok(wire)) => wire,
        Some(Err(error)) => return Err(handshake.explain(&error)),
        None => return Err(options.timed_out()),
    };
    Ok((wire, handshake.finish()?))
}
