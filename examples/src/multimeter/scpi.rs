//! An instrument that takes a line of text as a command and answers with a line, perhaps.
//!
//! Easy to get wrong: an answer that comes too late is taken for the answer to the next question. So the connection is
//! given up after every failure, and the next command begins with a new one.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use msl_network_tokio::ServiceError;

/// The longest answer that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// A connection with an instrument that is made when it is needed.
pub(super) struct Instrument {
    address: String,
    timeout: Duration,
    port: Mutex<Option<Port>>,
}

type Port = BufReader<Box<dyn Stream>>;

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl Instrument {
    pub(super) fn new(address: String, timeout: Duration) -> Self {
        Self { address, timeout, port: Mutex::new(None) }
    }

    pub(super) fn query(&self, command: &str) -> Result<String, ServiceError> {
        self.with_port(|port| {
            write(port, command)?;
            read(port)
        })
    }

    pub(super) fn write(&self, command: &str) -> Result<(), ServiceError> {
        self.with_port(|port| write(port, command))
    }

    pub(super) fn read(&self) -> Result<String, ServiceError> {
        self.with_port(read)
    }

    fn with_port<T>(&self, work: impl FnOnce(&mut Port) -> io::Result<T>) -> Result<T, ServiceError> {
        // A port is put back only behind a success, so what a panic left is none, and fine.
        let mut kept = self.port.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = kept.take().map_or_else(|| self.open(), Ok).and_then(|mut port| {
            let value = work(&mut port)?;
            Ok((port, value))
        });
        let (port, value) = outcome.map_err(|error| self.explain(&error))?;
        *kept = Some(port);
        Ok(value)
    }

    fn open(&self) -> io::Result<Port> {
        let stream: Box<dyn Stream> = if self.is_serial() {
            Box::new(File::options().read(true).write(true).open(&self.address)?)
        } else {
            let address = self.address.to_socket_addrs()?.next().ok_or(ErrorKind::NotFound)?;
            let stream = TcpStream::connect_timeout(&address, self.timeout)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(self.timeout))?;
            stream.set_write_timeout(Some(self.timeout))?;
            Box::new(stream)
        };
        Ok(BufReader::new(stream))
    }

    fn is_serial(&self) -> bool {
        self.address.contains('/')
    }

    fn explain(&self, error: &io::Error) -> ServiceError {
        let Self { address, timeout, .. } = self;
        let late = || ServiceError::timeout(format!("{address} has not answered within {timeout:?}"));
        match error.kind() {
            ErrorKind::InvalidInput => ServiceError::value(error.to_string()),
            ErrorKind::WouldBlock | ErrorKind::TimedOut => late(),
            // Where a socket has been closed, a serial port had nothing in time.
            ErrorKind::UnexpectedEof if self.is_serial() => late(),
            _ => ServiceError::connection(format!("the instrument at {address}: {error}")),
        }
    }
}

fn write(port: &mut Port, command: &str) -> io::Result<()> {
    if command.contains(['\r', '\n']) {
        return Err(io::Error::new(ErrorKind::InvalidInput, "a command is one line"));
    }
    let stream = port.get_mut();
    stream.write_all(format!("{command}\n").as_bytes())?;
    stream.flush()
}

fn read(port: &mut Port) -> io::Result<String> {
    let mut line = String::new();
    port.take(LONGEST as u64).read_line(&mut line)?;
    match line.strip_suffix('\n') {
        Some(answer) => Ok(answer.trim().to_owned()),
        None if line.len() < LONGEST => Err(ErrorKind::UnexpectedEof.into()),
        None => Err(io::Error::other("the answer is too long")),
    }
}

impl fmt::Debug for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "instrument at {}", self.address)
    }
}
