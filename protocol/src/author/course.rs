//! The course of a session: one connection or, if it is to be restored, several of them one after the other.
//!
//! Easy to get wrong: *over* and *ended*. A connection is over; what follows depends on whether the session lasts beyond it.
//! Only when there will be no other connection has the session ended.

use std::task::Waker;

use super::watch::{Look, Watchers};
use crate::device::Error;

/// Where a session stands, and who waits for it to go on. Kept under the session's lock.
#[derive(Default)]
pub(super) struct Course {
    /// Of the present connection; the first one has 1.
    number: u64,
    /// Whether another connection follows when this one is over.
    lasts: bool,
    /// Whether the Manager has let the present connection in.
    connected: bool,
    /// Whether it has ever let one in.
    begun: bool,
    over: Option<Error>,
    ended: Option<Error>,
    watchers: Watchers,
}

impl Course {
    /// Begins another connection; returns its number.
    pub(super) fn begin(&mut self) -> u64 {
        self.number += 1;
        self.connected = false;
        self.over = None;
        self.number
    }

    /// The number of the present connection.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn is_at(&self, number: u64) -> bool {
        self.number == number
    }

    /// Whether there has ever been a connection.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Why there will be no other connection.
    pub(super) fn ended(&self) -> Option<Error> {
        self.ended.clone()
    }

    /// The Manager has let the device in.
    pub(super) fn connected(&mut self, wakers: &mut Vec<Waker>) {
        (self.connected, self.begun) = (true, true);
        self.changed(wakers);
    }

    /// The connection is over; returns whether the session has ended with it.
    pub(super) fn over(&mut self, error: Error, wakers: &mut Vec<Waker>) -> bool {
        let ends = !self.lasts && self.ended.is_none();
        if ends {
            self.ended = Some(error.clone());
        }
        self.over = Some(error);
        self.changed(wakers);
        ends
    }

    /// From now on, the session lasts beyond its connection. Returns whether it does: not if it has ended already.
    pub(super) fn make_lasting(&mut self) -> bool {
        self.lasts = self.ended.is_none();
        self.lasts
    }

    /// The session does not last beyond its connection any more; returns whether it did.
    pub(super) fn stop_lasting(&mut self) -> bool {
        std::mem::replace(&mut self.lasts, false)
    }

    /// Wakes whoever waits for something.
    pub(super) fn changed(&self, wakers: &mut Vec<Waker>) {
        wakers.push(self.watchers.waker());
    }

    /// Whether the Manager has let the present connection in; that it is over since does not count.
    pub(super) fn look_connected(&self) -> Look<Result<(), Error>> {
        self.look(if self.connected { Some(Ok(())) } else { self.over.clone().map(Err) })
    }

    /// Why the present connection is over.
    pub(super) fn look_over(&self) -> Look<Error> {
        self.look(self.over.clone())
    }

    /// Why there will be no other connection.
    pub(super) fn look_ended(&self) -> Look<Error> {
        self.look(self.ended.clone())
    }

    /// What was found; or whoever looked for it hears of the next change.
    pub(super) fn look<T>(&self, found: Option<T>) -> Look<T> {
        self.watchers.look(found)
    }

    /// Whether another connection follows when this one is over.
    pub(super) fn lasts(&self) -> bool {
        self.lasts
    }
}
