//! What authors of clients and services hold, on any runtime.
//!
//! A handle locks its connection for a moment, gives the machine something to do and wakes the task that owns the socket;
//! that task is a [`Driver`], spawned by a runtime crate. Nobody waits under the lock, and nobody is woken under it.
//!
//! Authors do not need this module: a runtime crate such as `msl-network-tokio` re-exports what they use.

mod arguments;
mod call;
mod client;
mod driver;
#[doc(hidden)]
pub mod generated;
mod link;
mod notifications;
mod park;
mod service;

pub use arguments::{Arguments, With};
pub use call::Call;
pub use client::{AnswerPrompt, Client, Runtime, Session};
pub use driver::{Driver, Endpoint};
pub use link::{Link, Lock};
pub use notifications::{Notification, Notifications, WAITING};
pub use service::{
    CallArguments, Context, Executor, Fallible, FromArguments, IntoOutcome, IntoService, Json, Notifier,
    Outcome, Plain, Ready, RunningService, SHUTDOWN_SERVICE, Service, ServiceError, ServiceOptions,
    ServiceSession, WAITING_NOTIFICATIONS, WAITING_REQUESTS,
};
