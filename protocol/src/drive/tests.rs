//! Drivers over sockets in memory, on an executor that polls only what was woken: a wake-up that is lost shows as silence.

mod admission;
mod lab;
mod memory;
mod sockets;
