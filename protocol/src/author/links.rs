//! The services that a client is linked with, and who reads their notifications.
//!
//! It outlives a connection: what was linked is linked again on the next one. So it follows the *answers* of the Manager,
//! whether somebody still waits for them or not.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::task::Waker;

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
}

#[derive(Default)]
struct Linked {
    /// Whether it is linked on the present connection.
    here: bool,
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
            (Change::Link, Ok(_)) => self.services.entry(service).or_default().here = true,
            (Change::Relink, outcome) => {
                if let Some(linked) = self.services.get_mut(&service) {
                    linked.here |= outcome.is_ok();
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

    /// What has become of the links of the connection before, once all of it is known.
    pub(super) fn news(&mut self) -> Option<News> {
        let waits = self.asked.values().any(|(change, _)| *change == Change::Relink);
        (!waits).then(|| std::mem::take(&mut self.news))
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
            // Where it was missing already, readers know.
            if std::mem::replace(&mut linked.here, false) {
                let readers = linked.readers.iter().filter_map(Weak::upgrade);
                wakers.extend(readers.filter_map(|inbox| inbox.put(Notification::Interrupted)));
            }
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
