//! Connecting and being introduced, one step after the other: nothing here is measured but in the rows about connections.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, Stream};

use crate::Failure;
use crate::protocol::{Protocol, shown};

/// How long an answer may take; reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who a device is for its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    /// A service.
    Service(&'static str),
    /// A client of that service; its number only tells it from the others.
    Client(usize, &'static str),
}

/// Where a peer is reached, and how.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) port: u16,
    pub(crate) protocol: Protocol,
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

/// A connection that blocks.
pub(crate) struct Dialled {
    pub(crate) stream: TcpStream,
    pub(crate) tls: Option<ClientConnection>,
    received: Vec<u8>,
}

impl Address {
    /// The same, where no session is taken up that there was before.
    pub(crate) fn without_resumption(mut self) -> Self {
        if let Some(tls) = &mut self.tls {
            Arc::make_mut(tls).resumption = Resumption::disabled();
        }
        self
    }

    /// A device that its peer knows.
    pub(crate) fn introduce(&self, device: Device) -> Result<Dialled, Failure> {
        let mut dialled = self.dial()?;
        match self.protocol {
            Protocol::Lines => dialled.introduce_to_manager(device)?,
            Protocol::Nats => dialled.introduce_to_nats(device)?,
        }
        Ok(dialled)
    }

    fn dial(&self) -> Result<Dialled, Failure> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut dialled = Dialled { stream, tls: None, received: Vec::new() };
        if self.protocol == Protocol::Nats {
            // Its greeting is not encrypted.
            dialled.expect("INFO")?;
        }
        if let Some(tls) = &self.tls {
            dialled.tls = Some(ClientConnection::new(tls.clone(), ServerName::try_from("localhost")?)?);
        }
        Ok(dialled)
    }
}

impl Dialled {
    fn introduce_to_manager(&mut self, device: Device) -> Result<(), Failure> {
        self.expect("\"identity\"")?;
        let (identity, attribute, arguments) = match device {
            Device::Service(name) => {
                let identity = format!(r#"{{"type": "service", "name": "{name}", "attributes": {{}}}}"#);
                (identity, "identity", String::new())
            }
            Device::Client(number, service) => {
                let identity = format!(r#"{{"type": "client", "name": "client {number}"}}"#);
                (identity, "link", format!("\"{service}\""))
            }
        };
        // There is no answer to an identity; the answer to a request shows that it is known.
        self.send(&format!(
            "{{\"result\": {identity}}}\r\n{{\"service\": \"Manager\", \"attribute\": \"{attribute}\", \"args\": [{arguments}], \
             \"kwargs\": {{}}, \"uid\": \"welcome\", \"error\": false}}\r\n"
        ))?;
        self.expect("\"error\": false")
    }

    fn introduce_to_nats(&mut self, device: Device) -> Result<(), Failure> {
        let subjects = match device {
            Device::Service(name) => format!("SUB {name} 1\r\n"),
            Device::Client(number, _) => format!("SUB answers.{number} 1\r\nSUB notifications 2\r\n"),
        };
        self.send(&format!("CONNECT {{\"verbose\": false, \"pedantic\": false}}\r\n{subjects}PING\r\n"))?;
        self.expect("PONG")
    }

    /// Ends the connection in good order.
    pub(crate) fn hang_up(mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            self.flush()?;
        }
        self.stream.shutdown(Shutdown::Both)
    }

    /// Sends this text.
    pub(crate) fn send(&mut self, text: &str) -> io::Result<()> {
        self.write_all(text.as_bytes())?;
        self.flush()
    }

    /// Reads a line, which must have this text in it.
    fn expect(&mut self, text: &str) -> Result<(), Failure> {
        let line = self.read_line()?;
        match memchr::memmem::find(&line, text.as_bytes()) {
            Some(_) => Ok(()),
            None => Err(format!("{text} was expected, and not {}", shown(&line)).into()),
        }
    }

    fn read_line(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.received) {
                return Ok(self.received.drain(..=end).collect());
            }
            let mut buffer = [0; 16 * 1024];
            let read = self.read(&mut buffer)?;
            if read == 0 {
                return Err("the connection has ended".into());
            }
            self.received.extend_from_slice(&buffer[..read]);
        }
    }

    /// Whether TLS took up a session that there was before.
    pub(crate) fn is_resumed(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.handshake_kind() == Some(HandshakeKind::Resumed))
    }
}

impl Read for Dialled {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            Some(tls) => Stream::new(tls, &mut self.stream).read(buffer),
            None => self.stream.read(buffer),
        }
    }
}

impl Write for Dialled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            Some(tls) => Stream::new(tls, &mut self.stream).write(bytes),
            None => self.stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => Stream::new(tls, &mut self.stream).flush(),
            None => Ok(()),
        }
    }
}
