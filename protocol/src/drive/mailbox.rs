//! A mailbox that several threads share, with the waker of the task that empties it.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use super::lock;
use crate::mailbox::{Mailbox, Notice, Parcel, Undelivered};

/// A connection's mailbox, for whoever has something for it. Cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<Mutex<Shared>>);

struct Shared {
    mailbox: Mailbox<Handle>,
    /// Taken when the task is woken: it registers anew at its next turn, and is not woken twice before.
    waker: Option<Waker>,
    /// Whether the task has come to its end.
    ended: bool,
}

impl Handle {
    pub(super) fn new(mailbox: Mailbox<Self>) -> Self {
        Self(Arc::new(Mutex::new(Shared { mailbox, waker: None, ended: false })))
    }

    /// Leaves a notice and wakes the connection.
    pub fn tell(&self, notice: Notice) {
        // Woken after the lock is free, so that the task does not run into it.
        let waker = self.leave(notice);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Leaves a notice. Returns whom to wake, once no lock is held.
    pub(super) fn leave(&self, notice: Notice) -> Option<Waker> {
        let mut shared = lock(&self.0);
        shared.mailbox.notify(notice);
        shared.waker.take()
    }

    /// Whether its connection has come to its end: nobody hears what it is told. Work that was only meant for it is not worth
    /// doing any more.
    pub fn has_ended(&self) -> bool {
        lock(&self.0).ended
    }

    pub(super) fn end(&self) {
        lock(&self.0).ended = true;
    }

    /// Puts a parcel in. Returns whom to wake, once no lock is held.
    pub(super) fn put(&self, parcel: Parcel<Self>) -> (Result<(), Undelivered<Self>>, Option<Waker>) {
        let mut shared = lock(&self.0);
        (shared.mailbox.put(parcel), shared.waker.take())
    }

    /// Whom to wake.
    pub(super) fn waker(&self) -> Option<Waker> {
        lock(&self.0).waker.take()
    }

    pub(super) fn with<R>(&self, look: impl FnOnce(&mut Mailbox<Self>) -> R) -> R {
        look(&mut lock(&self.0).mailbox)
    }

    /// Registers the task that is to be woken from now on.
    pub(super) fn register(&self, waker: &Waker) {
        let mut shared = lock(&self.0);
        match &mut shared.waker {
            Some(registered) => registered.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }
}

/// Two are equal when they are of one mailbox.
impl PartialEq for Handle {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Handle {}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}
