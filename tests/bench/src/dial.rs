//! Connecting and being introduced, one step after the other: nothing here is measured but in the rows about connections.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, Stream};

use crate::Failure;
use crate::protocol::{Protocol, SERVICE, shown};

/// How long an answer may take; reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who a device is for its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    /// The service that is asked.
    Service,
    /// One of its clients, which are counted from 0.
    Client(usize),
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
        let identity = match device {
            Device::Service => {
                format!(
                    r#"{{"result": {{"type": "service", "name": "{SERVICE}", "attributes": {{"echo": "(x)"}}}}}}"#
                )
            }
            Device::Client(number) => {
                format!(r#"{{"result": {{"type": "client", "name": "client {number}"}}}}"#)
            }
        };
        let (attribute, arguments) = match device {
            Device::Service => ("identity", String::new()),
            Device::Client(_) => ("link", format!("\"{SERVICE}\"")),
        };
        // There is no answer to an identity; the answer to a request shows that it is known.
        self.send(&format!(
            "{identity}\r\n{{\"service\": \"Manager\", \"attribute\": \"{attribute}\", \"args\": [{arguments}], \
             \"kwargs\": {{}}, \"uid\": \"welcome\", \"error\": false}}\r\n"
        ))?;
        self.expect("\"error\": false")
    }

    fn introduce_to_nats(&mut self, device: Device) -> Result<(), Failure> {
        let subjects = match device {
            Device::Service => format!("SUB {SERVICE} 1\r\n"),
            Device::Client(number) => format!("SUB answers.{number} 1\r\nSUB notifications 2\r\n"),
        };
        self.send(&format!("CONNECT {{\"verbose\": false, \"pedantic\": false}}\r\n{subjects}PING\r\n"))?;
        self.expect("PONG")
    }

    /// Sends these bytes.
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
