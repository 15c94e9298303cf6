//! The poll loop of a device's connection: one task, one socket, for clients and services alike.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use crate::drive::{Output, Wire, input};
use crate::frame::Rope;
use crate::instant::Instant;
use crate::limits::TURN;

/// A device's machine behind its lock.
pub trait Endpoint: Send + Sync {
    /// The task that is to be woken when there is something to write, or another deadline: once, and not any more after
    /// [`Endpoint::pump`].
    fn register(&self, waker: &Waker);

    /// The socket had these bytes.
    fn receive(&self, bytes: Bytes);

    /// The connection has ended, for this reason.
    fn end(&self, reason: &str);

    /// Does what can be done now. The task that does so is not woken by what it does itself.
    fn pump(&self, now: Instant);

    /// Whether there is something to write already and more may follow at once.
    fn is_gathering(&self) -> bool;

    /// Takes the next lines to be written, until they have this many bytes together, or more.
    fn take(&self, bytes: usize, lines: &mut Vec<Rope>);

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
    output: Output,
    /// On their way into the output.
    lines: Vec<Rope>,
    /// Whether others have had a turn since there was something to write.
    gathered: bool,
    end_of_input: bool,
}

impl<W: Wire> Driver<W> {
    /// A driver for a socket that is connected to a Manager.
    pub fn new(wire: W, endpoint: Arc<dyn Endpoint>) -> Self {
        Self {
            wire,
            endpoint,
            output: Output::default(),
            lines: Vec::new(),
            gathered: false,
            end_of_input: false,
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        if !self.gathered && self.endpoint.is_gathering() {
            // Whoever is ready has a turn first, and what they ask or answer goes out together.
            self.gathered = true;
            self.wire.yield_now(cx);
            return Ok(Poll::Pending);
        }
        self.gathered = false;
        let (mut to_read, mut to_write) = (TURN, TURN);
        loop {
            self.endpoint.pump(self.wire.now());
            self.endpoint.register(cx.waker());
            let wrote = self.write(cx, &mut to_write)?;
            let read = self.read(cx, &mut to_read)?;
            // What was said last is written, but nobody waits for a Manager that does not read.
            if self.end_of_input || self.endpoint.is_ended() {
                return Ok(self.wire.poll_close(cx)?.map(|()| ()));
            }
            if to_read == 0 || to_write == 0 {
                self.wire.yield_now(cx);
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
            if self.output.len() < TURN {
                self.endpoint.take(TURN - self.output.len(), &mut self.lines);
                let bytes = self.lines.iter().map(Rope::len).sum();
                self.output.extend(self.lines.drain(..), bytes);
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
        let Poll::Ready(bytes) = input::poll_read(&mut self.wire, cx) else {
            self.output.shrink();
            return Ok(false);
        };
        let bytes = bytes?;
        if bytes.is_empty() {
            self.end_of_input = true;
            // What came before the end still counts.
            self.endpoint.pump(self.wire.now());
            self.endpoint.end("the Manager closed the connection");
            return Ok(false);
        }
        *to_read = to_read.saturating_sub(bytes.len());
        self.endpoint.receive(bytes);
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
