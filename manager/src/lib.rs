//! What a Manager keeps and decides, apart from the protocol.
//!
//! Here are the things on this computer that a Manager lives from: its [home folder](home), its [private key](key) and
//! [certificate], its [log], the [names] of the computers that connect, the [store] of users, trusted hosts and
//! connections, and the [configuration](config) it was started with. There are no sockets here and no runtime: a program such as
//! `msl-network` reads the configuration, asks this crate for what it needs, and hands both to a runtime crate.
//!
//! Easy to get wrong: much in this crate blocks (files, host names, making a key). It is meant to be called before
//! serving starts, or on a thread that may block; the few calls for a hot path say so.

mod administration;
pub mod backoff;
pub mod certificate;
mod checks;
pub mod computer;
pub mod config;
pub mod duties;
pub mod error;
mod history;
pub mod key;
pub mod log;
mod look_ups;
pub mod names;
pub mod program;
pub mod secret;
pub mod store;
pub mod tls;
mod trusted;
mod turns;

pub use computer::Computer;
pub use config::{Authentication, Config, Tls};
pub use duties::Duties;
pub use error::{Error, Kind};
pub use log::Log;
pub use msl_network_protocol::limits::Limits;
pub use msl_network_trust::{Home, home};
pub use names::Names;
pub use program::Program;
pub use secret::Secret;
pub use store::Store;
