//! What has been taken out of the mailbox and not been taken by the socket yet.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use bytes::Buf;

use super::Wire;
use crate::frame::Rope;

/// How many slices are handed over at once: enough to fill a socket's buffer with small lines, few enough for the stack.
const SLICES: usize = 64;

/// Bytes on their way into the socket.
#[derive(Debug, Default)]
pub(crate) struct Output(Rope);

impl Output {
    pub(crate) fn push(&mut self, line: Rope) {
        self.0.append(line);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes once, as many slices together as possible; returns how many bytes the socket took.
    pub(crate) fn poll_write(
        &mut self,
        wire: &mut impl Wire,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = self.0.chunks_vectored(&mut slices);
        let written = ready!(wire.poll_write(cx, &slices[..count]))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.0.advance(written);
        Poll::Ready(Ok(written))
    }
}
