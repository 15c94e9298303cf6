//! MSL-Network on smol: clients, services and Managers over TCP and TLS.
//!
//! A *Manager* links *clients* (the scripts of scientists) with *services* (an instrument each). This crate is all that the
//! author of one of them depends on.
//!
//! # A first service
//! Methods become attributes that clients can call; see [`macro@service`].
//! ```no_run
//! use msl_network_smol::{Error, service, start};
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
//! use msl_network_smol::{Error, connect};
//!
//! fn main() -> Result<(), Error> {
//!     smol::block_on(async {
//!         let math = connect("localhost").name("Ann").linked("BasicMath").await?;
//!         let calls = [math.call("power", (3,)), math.call("power", (2, 10))]; // both are on their way
//!         for call in calls {
//!             let power: f64 = call.await?;
//!             println!("{power}");
//!         }
//!         Ok(())
//!     })
//! }
//! ```
//! The same in a script without a runtime: `.wait()?` in place of `.await?`, everywhere. Who has the service's type at hand
//! calls `BasicMathClient::from(math).power(3.0, None)`, with the types of the method.
//!
//! # When the connection breaks
//! A connection that is lost has ended, unless its author wants it to be restored. Then links and notifications go on, and so
//! does a service; locks do not, and no request is sent twice. What to do about those that failed is for the program to say:
//! ```no_run
//! # async fn example() -> Result<(), msl_network_smol::Error> {
//! use msl_network_smol::{ErrorKind, Reconnect, connect};
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
//! # Where what runs
//! - The connections of all devices of a program, and the asynchronous methods of its services, run on one thread of this crate,
//!   whatever executor awaits them. What a program does on its own executors does not hold them up.
//! - Methods that may block run on the threads of [`smol::unblock`], of which there are 500 at most (`BLOCKING_MAX_THREADS`).
//! - A Manager has a thread for every second core, for as long as it serves.
//! - `.wait()` is an error on the threads of this crate. smol does not tell where else asynchronous code runs: there, it
//!   holds up whatever shares the thread, until the answer comes.
//!
//! Thin on purpose: sockets, timers and tasks of smol are here; what every runtime does with them is in
//! [`msl_network_runtime`], and everything that is a rule of the protocol in [`msl_network_protocol`].

mod device;
mod network;
mod pool;
mod runtime;
mod serve;
mod signals;
mod wire;

pub use device::{connect, start};
pub use msl_network_macros::service_smol as service;
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
