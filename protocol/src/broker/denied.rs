//! Why the broker says no, and in which words a device is told.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{Exception, Refusal};
use crate::json::python_repr;
use crate::name::NetworkName;

/// A decision of the [`Broker`](super::Broker). The words are made later, where nobody waits for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Another service has this name.
    NameTaken,
    /// Another device has this network name.
    NetworkNameTaken,
    /// There is no service of this name.
    NoSuchService,
    /// Somebody holds a lock on the service.
    Locked,
    /// The service has all the links that it takes; with these clients.
    Full(Vec<NetworkName>),
    /// The same, for a request of a client that is not among them.
    OnlyForLinked,
    /// An exclusive lock needs to be the only link; there are these.
    NotAlone(Vec<NetworkName>),
    /// The client is not linked with the service.
    NotLinked,
    /// Only clients link and lock.
    NotAClient,
}

/// What a device had asked for when it was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt<'a> {
    Join,
    Link,
    Unlink,
    AcquireLock,
    ReleaseLock,
    /// A request to the service, by way of the Manager of this network name.
    Request(&'a str),
}

impl Denied {
    /// The answer to `who`, who attempted something with `service`. Texts that existing programs may know are the
    /// Python Manager's (docs/wire.md, section 2).
    pub(crate) fn refusal(&self, attempt: Attempt<'_>, who: &str, service: &str) -> Refusal {
        let quoted = python_repr(service);
        match (self, attempt) {
            (Self::NameTaken, _) => {
                Refusal::new(Exception::Name, format!("A {quoted} service is already running on the Manager"))
            }
            (Self::NetworkNameTaken, _) => Refusal::new(
                Exception::Name,
                format!("a device on the same computer and port is called {quoted} already; connect again"),
            ),
            (Self::OnlyForLinked, _) => Refusal::new(
                Exception::Permission,
                format!(
                    "{quoted} has all the links that it takes, and answers nobody else; try to link later"
                ),
            ),
            (Self::NoSuchService, Attempt::Request(manager)) => {
                Refusal::new(Exception::Key, format!("the {quoted} Service is not connected to {manager}"))
            }
            (Self::NoSuchService, Attempt::AcquireLock) => Refusal::new(
                Exception::Key,
                format!("{quoted} service does not exist, {who} cannot acquire a lock"),
            ),
            (Self::NoSuchService, Attempt::ReleaseLock) => Refusal::new(
                Exception::Key,
                format!("{quoted} service does not exist, {who} cannot release the lock"),
            ),
            (Self::NoSuchService, _) => Refusal::new(
                Exception::Key,
                format!("the {quoted} service does not exist, cannot link with {who}"),
            ),
            (Self::Locked, _) => Refusal::new(Exception::Permission, format!("{quoted} service is locked")),
            (Self::Full(linked), _) => Refusal::new(
                Exception::Permission,
                format!("The maximum number of Clients are already linked with {quoted}\n{}", listed(linked)),
            ),
            (Self::NotAlone(linked), _) => Refusal::new(
                Exception::Permission,
                format!(
                    "{who} cannot acquire an exclusive lock, there are {} links with the {quoted} service\n{}",
                    linked.len(),
                    listed(linked)
                ),
            ),
            (Self::NotLinked, Attempt::AcquireLock) => Refusal::new(
                Exception::Permission,
                format!("{who} cannot acquire a lock because it is not linked with the {quoted} service"),
            ),
            (Self::NotLinked, _) => {
                Refusal::new(Exception::Key, format!("cannot unlink {who}, it was not linked with {quoted}"))
            }
            (Self::NotAClient, _) => Refusal::new(
                Exception::Permission,
                format!(
                    "{who} is a service, or has left: only a client that is connected can link with a service"
                ),
            ),
        }
    }
}

fn listed(clients: &[NetworkName]) -> String {
    let mut text = String::from("The linked Clients are:");
    for client in clients {
        text.push_str("\n  ");
        text.push_str(client.as_str());
    }
    text
}
