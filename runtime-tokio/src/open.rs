//! Opening the socket of a device.

use std::sync::Arc;

use msl_network_protocol::author::{ConnectOptions, Driver, Endpoint};
use msl_network_protocol::device::{Error, ErrorKind};
use msl_network_protocol::limits::Limits;
use msl_network_trust::{FirstUse, Handshake};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tracing::debug;

use crate::Socket;
use crate::listener::configure;
use crate::runtime::Tokio;
use crate::serve::LOG;

/// Connects with the Manager, and spawns the driver of the connection.
pub(crate) async fn open(
    runtime: Tokio,
    options: ConnectOptions,
    endpoint: Arc<dyn Endpoint>,
) -> Result<(), Error> {
    if options.tls.enabled {
        drive(&runtime, encrypted(&options).await?, endpoint);
    } else {
        drive(&runtime, tcp(&options).await?, endpoint);
    }
    Ok(())
}

fn drive<S>(runtime: &Tokio, stream: S, endpoint: Arc<dyn Endpoint>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    runtime.handle.spawn(Driver::new(Socket::new(stream, runtime.clock), endpoint));
}

/// Tries all addresses of the host, in the order in which the system names them.
async fn tcp(options: &ConnectOptions) -> Result<TcpStream, Error> {
    let address = options.address.parts()?;
    match timeout(options.timeout, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => {
            if let Err(error) = configure(&stream, &Limits::default()) {
                // Only a connection that is slower, or that takes longer to notice its end.
                debug!(target: LOG, "{}: {error}", options.address);
            }
            Ok(stream)
        }
        Ok(Err(error)) => Err(options.cannot_connect(&error)),
        Err(_) => Err(options.timed_out()),
    }
}

/// A connection whose certificate is trusted; on the first use, once it is.
async fn encrypted(options: &ConnectOptions) -> Result<TlsStream<TcpStream>, Error> {
    let (mut stream, first_use) = handshake(options).await?;
    let FirstUse::Ask(asking) = first_use else { return Ok(stream) };
    // The Manager does not wait for as long as a person may think. What it says to this goodbye is of no interest.
    let _ = timeout(options.timeout, stream.shutdown()).await;
    drop(stream);
    let stopped = |_| Error::new(ErrorKind::Io, "the runtime is being shut down");
    spawn_blocking(move || asking.ask()).await.map_err(stopped)??;
    match handshake(options).await? {
        (stream, FirstUse::Trusted) => Ok(stream),
        (_, FirstUse::Ask(_)) => {
            Err(Error::new(ErrorKind::Tls, "the certificate that was saved a moment ago is gone again"))
        }
    }
}

async fn handshake(options: &ConnectOptions) -> Result<(TlsStream<TcpStream>, FirstUse), Error> {
    let handshake = Handshake::new(options)?;
    let stream = tcp(options).await?;
    let connector = TlsConnector::from(handshake.config());
    let connected = timeout(options.timeout, connector.connect(handshake.server_name(), stream)).await;
    let stream = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(handshake.explain(&error)),
        Err(_) => return Err(options.timed_out()),
    };
    Ok((stream, handshake.finish()?))
}
