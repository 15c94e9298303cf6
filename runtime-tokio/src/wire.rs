//! A tokio stream as a [`Wire`].

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use msl_network_protocol::drive::Wire;
use msl_network_protocol::instant::Instant;
use msl_network_runtime::Clock;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::task;
use tokio::time::{self, Sleep};

/// A stream with its clock and its timer: a TCP stream, or TLS over one.
#[derive(Debug)]
pub(crate) struct Socket<S> {
    stream: S,
    clock: Clock,
    /// Made when there is a first deadline.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Socket<S> {
    pub(crate) fn new(stream: S, clock: Clock) -> Self {
        Self { stream, clock, timer: None }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire for Socket<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        // The future keeps nothing from one poll to the next.
        pin!(self.stream.read_buf(buffer)).poll(cx)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        let Some(deadline) = deadline.and_then(|deadline| self.clock.to_std(deadline)) else {
            self.timer = None; // most connections wait for nothing, and for long
            return Poll::Pending;
        };
        let deadline = time::Instant::from_std(deadline);
        let timer = self.timer.get_or_insert_with(|| Box::pin(time::sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(())
    }

    fn yield_now(&mut self, cx: &mut Context<'_>) {
        // Its first poll has tokio keep the waker until it has looked at the sockets; there is no second one.
        let _ = pin!(task::yield_now()).poll(cx);
    }
}
