//! What clients and services have in common: who they are, how they log in, what can go wrong.
//!
//! Pure, like the Manager's side: bytes and moments in, lines and events out. A [`Machine`] is a
//! [`client::Machine`](crate::client::Machine) or a [`service::Machine`](crate::service::Machine), by its [`Role`].

mod error;
mod login;
mod machine;

pub use error::{Error, ErrorKind};
pub(crate) use login::refusal_text;
pub use login::{Credentials, Prompt};
pub use machine::{Event, Machine, Role};
pub(crate) use machine::{Phase, send};

use alloc::string::String;
use core::time::Duration;

use crate::json::quote_into;

/// The longest line that a device reads unless it says otherwise, in bytes: what a Manager forwards by default.
pub const READ_LIMIT: usize = 1 << 30;

/// How long a Manager that was asked to end a connection may do nothing before the device ends it by itself. 10 s: as long as
/// it may take to connect; one that does not answer within it hangs, and nobody should have to wait for it to go.
pub const LEAVE: Duration = Duration::from_secs(10);

/// The `language` that a device of this crate shows, unless its author says otherwise.
pub const LANGUAGE: &str = "Rust";

/// Who a device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name, by which services are linked and people find clients.
    pub name: String,
    /// The language that it is written in, like `Rust 1.95.0`.
    pub language: String,
    /// Its operating system, like `Linux 6.1.0 x86_64`.
    pub os: String,
}

impl Description {
    /// The members that clients and services share, without the braces.
    pub(crate) fn write(&self, out: &mut String, kind: &str) {
        for (key, value) in
            [("type", kind), ("name", &self.name), ("language", &self.language), ("os", &self.os)]
        {
            if !out.ends_with('{') {
                out.push_str(", ");
            }
            quote_into(out, key);
            out.push_str(": ");
            quote_into(out, value);
        }
    }
}

#[cfg(test)]
mod tests;
