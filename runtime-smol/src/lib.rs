//! MSL-Network on smol: clients, services and Managers over TCP and TLS.
//!
//! A *Manager* links *clients* (the scripts of scientists) with *services* (an instrument each). This crate is all that the
//! author of one of them depends on.
//!
//! # A first service
//! ```no_run
//! use msl_network_smol::{Error, Service, ServiceError, start};
//!
//! fn main() -> Result<(), Error> {
//!     let math = Service::new("BasicMath")
//!         .constant("pi", 3.14159)
//!         .method("divide", "(x: float, y: float = 2.0) -> float", |_, arguments| {
//!             let (x, y): (f64, f64) = arguments.read_all()?;
//!             Ok::<_, ServiceError>(x / y)
//!         });
//!     start(math, "localhost").run()
//! }
//! ```
//!
//! # A first client
//! ```no_run
//! use msl_network_smol::{Error, connect};
//!
//! fn main() -> Result<(), Error> {
//!     smol::block_on(async {
//!         let client = connect("localhost").name("Ann").await?;
//!         let math = client.link("BasicMath").await?;
//!         let calls = [math.call("divide", (1, 3)), math.call("divide", (1,))]; // both are on their way
//!         for call in calls {
//!             let quotient: f64 = call.await?;
//!             println!("{quotient}");
//!         }
//!         Ok(())
//!     })
//! }
//! ```
//! The same in a script without a runtime: `.wait()?` in place of `.await?`, everywhere.
//!
//! # Who is trusted
//! A device trusts the certificate of a Manager that is in the home folder of its user (`.msl/network/certs/HOST.crt`; a
//! Manager of the same user on the same computer has put its own there). [`Connect::trust`] says what happens the first
//! time that another Manager is met; [`Connect::disable_tls`] is for a Manager without TLS.
//!
//! # A Manager
//! A program makes a [`Manager`], [binds](Listener::bind) a port and calls [`serve`], or [`run_services`] with services of its
//! own. The program `msl-network` is one.
//!
//! # Where what runs
//! - The connections of all devices of a program, and the asynchronous methods of its services, run on one thread of this crate,
//!   whatever executor awaits them. What a program does on its own executors does not hold them up.
//! - Methods that may block run on the threads of [`smol::unblock`], of which there are 500 at most (`BLOCKING_MAX_THREADS`).
//! - A Manager has a thread for each core, for as long as it serves.
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
    IntoOutcome, IntoService, Json, Link, LinkedClient, Lock, NewClient, NewLinkedClient, Notification,
    Notifications, Notifier, Outcome, RunningService, Service, ServiceError, ServiceIdentity, Trust,
    UnknownCertificate, With,
};
pub use msl_network_protocol::device::{Error, ErrorKind, Prompt};
pub use msl_network_protocol::drive::Manager;
pub use msl_network_runtime::Listener;
pub use serve::{run_services, serve};
pub use signals::interrupted;
pub use wire::{Clock, Socket};
