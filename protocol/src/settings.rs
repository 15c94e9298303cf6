//! What a Manager's connections need to know of it.

use alloc::format;
use alloc::string::String;

use crate::limits::Limits;

/// How devices show that they may connect (docs/wire.md, section 4): one of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Anybody may.
    #[default]
    None,
    /// The Manager's password.
    ManagerPassword,
    /// A user's name and password.
    Login,
    /// The device's computer is on a list.
    HostNames,
}

/// What is the same for all connections of a Manager, and does not change while it runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The limits on devices.
    pub limits: Limits,
    /// How devices show that they may connect.
    pub authentication: Authentication,
    /// What the Manager says of itself.
    pub identity: ManagerIdentity,
    /// `Manager[host:port]`.
    pub network_name: String,
}

impl Settings {
    /// Settings of a Manager with this identity.
    pub fn new(identity: ManagerIdentity, authentication: Authentication, limits: Limits) -> Self {
        let network_name = identity.network_name();
        Self { limits, authentication, identity, network_name }
    }
}

/// The members of a Manager's own identity that do not change while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagerIdentity {
    /// This computer's name.
    pub hostname: String,
    /// The port that it listens on.
    pub port: u16,
    /// Like `Rust 1.95.0`.
    pub language: String,
    /// Like `Linux 6.1.0 x86_64`.
    pub os: String,
}

impl ManagerIdentity {
    /// `Manager[host:port]`.
    pub fn network_name(&self) -> String {
        format!("Manager[{}:{}]", self.hostname, self.port)
    }
}
