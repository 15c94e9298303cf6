//! MSL-Network on tokio: clients, services and Managers over TCP and TLS.
//!
//! A *Manager* links *clients* (the scripts of scientists) with *services* (an instrument each). This crate is all that the
//! author of one of them depends on.
//!
//! # A first service
//! Methods become attributes that clients can call; see [`macro@service`].
//! ```no_run
//! use msl_network_tokio::{Error, service, start};
//!
//! struct BasicMath;
//!
//! #[service]
//! impl BasicMath {
//!     fn power(&self, x: f64, #[default(2.0)] n: f64) -> f64 {
//!         x.powf(n)
//!     }
//! }
//!
//! fn main() -> Result<(), Error> {
//!     start(BasicMath, "localhost").run()
//! }
//! ```
//! An instrument that does one thing at a time, errors that clients can tell apart, notifications: the folder `examples/` of
//! the repository has a service for each. Underneath is a builder, [`Service`].
//!
//! # A first client
//! ```no_run
//! use msl_network_tokio::{Error, connect};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let math = connect("localhost").name("Ann").linked("BasicMath").await?;
//!     let calls = [math.call("power", (3,)), math.call("power", (2, 10))]; // both are on their way
//!     for call in calls {
//!         let power: f64 = call.await?;
//!         println!("{power}");
//!     }
//!     Ok(())
//! }
//! ```
//! One thread is enough for a client that does little else: `#[tokio::main(flavor = "current_thread")]` saves the time in which
//! threads wake each other.
//!
//! The same in a script without a runtime: `.wait()?` in place of `.await?`, everywhere. Who has the service's type at hand
//! calls `BasicMathClient::from(math).power(3.0, None)`, with the types of the method.
//!
//! # When the connection breaks
//! A connection that is lost has ended, unless its author wants it to be restored. Then links and notifications go on, and so
//! does a service; locks do not, and no request is sent twice. What to do about those that failed is for the program to say:
//! ```no_run
//! # async fn example() -> Result<(), msl_network_tokio::Error> {
//! use msl_network_tokio::{ErrorKind, Reconnect, connect};
//!
//! let reconnect = Reconnect::default().on_change(|change| eprintln!("{change}"));
//! let meter = connect("lab7").reconnect(reconnect).linked("Multimeter").await?;
//! let volts: f64 = loop {
//!     match meter.call("voltage", ()).await {
//!         Err(error)
//!             if !error.may_be_executed()
//!                 // The Manager is not there, or is there again before the service.
//!                 && matches!(error.kind(), ErrorKind::Disconnected | ErrorKind::NoSuchService) =>
//!         {
//!             meter.restored().await? // then once more
//!         }
//!         outcome => break outcome?,
//!     }
//! };
//! # Ok(())
//! # }
//! ```
//! [`Connect::reconnect`] says more; a reader of [`Notifications`] gets a [`Notification::Interrupted`] where some may be missing.
//!
//! # Who is trusted
//! A device trusts the certificate of a Manager that is in the home folder of its user (`.msl/network/certs/HOST.crt`; a
//! Manager of the same user on the same computer has put its own there). [`Connect::trust`] says what happens the first
//! time that another Manager is met; [`Connect::disable_tls`] is for a Manager without TLS.
//!
//! # A Manager
//! A program makes a [`Manager`], [binds](Listener::bind) a port and calls [`run_forever`], [`run_services`] with services of its
//! own, or [`serve`]. The program `msl-network` is one.
//!
//! Thin on purpose: sockets, timers and tasks of tokio are here; what every runtime does with them is in
//! [`msl_network_runtime`], and everything that is a rule of the protocol in [`msl_network_protocol`].

mod device;
mod network;
mod runtime;
mod serve;
mod signals;
mod wire;

pub use device::{connect, start};
pub use msl_network_macros::service_tokio as service;
pub use msl_network_protocol as protocol;
#[doc(hidden)]
pub use msl_network_protocol::author::generated;
pub use msl_network_protocol::author::{
    Address, Arguments, Call, CallArguments, Client, ClientIdentity, Connect, Context, Ended, Identities,
    IntoArguments, IntoOutcome, IntoService, Json, Link, LinkedClient, Lock, NewClient, NewLinkedClient,
    Notification, Notifications, Notifier, Outcome, Reconnect, Reconnection, Restored, RunningService,
    Service, ServiceError, ServiceIdentity, Trust, UnknownCertificate, With,
};
pub use msl_network_protocol::device::{Error, ErrorKind, Prompt};
pub use msl_network_protocol::drive::Manager;
pub use msl_network_runtime::Listener;
pub use serve::{run_forever, run_services, serve};
pub use signals::interrupted;

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
