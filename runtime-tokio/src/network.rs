//! Sockets and TLS of tokio.

use std::io;
use std::net::{self, SocketAddr};
use std::sync::Arc;

use msl_network_protocol::drive::Wire;
use msl_network_runtime::Network;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::runtime::Tokio;
use crate::wire::Socket;

impl Network for Tokio {
    type Listener = TcpListener;
    type Stream = TcpStream;

    fn listener(socket: net::TcpListener) -> io::Result<TcpListener> {
        TcpListener::from_std(socket)
    }

    fn into_std(listener: TcpListener) -> io::Result<net::TcpListener> {
        listener.into_std()
    }

    async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        listener.accept().await
    }

    async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
        TcpStream::connect((host, port)).await
    }

    fn stream(socket: net::TcpStream) -> io::Result<TcpStream> {
        TcpStream::from_std(socket)
    }

    fn socket(stream: &TcpStream) -> SockRef<'_> {
        SockRef::from(stream)
    }

    fn plain(&self, stream: TcpStream) -> impl Wire + Unpin + Send + 'static {
        Socket::new(stream, self.clock)
    }

    async fn accept_tls(
        &self,
        stream: &mut TcpStream,
        config: Arc<ServerConfig>,
    ) -> io::Result<impl Wire + Unpin + Send> {
        Ok(Socket::new(TlsAcceptor::from(config).accept(stream).await?, self.clock))
    }

    async fn connect_tls(
        &self,
        stream: TcpStream,
        name: ServerName<'static>,
        config: Arc<ClientConfig>,
    ) -> io::Result<impl Wire + Unpin + Send + 'static> {
        Ok(Socket::new(TlsConnector::from(config).connect(name, stream).await?, self.clock))
    }
}
