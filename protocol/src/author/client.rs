//! A client, as its author holds it.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::connect::{Connect, Device, Way};
use super::connection::Connection;
use super::keeper::keep;
use super::link::Link;
use super::linked::NewLinkedClient;
use super::links::Change;
use super::notifications::decode;
use super::runtime::BoxFuture;
use super::session::{Sending, Session};
use super::{Address, Arguments, Call, Ended, Identities, IntoArguments, Restored};
use crate::client::Machine;
use crate::device::{Description, Error, ErrorKind};
use crate::json;
use crate::name::DeviceName;

/// A client that is about to be connected.
#[derive(Clone, Debug)]
pub struct NewClient {
    name: String,
}

impl NewClient {
    pub(super) fn named(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl Default for NewClient {
    fn default() -> Self {
        Self::named("Client")
    }
}

impl Connect<NewClient> {
    /// The client's name, by which people recognise it: `Client`, if not set. It has 1 to 256 characters, none of them
    /// invisible, and is not `Manager`: connecting is an error otherwise.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.map(|_| NewClient::named(name))
    }

    /// Connects, and links with a service, which may still be starting: it is waited for, for as long as
    /// [`Connect::timeout`] says.
    pub fn linked(self, service: impl Into<String>) -> Connect<NewLinkedClient> {
        self.map(|client| NewLinkedClient::new(client, service.into()))
    }
}

impl Device for NewClient {
    type Connected = Client;

    fn connect(self, way: Way) -> BoxFuture<Result<Client, Error>> {
        Box::pin(async move {
            DeviceName::new(&self.name).map_err(|error| {
                Error::new(ErrorKind::Invalid, format!("{:?} is no name for a client: {error}", self.name))
            })?;
            let computer = way.runtime.computer();
            let description =
                Description { name: self.name.clone(), language: computer.language, os: computer.os };
            let options = &way.options;
            let machine = Machine::new(description, options.credentials.clone(), options.read_limit);
            let session = Session::new(machine, way.runtime.clone(), options.answer_prompt.clone());
            way.open(&Connection::begin(&session)).await?;
            keep(&session, &way);
            let name = self.name.as_str().into();
            let again = Arc::new(Connect::with_options(self, way.options, way.runtimes));
            Ok(Client { _owner: Arc::new(Owner(session.clone())), session, name, again })
        })
    }
}

/// A client's connection with a Manager. Cheap to clone; the connection ends with the last of its clients, links and
/// [notifications](super::Notifications).
#[derive(Clone, Debug)]
pub struct Client {
    session: Session,
    name: Arc<str>,
    /// Makes another one with the same options.
    again: Arc<Connect<NewClient>>,
    _owner: Arc<Owner>,
}

/// Ends the connection when nobody holds it any more.
#[derive(Debug)]
struct Owner(Session);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.disconnect();
    }
}

impl Client {
    /// The client's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Manager's network name, like `Manager[lab:1875]`.
    pub fn manager(&self) -> String {
        self.session.manager()
    }

    /// The client's own address, `host:port`, as the Manager names it to others.
    pub fn address(&self) -> String {
        self.session.address()
    }

    /// The Manager's address, as it was connected with.
    pub fn manager_address(&self) -> &Address {
        self.again.address()
    }

    /// Whether requests can be sent now.
    pub fn is_connected(&self) -> bool {
        self.session.is_connected()
    }

    /// Links with a service. Requests can then be sent, and its notifications come.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchService`], [`ErrorKind::Locked`], [`ErrorKind::Full`].
    pub fn link(&self, service: &str) -> Call<Link> {
        let (client, name) = (self.clone(), service.to_string());
        let sending = Sending::to_manager("link", (service,)).changing(Change::Link, service);
        self.session.call(sending, move |entry| Link::new(client, name, &entry))
    }

    /// Who is connected with the Manager. It can be read by people, too: [`Identities`] as text is a list.
    pub fn identities(&self) -> Call<Identities> {
        self.session.call(Sending::to_manager("identity", Arguments::new()), |answer| decode(&answer))
    }

    /// Another connection with the same options.
    pub fn spawn(&self, name: impl Into<String>) -> Connect<NewClient> {
        Connect::clone(&self.again).name(name)
    }

    /// Asks the Manager for something that only an administrator may, like `users_table.usernames`.
    pub fn admin_request<T: DeserializeOwned + 'static>(
        &self,
        attribute: &str,
        arguments: impl IntoArguments,
    ) -> Call<T> {
        self.session.call(Sending::to_manager(attribute, arguments), |answer| decode(&answer))
    }

    /// Is ready when requests can be sent: at once if they can be now, and otherwise when the connection is restored.
    ///
    /// Its error is the end, if the connection is not going to be restored.
    pub fn restored(&self) -> Restored {
        Restored::new(self.session.clone(), None)
    }

    /// Ends the connection; the returned future is ready when it has ended. What was sent before is answered first. One
    /// that is being restored is given up at once, and a Manager that does nothing is waited for during
    /// [10 s](crate::device::LEAVE).
    pub fn disconnect(&self) -> Ended {
        self.session.disconnect();
        self.ended()
    }

    /// Is ready when the connection has ended, and says why. One that is [restored](Connect::reconnect) has not ended.
    pub fn ended(&self) -> Ended {
        Ended::new(self.session.clone())
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }
}

/// The answer of a request whose JSON is wanted as it came.
pub(super) fn raw(answer: Bytes) -> Result<String, Error> {
    // Without a copy, where nobody else has them.
    String::from_utf8(answer.into()).map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))
}

/// A list of network names.
pub(super) fn names(answer: &Bytes) -> Result<Vec<String>, Error> {
    json::from_checked(answer).map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))
}
