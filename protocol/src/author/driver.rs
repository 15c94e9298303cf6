//! The poll loop of a device's connection: one task, one socket, for clients and services alike.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

use crate::drive::{Output, Wire};
use crate::frame::Rope;
use crate::instant::Instant;
use crate::limits::TURN;

/// Room for one read.
const READ: usize = 64 * 1024;

/// A device's machine behind its lock.
pub trait Endpoint: Send + Sync {
    /// The task that is to be woken when there is something to write, or another deadline.
    fn register(&self, waker: &Waker);

    /// The socket had these bytes.
    fn receive(&self, bytes: Bytes);

    /// The connection has ended, for this reason.
    fn end(&self, reason: &str);

    /// Does what can be done now.
    fn pump(&self, now: Instant);

    /// The next line to be written.
    fn take(&self) -> Option<Rope>;

    /// The Manager has taken some bytes.
    fn written(&self) {}

    /// When to call [`Endpoint::pump`] at the latest.
    fn deadline(&self) -> Option<Instant>;

    /// Whether nothing more is to be done.
    fn is_ended(&self) -> bool;
}

/// Runs one device's connection to its end.
pub struct Driver<W: Wire> {
    wire: W,
    endpoint: Arc<dyn Endpoint>,
    input: BytesMut,
    output: Output,
    end_of_input: bool,
}

impl<W: Wire> Driver<W> {
    /// A driver for a socket that is connected to a Manager.
    pub fn new(wire: W, endpoint: Arc<dyn Endpoint>) -> Self {
        Self { wire, endpoint, input: BytesMut::new(), output: Output::default(), end_of_input: false }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        self.endpoint.register(cx.waker());
        let (mut to_read, mut to_write) = (TURN, TURN);
        loop {
            self.endpoint.pump(self.wire.now());
            let wrote = self.write(cx, &mut to_write)?;
            let read = self.read(cx, &mut to_read)?;
            // What was said last is written, but nobody waits for a Manager that does not read.
            if self.end_of_input || self.endpoint.is_ended() {
                return Ok(self.wire.poll_close(cx)?.map(|()| ()));
            }
            if to_read == 0 || to_write == 0 {
                cx.waker().wake_by_ref();
                return Ok(Poll::Pending);
            }
            if !wrote && !read && self.wire.poll_until(cx, self.endpoint.deadline()).is_pending() {
                return Ok(Poll::Pending);
            }
        }
    }

    fn write(&mut self, cx: &mut Context<'_>, to_write: &mut usize) -> io::Result<bool> {
        let mut any = false;
        while *to_write > 0 {
            while self.output.len() < TURN {
                let Some(line) = self.endpoint.take() else { break };
                self.output.push(line);
            }
            if self.output.is_empty() {
                break;
            }
            let Poll::Ready(written) = self.output.poll_write(&mut self.wire, cx) else { break };
            *to_write = to_write.saturating_sub(written?);
            self.endpoint.written();
            any = true;
        }
        if self.output.is_empty()
            && let Poll::Ready(flushed) = self.wire.poll_flush(cx)
        {
            flushed?;
        }
        Ok(any)
    }

    fn read(&mut self, cx: &mut Context<'_>, to_read: &mut usize) -> io::Result<bool> {
        if self.end_of_input {
            return Ok(false);
        }
        self.input.reserve(READ);
        let Poll::Ready(read) = self.wire.poll_read(cx, &mut self.input) else { return Ok(false) };
        let read = read?;
        if read == 0 {
            self.end_of_input = true;
            // What came before the end still counts.
            self.endpoint.pump(self.wire.now());
            self.endpoint.end("the Manager closed the connection");
            return Ok(false);
        }
        *to_read = to_read.saturating_sub(read);
        self.endpoint.receive(self.input.split().freeze());
        Ok(true)
    }
}

impl<W: Wire + Unpin> Future for Driver<W> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driver = self.get_mut();
        match driver.turn(cx) {
            Ok(poll) => poll,
            Err(error) => {
                driver.endpoint.end(&format!("the connection with the Manager failed: {error}"));
                Poll::Ready(())
            }
        }
    }
}

/// A task that is dropped (a runtime shuts down) leaves nobody waiting.
impl<W: Wire> Drop for Driver<W> {
    fn drop(&mut self) {
        self.endpoint.end("the runtime of this connection was shut down");
    }
}
