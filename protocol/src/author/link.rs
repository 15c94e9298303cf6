//! A link with a service, as its author holds it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{Client, names, raw};
use super::linked::OnError;
use super::notifications::decode;
use super::{Call, IntoArguments, Notifications};
use crate::device::Error;
use crate::json::{self, JsonText};
use crate::message::MANAGER;

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
        let call =
            self.client.session().call(&self.service, attribute, &arguments.into(), |answer| decode(&answer));
        call.with_hook(self.on_error.clone())
    }

    /// As [`Link::call`], with the JSON of the result as it came: all digits, all spellings.
    pub fn call_raw(&self, attribute: &str, arguments: impl IntoArguments) -> Call<String> {
        let call =
            self.client.session().call(&self.service, attribute, &arguments.into(), |answer| raw(&answer));
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
        let arguments = super::With::with((&*self.service,), "shared", shared);
        self.client.session().call(MANAGER, "acquire_lock", &arguments, |answer| names(&answer))
    }

    /// Gives a lock back. The answer is the clients that still hold one.
    pub fn release_lock(&self) -> Call<Vec<String>> {
        self.client
            .session()
            .call(MANAGER, "release_lock", &(&*self.service,).into(), |answer| names(&answer))
    }

    /// Locks the service until the returned guard is dropped.
    ///
    /// # Errors
    /// As [`Link::acquire_lock`].
    pub fn lock(&self, shared: bool) -> Call<Lock> {
        let (link, arguments) = (self.clone(), super::With::with((&*self.service,), "shared", shared));
        self.client.session().call(MANAGER, "acquire_lock", &arguments, |_| Ok(Lock { link, held: true }))
    }

    /// Ends the link. Its notifications and its lock end with it.
    pub fn unlink(&self) -> Call<bool> {
        self.client.session().call(MANAGER, "unlink", &(&*self.service,).into(), |answer| decode(&answer))
    }

    /// Asks the service to shut down, if it lets clients do so. The answer is whatever it says.
    pub fn shutdown_service<T: DeserializeOwned + 'static>(&self, arguments: impl IntoArguments) -> Call<T> {
        self.call("shutdown_service", arguments)
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
#[derive(Debug)]
#[must_use = "the lock is given back when it is dropped"]
pub struct Lock {
    link: Link,
    held: bool,
}

impl Lock {
    /// Gives the lock back; the answer is the clients that still hold one.
    ///
    /// # Errors
    /// The connection has ended; the lock with it.
    pub fn release(mut self) -> Call<Vec<String>> {
        self.held = false;
        self.link.release_lock()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.held {
            // Sent now; nobody waits for the answer, and an end of the connection frees the lock too.
            drop(self.link.release_lock());
        }
    }
}
