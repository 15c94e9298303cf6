//! What the runtime crates share: how a Manager listens and lets devices in, and how a device finds its way to a Manager.
//!
//! The order of things is the same on every runtime, and easy to get wrong: who may connect before a socket is accepted,
//! how long TLS may take, that no socket is closed before its other end has been heard out. So it is here, written once over
//! a [`Network`]. A runtime crate, such as `msl-network-tokio`, brings that, and is what programs depend on.
//!
//! There is nothing of the protocol here: [`msl_network_protocol::drive`] serves a connection once it is there.

mod clock;
mod listener;
mod network;
mod open;
mod serve;
mod together;

pub use clock::Clock;
pub use listener::Listener;
pub use network::Network;
pub use open::open;
pub use serve::serve;
pub use together::run_services;

/// The target of the log lines of this project.
const LOG: &str = "msl.network";
