//! What has been taken out of the mailbox and not been taken by the socket yet.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};

use super::Wire;
use crate::frame::Rope;

/// How many slices are handed over at once: enough to fill a socket's buffer with small lines, few enough for the stack.
const SLICES: usize = 64;

/// Bytes on their way into the socket.
#[derive(Debug, Default)]
pub(crate) struct Output {
    chunks: VecDeque<Bytes>,
    len: usize,
}

impl Output {
    pub(crate) fn push(&mut self, line: Rope) {
        self.len += line.len();
        self.chunks.extend(line.into_chunks());
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes once, as many slices together as possible; returns how many bytes the socket took.
    pub(crate) fn poll_write(
        &mut self,
        wire: &mut impl Wire,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = self.chunks.len().min(SLICES);
        for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
            *slice = IoSlice::new(chunk);
        }
        let written = ready!(wire.poll_write(cx, &slices[..count]))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.advance(written);
        Poll::Ready(Ok(written))
    }

    fn advance(&mut self, mut written: usize) {
        self.len -= written;
        while let Some(chunk) = self.chunks.front_mut() {
            if chunk.len() > written {
                chunk.advance(written);
                return;
            }
            written -= chunk.len();
            self.chunks.pop_front();
        }
    }
}
