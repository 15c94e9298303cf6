//! A simulated laboratory: many clients, services and rude peers around one Manager, on a fake network and a fake clock.
//!
//! It drives the real thing: [`drive::Manager`](msl_network_protocol::drive::Manager) with the poll loop of each connection, on
//! an executor that polls woken tasks only, and the real machines of clients and services. A string of bytes decides
//! everything; a seed only makes such a string. So a failure is found again, shrinks, and can be looked at, line by line.
//!
//! What must hold is in `model`, in few lines; what happens, in `scenario`.
//!
//! Easy to get wrong: a world that breaks a rule panics, as the code that it drives may. [`check`] turns both into a [`Failure`].

mod choices;
mod clock;
mod device;
mod executor;
mod line;
mod manager;
mod model;
mod network;
pub mod reached;
mod rude;
mod scenario;
mod shrink;
mod world;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use choices::bytes_of;
pub use shrink::shrink;
pub use world::Report;

/// A rule was broken, or something has panicked.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which, or what.
    pub message: String,
    /// What happened until then, if that was asked for.
    pub trace: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Plays the scenario in these bytes. With `tracing`, what happened is written down.
///
/// # Errors
/// What went wrong.
pub fn check(bytes: &[u8], tracing: bool) -> Result<Report, Failure> {
    let mut trace = tracing.then(String::new);
    let outcome = catch_unwind(AssertUnwindSafe(|| world::play(bytes, trace.as_mut())));
    match outcome {
        Ok(report) => Ok(Report { trace, ..report }),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Err(Failure { message: text.unwrap_or_else(|| "a panic without words".to_owned()), trace })
        }
    }
}
