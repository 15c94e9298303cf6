//! A link with a service, as its author holds it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{Client, names, raw};
use super::identities::saturating;
use super::linked::OnError;
use super::links::Change;
use super::locks::{LockId, Step};
use super::notifications::decode;
use super::session::Sending;
use super::{Call, IntoArguments, Notifications, Restored, With};
use crate::device::{Error, ErrorKind};
use crate::json::JsonText;

/// A link with a service. Cheap to clone; [`Link::unlink`] ends it, as the end of the connection does.
///
/// What it says of the service, its attributes and its address for instance, is what the Manager said when it was made. A link
/// that is [restored](super::Connect::reconnect) may be with a service that was started anew.
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
    #[serde(deserialize_with = "saturating")]
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
        let call = self.client.session().call(sending, raw);
        call.with_hook(self.on_error.clone())
    }

    /// The notifications of the service from now on. The connection goes on for as long as somebody holds them.
    pub fn notifications(&self) -> Notifications {
        Notifications::new(self.client.clone(), self.client.session().subscribe(&self.service))
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
    /// As [`Link::acquire_lock`]; [`ErrorKind::NotLinked`] if the link has ended.
    pub fn lock(&self, shared: bool) -> Call<Lock> {
        let session = self.client.session();
        let Some(id) = session.guard(&self.service) else {
            let text = format!("the link with {} has ended; link again", self.service);
            return Call::settled(Err(Error::new(ErrorKind::NotLinked, text)));
        };
        // Made now, so that a lock whose answer nobody takes is given back, too.
        let mut lock = Lock { link: self.clone(), id: Some(id), held: true };
        let sending = Sending::to_manager("acquire_lock", (&*self.service,).with("shared", shared));
        session.send(sending.stepping(Step::Acquire(id), &self.service), move |outcome| {
            // Whether one was acquired whose answer did not come in time, or is no answer, is not known.
            lock.held = match &outcome {
                Ok(_) => true,
                Err(error) if error.kind() == ErrorKind::TimedOut => error.may_be_executed(),
                Err(error) => error.kind() == ErrorKind::Decode,
            };
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
/// A client has one lock on a service. If several guards have acquired it, it is given back with the last of them;
/// [`Link::release_lock`] does so at once.
///
/// A lock ends with its connection and is **not** restored with it: somebody else may have had the instrument meanwhile.
/// [`Lock::is_held`] is false from then on and [`Lock::release`] is an error; acquire another one.
#[derive(Debug)]
#[must_use = "the lock is given back when it is dropped"]
pub struct Lock {
    link: Link,
    /// `None` once it was given back.
    id: Option<LockId>,
    /// Whether it was acquired, as far as anybody knows.
    held: bool,
}

impl Lock {
    /// Whether the connection and the link that the lock was acquired on are still there, and the lock with them: as far as
    /// this client has heard. A Manager does not say that a service has gone, and its locks with it; a request to it shows
    /// that, unless another one has taken its name.
    pub fn is_held(&self) -> bool {
        self.id.is_some_and(|id| self.link.client.session().has_lock(&self.link.service, id))
    }

    /// Gives the lock back, as dropping it does, and says when that is done. At once, if another guard still has it.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`]: the connection or the link that it was acquired on is over, and the lock with it, also if
    /// there is another one.
    pub fn release(mut self) -> Call<()> {
        match self.id.take() {
            Some(id) => self.give_back(id),
            None => Call::settled(Ok(())),
        }
    }

    fn give_back(&self, id: LockId) -> Call<()> {
        let service = &*self.link.service;
        let sending = Sending::to_manager("release_lock", (service,));
        let sending = sending.stepping(Step::GiveBack(id, self.held), service);
        self.link.client.session().send(sending, |outcome| outcome.map(drop))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            // Sent now; nobody waits for the answer, and an end of the connection frees the lock too.
            drop(self.give_back(id));
        }
    }
}
