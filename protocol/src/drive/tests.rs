//! Drivers over sockets in memory, on an executor that polls only what was woken: a wake-up that is lost shows as silence.

mod admission;
mod lab;
mod locks;
mod memory;
mod sockets;
mod turns;

use std::cell::Cell;

thread_local! {
    /// How many locks this thread has taken.
    pub(super) static LOCKS: Cell<usize> = const { Cell::new(0) };
}
