//! The seam between a runtime and everything above it.

use std::future::Future;
use std::io;
use std::net::{self, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::or;
use msl_network_protocol::author::Runtime;
use msl_network_protocol::drive::Wire;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use socket2::SockRef;

/// A runtime with its sockets. Cheap to clone.
///
/// Every method does one thing and decides nothing.
pub trait Network: Runtime + Clone + 'static {
    /// A socket that listens.
    type Listener: Send + Sync + 'static;

    /// A TCP connection.
    type Stream: Send + Sync + 'static;

    /// A socket of the system, which does not block, as one of the runtime that this is called on.
    ///
    /// # Errors
    /// The runtime cannot take another socket.
    fn listener(socket: net::TcpListener) -> io::Result<Self::Listener>;

    /// The socket of the system again.
    ///
    /// # Errors
    /// The runtime cannot part with it.
    fn into_std(listener: Self::Listener) -> io::Result<net::TcpListener>;

    /// The next device.
    ///
    /// # Errors
    /// The system cannot accept one now, or the device has gone already.
    fn accept(
        listener: &Self::Listener,
    ) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;

    /// Connects with one of the addresses of a host, in the order in which the system names them.
    ///
    /// # Errors
    /// The host has no address, or none can be connected with.
    fn connect(host: &str, port: u16) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// A socket of the system, which does not block, as one of the runtime that this is called on.
    ///
    /// # Errors
    /// The runtime cannot take another socket.
    fn stream(socket: net::TcpStream) -> io::Result<Self::Stream>;

    /// The socket beneath, for its options.
    fn socket(stream: &Self::Stream) -> SockRef<'_>;

    /// The stream as it is.
    fn plain(&self, stream: Self::Stream) -> impl Wire + Unpin + Send + 'static;

    /// Does the TLS handshake of a Manager. The stream is borrowed, as it has to be there still when this fails.
    ///
    /// # Errors
    /// The handshake failed; a [`rustls::Error`] is within the error.
    fn accept_tls(
        &self,
        stream: &mut Self::Stream,
        config: Arc<ServerConfig>,
    ) -> impl Future<Output = io::Result<impl Wire + Unpin + Send>> + Send;

    /// Does the TLS handshake of a device.
    ///
    /// # Errors
    /// The handshake failed; a [`rustls::Error`] is within the error.
    fn connect_tls(
        &self,
        stream: Self::Stream,
        name: ServerName<'static>,
        config: Arc<ClientConfig>,
    ) -> impl Future<Output = io::Result<impl Wire + Unpin + Send + 'static>> + Send;
}

/// `None` if it takes longer than this.
pub(crate) async fn timeout<T>(
    network: &impl Network,
    time: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    let too_long = async {
        network.sleep(time).await;
        None
    };
    or(async { Some(future.await) }, too_long).await
}
