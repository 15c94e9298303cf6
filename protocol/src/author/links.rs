//! The services that a client is linked with, and who reads their notifications.
//!
//! It outlives a connection: what was linked is linked again on the next one. So it follows the *answers* of the Manager,
//! whether somebody still waits for them or not.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::task::Waker;

use super::locks::{Guards, LockId, Step};
use super::notifications::{Inbox, Notification};
use crate::client::CallId;
use crate::device::{Error, ErrorKind};

/// What a request is going to change, once it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Link,
    /// A link of the connection before.
    Relink,
    Unlink,
}

/// What has become of links: the service, and why it is not linked again if it is not.
pub(super) type News = Vec<(String, Result<(), Error>)>;

/// The links of one client. Kept under the session's lock.
#[derive(Default)]
pub(super) struct Links {
    services: BTreeMap<String, Linked>,
    asked: BTreeMap<CallId, (Change, String)>,
    /// What has become of the links of the connection before.
    news: News,
    /// How many locks there have been.
    locks: u64,
}

#[derive(Default)]
struct Linked {
    /// Whether it is linked on the present connection.
    here: bool,
    /// The request that has linked it.
    by: Option<CallId>,
    lock: Option<Guards>,
    readers: Vec<Weak<Inbox>>,
}

impl Links {
    /// A request that changes the links was sent.
    pub(super) fn ask(&mut self, call: CallId, change: Change, service: &str, wakers: &mut Vec<Waker>) {
        // It must not be linked again behind this.
        if change == Change::Unlink && self.services.get(service).is_some_and(|linked| !linked.here) {
            self.remove(service, wakers);
        }
        self.asked.insert(call, (change, service.to_string()));
    }

    /// Whether this request changes the links.
    pub(super) fn concerns(&self, call: CallId) -> bool {
        self.asked.contains_key(&call)
    }

    /// A request was answered. Returns whether it has to do with the links.
    pub(super) fn answer<T>(
        &mut self,
        call: CallId,
        outcome: &Result<T, Error>,
        wakers: &mut Vec<Waker>,
    ) -> bool {
        let Some((change, service)) = self.asked.remove(&call) else { return false };
        match (change, outcome) {
            (Change::Link, Ok(_)) => self.services.entry(service).or_default().begin(call),
            (Change::Relink, outcome) => {
                if let Some(linked) = self.services.get_mut(&service) {
                    if outcome.is_ok() {
                        linked.begin(call);
                    }
                    self.news.push((service, outcome.as_ref().map(|_| ()).map_err(Clone::clone)));
                }
            }
            (Change::Unlink, Ok(_)) => self.remove(&service, wakers),
            (Change::Unlink, Err(error)) if error.kind() == ErrorKind::NotLinked => {
                self.remove(&service, wakers);
            }
            (Change::Link | Change::Unlink, Err(_)) => {}
        }
        true
    }

    /// Those that are not linked on the present connection.
    pub(super) fn missing(&self) -> Vec<String> {
        let missing = self.services.iter().filter(|(_, linked)| !linked.here);
        missing.map(|(service, _)| service.clone()).collect()
    }

    /// Whether a service is linked on the present connection; `None` if it is not to be.
    pub(super) fn is_here(&self, service: &str) -> Option<bool> {
        self.services.get(service).map(|linked| linked.here)
    }

    /// What has become of links that were to be restored, once the Manager has answered all of that; and whether any is
    /// missing. Nothing while there is nothing to tell and to do.
    pub(super) fn news(&mut self) -> Option<(News, bool)> {
        let waits = self.asked.values().any(|(change, _)| *change == Change::Relink);
        let missing = self.services.values().any(|linked| !linked.here);
        let ready = !waits && (missing || !self.news.is_empty());
        ready.then(|| (std::mem::take(&mut self.news), missing))
    }

    /// A service was not there for this request. Its link has ended, unless it was made after that; readers hear of it, and
    /// `lasts` says whether it is to be restored.
    pub(super) fn gone(
        &mut self,
        call: CallId,
        service: String,
        error: Error,
        lasts: bool,
        wakers: &mut Vec<Waker>,
    ) {
        let Some(linked) = self.services.get_mut(&service) else { return };
        if !linked.here || linked.by > Some(call) {
            return;
        }
        if lasts {
            linked.interrupt(wakers);
            self.news.push((service, Err(error)));
        } else {
            self.remove(&service, wakers);
        }
    }

    /// Another guard for the lock on a service; `None` without a link.
    pub(super) fn guard(&mut self, service: &str) -> Option<LockId> {
        let linked = self.services.get_mut(service)?;
        let guards = linked.lock.get_or_insert_with(|| {
            self.locks += 1;
            Guards::new(LockId(self.locks))
        });
        Some(guards.add())
    }

    /// Whether the guards of this lock still stand for it.
    pub(super) fn has_lock(&self, service: &str, id: LockId) -> bool {
        self.services
            .get(service)
            .is_some_and(|linked| linked.lock.as_ref().is_some_and(|lock| lock.id() == id))
    }

    /// Does its part of a step of a lock. Returns whether a request is to be sent for it; nothing if the lock has ended.
    pub(super) fn step(&mut self, service: &str, step: Step) -> Option<bool> {
        let (Step::Acquire(id) | Step::GiveBack(id, _)) = step;
        let linked = self.services.get_mut(service)?;
        let guards = linked.lock.as_mut().filter(|guards| guards.id() == id)?;
        let Step::GiveBack(_, held) = step else {
            guards.ask();
            return Some(true);
        };
        let Some(held) = guards.remove(held) else { return Some(false) };
        linked.lock = None;
        Some(held)
    }

    /// A reader of a service's notifications; one that has ended already if it is not linked.
    pub(super) fn subscribe(&mut self, service: &str) -> Arc<Inbox> {
        let inbox = Arc::new(Inbox::default());
        match self.services.get_mut(service) {
            Some(linked) => {
                linked.readers.retain(|inbox| inbox.strong_count() > 0);
                linked.readers.push(Arc::downgrade(&inbox));
            }
            // A new one has no waker.
            None => drop(inbox.end()),
        }
        inbox
    }

    pub(super) fn deliver(&self, service: &str, notification: &Notification, wakers: &mut Vec<Waker>) {
        let readers = self.services.get(service).into_iter().flat_map(|linked| &linked.readers);
        wakers.extend(readers.filter_map(Weak::upgrade).filter_map(|inbox| inbox.put(notification.clone())));
    }

    /// The connection is over, and another one follows.
    pub(super) fn interrupt(&mut self, wakers: &mut Vec<Waker>) {
        self.asked.clear();
        self.news.clear();
        for linked in self.services.values_mut() {
            linked.interrupt(wakers);
        }
    }

    /// There will be no other connection.
    pub(super) fn end(&mut self, wakers: &mut Vec<Waker>) {
        self.asked.clear();
        self.news.clear();
        for service in self.services.keys().cloned().collect::<Vec<_>>() {
            self.remove(&service, wakers);
        }
    }

    fn remove(&mut self, service: &str, wakers: &mut Vec<Waker>) {
        let readers = self.services.remove(service).into_iter().flat_map(|linked| linked.readers);
        wakers.extend(readers.filter_map(|inbox| inbox.upgrade()?.end()));
    }
}

impl Linked {
    fn begin(&mut self, by: CallId) {
        // Asked for once more, it is the same link.
        self.here = true;
        self.by = Some(by);
    }

    fn interrupt(&mut self, wakers: &mut Vec<Waker>) {
        self.lock = None;
        // Where it was missing already, readers know.
        if std::mem::replace(&mut self.here, false) {
            let readers = self.readers.iter().filter_map(Weak::upgrade);
            wakers.extend(readers.filter_map(|inbox| inbox.put(Notification::Interrupted)));
        }
    }
}
