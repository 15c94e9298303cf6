//! Sockets and TLS of smol.

use std::io;
use std::net::{self, SocketAddr};
use std::sync::Arc;

use futures_rustls::{TlsAcceptor, TlsConnector};
use msl_network_protocol::drive::Wire;
use msl_network_runtime::Network;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use smol::Async;
use smol::net::TcpStream;
use socket2::SockRef;

use crate::runtime::Smol;
use crate::wire::Socket;

impl Network for Smol {
    type Listener = Async<net::TcpListener>;
    type Stream = TcpStream;

    fn listener(socket: net::TcpListener) -> io::Result<Self::Listener> {
        Async::try_from(socket)
    }

    fn into_std(listener: Self::Listener) -> io::Result<net::TcpListener> {
        listener.into_inner()
    }

    async fn accept(listener: &Self::Listener) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, address) = listener.accept().await?;
        Ok((stream.into(), address))
    }

    async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
        TcpStream::connect((host, port)).await
    }

    fn stream(socket: net::TcpStream) -> io::Result<TcpStream> {
        TcpStream::try_from(socket)
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
