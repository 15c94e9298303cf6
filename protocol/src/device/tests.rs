//! Clients and services together: both machines, a Manager between them, and a clock that jumps.

mod deadlines;
mod endings;
mod handshakes;
mod laboratory;
mod random;
mod scripted;
