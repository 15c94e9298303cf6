//! A link with a service, as its author holds it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{Client, names, raw};
use super::linked::OnError;
use super::links::Change;
use super::notifications::decode;
use super::session::Sending;
use super::{Call, IntoArguments, Notifications, Restored, With};
use crate::device::{Error, ErrorKind};
use crate::json::{self, JsonText};

/// A link with a service. Cheap to clone; [`Link::unlink`] ends it, as the end of the connection does.
#[derive(Clone)]
pub struct Link {
    client: Client,
    service: Arc<str>,
    entry: Arc<Entry>,
    on_error: Option<OnError>,
}

/// What the Manager says of a service.
#[derive(Debug, Deserialize)]
struct Entry {
    attributes: BTreeMap<String, JsonText>,
    address: String,
    language: String,
    os: String,
    #[serde(deserialize_with = "json::saturating")]
    max_clients: i64,
}

impl Link {
    pub(super) fn new(client: Client, service: String, entry: &Bytes) -> Result<Self, Error> {
        Ok(Self { client, service: service.into(), entry: Arc::new(decode(entry)?), on_error: None })
    }

    pub(super) fn with_hook(self, on_error: Option<OnError>) -> Self {
        Self { on_error, ..self }
    }

    /// Sends a request to the service, at once. Arguments are tuples, with [`super::With::with`] for keyword arguments.
    pub fn call<T: DeserializeOwned + 'static>(
        &self,
        attribute: &str,
        arguments: impl IntoArguments,
    ) -> Call<T> {
        let sending = Sending::to(&self.service, attribute, arguments);
        let call = self.client.session().call(sending, |answer| decode(&answer));
        call.with_hook(self.on_error.clone())
    }

    /// As [`Link::call`], with the JSON of the result as it came: all digits, all spellings.
    pub fn call_raw(&self, attribute: &str, arguments: impl IntoArguments) -> Call<String> {
        let sending = Sending::to(&self.service, attribute, arguments);
        let call = self.client.session().call(sending, |answer| raw(&answer));
        call.with_hook(self.on_error.clone())
    }

    /// The notifications of the service from now on.
    pub fn notifications(&self) -> Notifications {
        Notifications::new(self.client.session().clone(), self.client.session().subscribe(&self.service))
    }

    /// Locks the service: nobody else can link with it. `shared`: others that are linked already may lock it, too.
    /// The answer is the clients that are linked.
    ///
    /// # Errors
    /// [`crate::device::ErrorKind::Locked`]: others are linked, and the lock is not shared.
    pub fn acquire_lock(&self, shared: bool) -> Call<Vec<String>> {
        let arguments = (&*self.service,).with("shared", shared);
        self.client.session().call(Sending::to_manager("acquire_lock", arguments), |answer| names(&answer))
    }

    /// Gives a lock back. The answer is the clients that still hold one.
    pub fn release_lock(&self) -> Call<Vec<String>> {
        self.client
            .session()
            .call(Sending::to_manager("release_lock", (&*self.service,)), |answer| names(&answer))
    }

    /// Locks the service until the returned guard is dropped.
    ///
    /// # Errors
    /// As [`Link::acquire_lock`].
    pub fn lock(&self, shared: bool) -> Call<Lock> {
        let (session, arguments) = (self.client.session(), (&*self.service,).with("shared", shared));
        let connection = session.number();
        // Made now, so that a lock whose answer nobody takes is given back, too.
        let mut lock = Lock { link: self.clone(), connection, held: true };
        session.send(Sending::to_manager("acquire_lock", arguments).on(connection), move |outcome| {
            // Whether one was acquired that was not answered in time is not known.
            lock.held = outcome.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::TimedOut);
            outcome.map(|_| lock)
        })
    }

    /// Ends the link. Its notifications and its lock end with it.
    pub fn unlink(&self) -> Call<bool> {
        let sending =
            Sending::to_manager("unlink", (&*self.service,)).changing(Change::Unlink, &self.service);
        self.client.session().call(sending, |answer| decode(&answer))
    }

    /// Asks the service to shut down, if it lets clients do so. The answer is whatever it says.
    pub fn shutdown_service<T: DeserializeOwned + 'static>(&self, arguments: impl IntoArguments) -> Call<T> {
        self.call("shutdown_service", arguments)
    }

    /// Is ready when requests to the service can be sent: at once if they can be now, and otherwise when the connection, and
    /// this link, are restored.
    ///
    /// Its error is the end, if they are not going to be.
    pub fn restored(&self) -> Restored {
        Restored::new(self.client.session().clone(), Some(self.service.clone()))
    }

    /// The client whose link this is.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The service's name.
    pub fn service_name(&self) -> &str {
        &self.service
    }

    /// Its attributes: signatures of methods, values of constants.
    pub fn service_attributes(&self) -> &BTreeMap<String, JsonText> {
        &self.entry.attributes
    }

    /// Its address, `host:port`.
    pub fn service_address(&self) -> &str {
        &self.entry.address
    }

    /// The language that it is written in.
    pub fn service_language(&self) -> &str {
        &self.entry.language
    }

    /// The operating system that it runs on.
    pub fn service_os(&self) -> &str {
        &self.entry.os
    }

    /// How many clients may be linked; `None`: any number.
    pub fn service_max_clients(&self) -> Option<u32> {
        u32::try_from(self.entry.max_clients).ok().filter(|most| *most > 0)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link with {}[{}] at {}", self.service, self.entry.address, self.client.manager())
    }
}

/// A lock on a service; given back when it is dropped.
///
/// A client has one lock on a service, whichever of its guards has acquired it.
///
/// A lock ends with its connection and is **not** restored with it: somebody else may have had the instrument meanwhile.
/// [`Lock::is_held`] is false from then on and [`Lock::release`] is an error; acquire another one.
#[derive(Debug)]
#[must_use = "the lock is given back when it is dropped"]
pub struct Lock {
    link: Link,
    /// The one that it was acquired on.
    connection: u64,
    held: bool,
}

impl Lock {
    /// Whether the connection that the lock was acquired on is still there, and the lock with it.
    pub fn is_held(&self) -> bool {
        self.link.client.session().is_connected_by(self.connection)
    }

    /// Gives the lock back; the answer is the clients that still hold one.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`]: the connection that it was acquired on is over, and the lock with it, also if there is
    /// another connection.
    pub fn release(mut self) -> Call<Vec<String>> {
        self.give_back()
    }

    fn give_back(&mut self) -> Call<Vec<String>> {
        self.held = false;
        let sending = Sending::to_manager("release_lock", (&*self.link.service,)).on(self.connection);
        self.link.client.session().call(sending, |answer| names(&answer))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.held {
            // Sent now; nobody waits for the answer, and an end of the connection frees the lock too.
            drop(self.give_back());
        }
    }
}
