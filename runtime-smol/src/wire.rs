//! A stream of futures-io as a [`Wire`].
//!
//! Easy to get wrong: such a stream reads into bytes that have a value already. To zero the room of every read, most of which
//! stay unused, would cost more than it is worth; so a thread reads into a buffer of its own, and copies what came.

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time;

use bytes::BytesMut;
use msl_network_protocol::drive::Wire;
use msl_network_protocol::instant::Instant;
use msl_network_runtime::Clock;
use smol::Timer;
use smol::io::{AsyncRead, AsyncWrite};

/// Room for one read.
const READ: usize = 64 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// A stream with its clock and its timer: a TCP stream, or TLS over one.
#[derive(Debug)]
pub(crate) struct Socket<S> {
    stream: S,
    clock: Clock,
    timer: Timer,
    /// What the timer is set to.
    deadline: Option<time::Instant>,
}

impl<S> Socket<S> {
    pub(crate) fn new(stream: S, clock: Clock) -> Self {
        Self { stream, clock, timer: Timer::never(), deadline: None }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire for Socket<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        BUFFER.with_borrow_mut(|bytes| {
            let room = (buffer.capacity() - buffer.len()).min(READ);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut bytes[..room]))?;
            buffer.extend_from_slice(&bytes[..read]);
            Poll::Ready(Ok(read))
        })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        let Some(deadline) = deadline.and_then(|deadline| self.clock.to_std(deadline)) else {
            return Poll::Pending;
        };
        if self.deadline != Some(deadline) {
            self.deadline = Some(deadline);
            self.timer.set_at(deadline);
        }
        ready!(Pin::new(&mut self.timer).poll(cx));
        // A timer is ready once; should this be asked again, it has to be set again.
        self.deadline = None;
        Poll::Ready(())
    }
}
