//! The buffers that sockets are read into: the connections of a thread share them, so that none holds one while it is idle.
//!
//! A large piece is not copied: it is cut off its buffer, and the next one is read behind it while there is room. The buffer
//! serves again when nobody needs its pieces any more. So a buffer that was given away is kept, too, and memory for large
//! messages goes round instead of back to the system each time.
//!
//! Easy to get wrong: a piece keeps its whole buffer alive. TLS gives a record of 16 KiB at a time; with a buffer for each,
//! a large message would take four times its size.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};

use super::Wire;

/// The size of a buffer: room for one read.
const READ: usize = 64 * 1024;

/// A piece shorter than this is copied, so that it does not keep a whole buffer alive; and with less room than this, a buffer
/// is not read into.
const SMALL: usize = 16 * 1024;

/// The buffers that a thread keeps, at most.
const KEPT: usize = 16;

thread_local! {
    /// In front the one that was used last, if it has room, then those that were given away, the oldest first.
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
    let used = BUFFERS.with_borrow_mut(|buffers| {
        let has_room = |buffer: &mut BytesMut| buffer.try_reclaim(READ) || buffer.capacity() >= SMALL;
        if buffers.front_mut().is_some_and(has_room) { buffers.pop_front() } else { None }
    });
    used.unwrap_or_else(|| BytesMut::with_capacity(READ))
}

fn put(buffer: BytesMut) {
    BUFFERS.with_borrow_mut(|buffers| {
        if buffer.capacity() >= SMALL {
            buffers.push_front(buffer);
        } else {
            buffers.push_back(buffer);
        }
        buffers.truncate(KEPT);
    });
}
