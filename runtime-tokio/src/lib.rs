//! MSL-Network on tokio: a Manager over TCP and TLS.
//!
//! Thin on purpose: sockets, timers and tasks are here, and everything that is a rule of the protocol is in
//! [`msl_network_protocol`]. A program makes a [`Manager`], [binds](Listener::bind) a port and calls [`serve`].

mod device;
mod listener;
mod open;
mod runtime;
mod serve;
mod wire;

pub use device::{connect, start};
pub use listener::Listener;
pub use msl_network_macros::service_tokio as service;
pub use msl_network_protocol as protocol;
#[doc(hidden)]
pub use msl_network_protocol::author::generated;
pub use msl_network_protocol::author::{
    Address, Arguments, Call, CallArguments, Client, ClientIdentity, Connect, Context, Ended, Identities,
    IntoOutcome, IntoService, Json, Link, LinkedClient, Lock, Notification, Notifications, Notifier, Outcome,
    RunningService, Service, ServiceError, ServiceIdentity, Trust, UnknownCertificate, With,
};
pub use msl_network_protocol::device::{Error, ErrorKind, Prompt};
pub use msl_network_protocol::drive::Manager;
pub use serve::serve;
pub use wire::{Clock, Socket};

/// The Rust code in the documents compiles and holds what it says. They are here since this crate sees both a runtime and the
/// protocol.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../README.md")]
    struct Readme;

    #[doc = include_str!("../../CONTRIBUTING.md")]
    struct Contributing;

    #[doc = include_str!("../../docs/theory.md")]
    struct Theory;

    #[doc = include_str!("../../docs/wire.md")]
    struct Wire;

    #[doc = include_str!("../../docs/design.md")]
    struct Design;
}
