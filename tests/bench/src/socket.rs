//! A socket that never blocks, plain or with TLS: what the relay and the load are made of.
//!
//! Easy to get wrong is the poll, which tells of a change only once: a socket is read until it has nothing more, and what
//! it does not take stays here until the poll says that it can be written to.

use std::io::{self, Read, Write};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustls::Connection;

/// How much is read at once, by all sockets of a thread: one buffer serves them in turn.
pub(crate) const SCRATCH: usize = 256 * 1024;

/// A buffer that has grown beyond this is given back once it is empty.
const KEPT: usize = 1024 * 1024;

/// Finds the end of the first message; the first `searched` bytes are known to have none.
pub(crate) type Framing = fn(bytes: &[u8], searched: usize) -> Option<usize>;

/// Whether the other side may still send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Open,
    Closed,
}

/// A connected socket with what it has received of a message that is not complete, and what it has not sent.
pub(crate) struct Socket {
    stream: TcpStream,
    tls: Option<Connection>,
    rest: Vec<u8>,
    searched: usize,
    output: Vec<u8>,
    sent: usize,
}

impl Socket {
    /// Takes a stream that does not block, registers it for good, and begins TLS with `tls` where there is one.
    pub(crate) fn new(
        mut stream: TcpStream,
        mut tls: Option<Connection>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        // What waits is bounded by those who ask, who wait for their answers.
        if let Some(tls) = &mut tls {
            tls.set_buffer_limit(None);
        }
        Ok(Self { stream, tls, rest: Vec::new(), searched: 0, output: Vec::new(), sent: 0 })
    }

    /// What is to be sent is appended here; [`Self::flush`] sends it.
    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Reads all there is. `each` gets every complete message, and what it may append its answer to.
    pub(crate) fn receive(
        &mut self,
        scratch: &mut [u8],
        framing: Framing,
        mut each: impl FnMut(&[u8], &mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<Side> {
        let Some(mut tls) = self.tls.take() else {
            loop {
                let read = match self.stream.read(scratch) {
                    Ok(0) => return Ok(Side::Closed),
                    Ok(read) => read,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Side::Open),
                    Err(error) => return Err(error),
                };
                self.cut(&scratch[..read], framing, &mut each)?;
                // Less than there was room for: there is no more. So the system need not be asked again.
                if read < scratch.len() {
                    return Ok(Side::Open);
                }
            }
        };
        let side = self.decrypt(&mut tls, scratch, framing, each);
        self.tls = Some(tls);
        side
    }

    fn decrypt(
        &mut self,
        tls: &mut Connection,
        scratch: &mut [u8],
        framing: Framing,
        mut each: impl FnMut(&[u8], &mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<Side> {
        loop {
            match tls.read_tls(&mut self.stream) {
                Ok(0) => return Ok(Side::Closed),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Side::Open),
                Err(error) => return Err(error),
            }
            let mut left = tls.process_new_packets().map_err(io::Error::other)?.plaintext_bytes_to_read();
            while left > 0 {
                let read = tls.reader().read(scratch)?;
                self.cut(&scratch[..read], framing, &mut each)?;
                left -= read;
            }
        }
    }

    /// Cuts into messages what has come, with what was there before.
    fn cut(
        &mut self,
        bytes: &[u8],
        framing: Framing,
        each: &mut impl FnMut(&[u8], &mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.rest.is_empty() {
            let done = self.messages(bytes, framing, each)?;
            self.rest.extend_from_slice(&bytes[done..]);
            return Ok(());
        }
        let mut rest = std::mem::take(&mut self.rest);
        rest.extend_from_slice(bytes);
        let done = self.messages(&rest, framing, each)?;
        rest.drain(..done);
        if !rest.is_empty() || rest.capacity() <= KEPT {
            self.rest = rest;
        }
        Ok(())
    }

    /// Hands over the complete messages; returns how many bytes they are.
    fn messages(
        &mut self,
        bytes: &[u8],
        framing: Framing,
        each: &mut impl FnMut(&[u8], &mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<usize> {
        let mut done = 0;
        while let Some(length) = framing(&bytes[done..], self.searched) {
            each(&bytes[done..done + length], &mut self.output)?;
            done += length;
            self.searched = 0;
        }
        self.searched = bytes.len() - done;
        Ok(done)
    }

    /// Sends what the socket takes of what there is to send.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let flushed = if let Some(tls) = &mut self.tls {
            tls.writer().write_all(&self.output)?;
            self.sent = self.output.len();
            send_records(tls, &mut self.stream)
        } else {
            self.send_plain()
        };
        if self.sent == self.output.len() {
            self.sent = 0;
            self.output.clear();
            if self.output.capacity() > KEPT {
                self.output = Vec::new();
            }
        }
        match flushed {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    fn send_plain(&mut self) -> io::Result<()> {
        while self.sent < self.output.len() {
            self.sent += self.stream.write(&self.output[self.sent..])?;
        }
        Ok(())
    }
}

fn send_records(tls: &mut Connection, stream: &mut TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(stream)?;
    }
    Ok(())
}

/// Messages that are lines.
pub(crate) fn lines(bytes: &[u8], searched: usize) -> Option<usize> {
    memchr::memchr(b'\n', &bytes[searched..]).map(|position| searched + position + 1)
}
