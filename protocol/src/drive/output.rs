//! What has been taken out of the mailbox and not been taken by the socket yet.
//!
//! Small lines are copied together: a system call costs more for each slice than such a copy does, and TLS makes fewer records
//! of it. Large ones go out from where they are.

use std::io::{self, IoSlice};
use std::mem;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};

use super::Wire;
use crate::frame::Rope;
use crate::limits::TURN;

/// How many slices are handed over at once: few enough for the stack.
const SLICES: usize = 64;

/// A write is given no more bytes than these: sockets take megabytes at once, which would hold all others up for a millisecond.
/// And not fewer: a line that is hardly longer than a turn goes out whole.
const AT_ONCE: usize = 2 * TURN;

/// A chunk shorter than this is copied.
const SMALL: usize = 2 * 1024;

/// The copies are in chunks of about this size.
const TOGETHER: usize = 16 * 1024;

/// Bytes on their way into the socket.
#[derive(Debug, Default)]
pub(crate) struct Output {
    rope: Rope,
    /// Comes after the rope.
    small: BytesMut,
}

impl Output {
    /// Puts lines at the end, which have so many bytes together.
    pub(crate) fn extend(&mut self, mut lines: impl ExactSizeIterator<Item = Rope>, bytes: usize) {
        if lines.len() == 1
            && self.is_empty()
            && let Some(line) = lines.next()
        {
            // There is nothing to copy it together with.
            self.rope.append(line);
            return;
        }
        self.small.reserve(bytes.min(TOGETHER));
        // Not `for`: the flattened iterator would look at each step anew which line it is in.
        lines.flat_map(Rope::into_chunks).for_each(|chunk| {
            if chunk.len() < SMALL {
                self.copy(&chunk);
            } else {
                self.gather();
                self.rope.push(chunk);
            }
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.rope.len() + self.small.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives back the memory that it has to spare.
    pub(crate) fn shrink(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }

    /// Writes once, what is not too much for a turn; returns how many bytes the socket took.
    pub(crate) fn poll_write(
        &mut self,
        wire: &mut impl Wire,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.gather();
        let mut slices = [IoSlice::new(&[]); SLICES];
        let (mut count, mut left) = (0, AT_ONCE);
        for (slice, chunk) in slices.iter_mut().zip(self.rope.chunks()) {
            let part = &chunk[..chunk.len().min(left)];
            *slice = IoSlice::new(part);
            (count, left) = (count + 1, left - part.len());
            if left == 0 {
                break;
            }
        }
        let written = ready!(wire.poll_write(cx, &slices[..count]))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.rope.advance(written);
        Poll::Ready(Ok(written))
    }

    fn copy(&mut self, chunk: &Bytes) {
        self.small.extend_from_slice(chunk);
        if self.small.len() >= TOGETHER {
            self.gather();
        }
    }

    fn gather(&mut self) {
        if !self.small.is_empty() {
            self.rope.push(mem::take(&mut self.small).freeze());
        }
    }
}
