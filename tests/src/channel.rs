//! The bytes of a connection, plain or through TLS, for a thread that may block.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A connected socket.
#[derive(Debug)]
pub(crate) enum Channel {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Channel {
    /// Begins TLS, as `localhost`, with a Manager that has this certificate.
    pub(crate) fn encrypt(self, certificate: &Path) -> Self {
        let Self::Plain(socket) = self else { panic!("it is encrypted already") };
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(certificate).expect("the certificate can be read");
        roots.add(certificate).expect("the certificate can be trusted");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("it is a name");
        let session = ClientConnection::new(Arc::new(config), name).expect("the configuration is complete");
        Self::Tls(Box::new(StreamOwned::new(session, socket)))
    }

    /// The socket beneath.
    pub(crate) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &stream.sock,
        }
    }

    /// Ends the sending side only, with TLS's `close_notify` first.
    pub(crate) fn end_sending(&mut self) {
        if let Self::Tls(stream) = self {
            stream.conn.send_close_notify();
            stream.flush().expect("the connection is open");
        }
        self.socket().shutdown(Shutdown::Write).expect("the connection is open");
    }
}

impl Read for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
