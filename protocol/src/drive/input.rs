//! The buffers that sockets are read into: the connections of a thread share them, so that none holds one while it is idle.
//!
//! A large piece is not copied: it is cut off its buffer, which serves again when nobody needs the piece any more. So a buffer
//! that was given away is kept, too, and memory for large messages goes round instead of back to the system each time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};

use super::Wire;

/// Room for one read.
const READ: usize = 64 * 1024;

/// A piece shorter than this is copied, so that it does not keep a whole buffer alive.
const SMALL: usize = 16 * 1024;

/// The buffers that a thread keeps, at most.
const KEPT: usize = 16;

thread_local! {
    /// In front the one that was used last, if it is free, then those that were given away, the oldest first.
    static BUFFERS: RefCell<VecDeque<BytesMut>> = const { RefCell::new(VecDeque::new()) };
}

/// Reads once. No bytes mean that the other end has closed its sending side.
///
/// # Errors
/// The socket has failed.
pub(crate) fn poll_read(wire: &mut impl Wire, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
    let mut buffer = take();
    let outcome = wire
        .poll_read(cx, &mut buffer)
        .map_ok(|read| if read < SMALL { Bytes::copy_from_slice(&buffer) } else { buffer.split().freeze() });
    buffer.clear();
    put(buffer);
    outcome
}

fn take() -> BytesMut {
    let free = BUFFERS.with_borrow_mut(|buffers| {
        let is_free = buffers.front_mut().is_some_and(|oldest| oldest.try_reclaim(READ));
        if is_free { buffers.pop_front() } else { None }
    });
    free.unwrap_or_else(|| BytesMut::with_capacity(READ))
}

fn put(buffer: BytesMut) {
    BUFFERS.with_borrow_mut(|buffers| {
        if buffer.capacity() >= READ {
            buffers.push_front(buffer);
        } else {
            buffers.push_back(buffer);
        }
        buffers.truncate(KEPT);
    });
}
