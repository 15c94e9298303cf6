//! What a runtime has to bring for one socket.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use bytes::BytesMut;

use crate::instant::Instant;

/// One socket with its clock and its timer, on some runtime. One task owns it whole: TLS is never split.
///
/// All methods follow the rules of [`std::future::Future::poll`]: `Pending` means that the task will be woken.
pub trait Wire {
    /// Reads into the room that `buffer` has, after what is in it. 0 means that the device closed its sending side.
    ///
    /// # Errors
    /// The socket has failed.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>>;

    /// Writes some of these slices, in order; returns how many bytes.
    ///
    /// # Errors
    /// The socket has failed.
    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;

    /// Sends what was written and is still kept (TLS does).
    ///
    /// # Errors
    /// The socket has failed.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Closes the sending side only, with TLS's `close_notify` first; reading goes on.
    ///
    /// # Errors
    /// The socket has failed.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// The time now. All wires of a Manager have the same epoch.
    fn now(&self) -> Instant;

    /// Waits until the deadline; for ever without one.
    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()>;

    /// Wakes the task, to be run again once others have had a turn. Where a runtime can, it looks at its sockets first: what has come
    /// meanwhile for others must not wait until the first ones have nothing more to do.
    fn yield_now(&mut self, cx: &mut Context<'_>) {
        cx.waker().wake_by_ref();
    }
}
