//! What authors of clients and services hold, on any runtime.
//!
//! A handle locks its connection for a moment, gives the machine something to do and wakes the task that owns the socket;
//! that task is a [`Driver`], spawned by a runtime crate. Nobody waits under the lock, and nobody is woken under it.
//!
//! Authors do not need this module: a runtime crate such as `msl-network-tokio` re-exports what they use.

mod address;
mod arguments;
mod asking;
mod call;
mod client;
mod connect;
mod connection;
mod course;
mod driver;
mod ended;
#[doc(hidden)]
pub mod generated;
mod identities;
mod keeper;
mod link;
mod linked;
mod links;
mod locks;
mod notifications;
mod options;
mod park;
mod reconnect;
mod restored;
mod runtime;
mod service;
mod session;
mod watch;

pub use crate::json::JsonText as Json;
pub use address::{Address, PORT};
pub use arguments::{Arguments, IntoArguments, With};
pub use call::Call;
pub use client::{Client, NewClient};
pub use connect::{Connect, Device, Way};
pub use driver::{Driver, Endpoint};
pub use ended::Ended;
pub use identities::{ClientIdentity, Identities, ServiceIdentity};
pub use link::{Link, Lock};
pub use linked::{LinkedClient, NewLinkedClient};
pub use notifications::{Notification, Notifications, WAITING, WAITING_BYTES};
pub use options::{
    AnswerPrompt, AnswerTrust, ConnectOptions, TIMEOUT, TlsOptions, Trust, UnknownCertificate,
};
pub use reconnect::{Reconnect, Reconnection};
pub use restored::Restored;
pub use runtime::{BoxFuture, Computer, Runtime, Runtimes, unblock};
pub use service::{
    CONCURRENT, CallArguments, Context, Executor, Fallible, FromArguments, IntoOutcome, IntoService,
    Notifier, Outcome, Plain, RunningService, SHUTDOWN_SERVICE, Service, ServiceError, WAITING_ANSWERS,
    WAITING_ARGUMENTS, WAITING_NOTIFICATIONS, WAITING_REQUESTS,
};
pub use session::WAITING_CALLS;
