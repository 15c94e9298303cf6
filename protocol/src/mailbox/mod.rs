//! What waits to be written to one device, and the limits on it.
//!
//! A mailbox is filled by other connections and emptied by its own. It is data only: the hub keeps mailboxes in a map,
//! the drive each in a mutex of its own. The one thing that is easy to get wrong: bytes that were taken out still count
//! until [`Mailbox::sent`] says that the socket has them, or a slow reader would look like a quick one.

mod parcel;

pub use parcel::{ConnectionId, Notice, Parcel, Request, Uid, Verdict};

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::limits::Limits;

/// Why a parcel was not taken.
#[derive(Clone, Debug)]
pub enum Undelivered<H> {
    /// There is no room now for a request. It comes back to wait, and its sender is woken when there is room.
    Full(Box<Request<H>>),
    /// The device has gone.
    Closed,
}

/// All bytes that are held for devices, against the limit on them.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    held: AtomicUsize,
}

impl Budget {
    /// Nothing held yet, at most `limit` bytes allowed.
    pub const fn new(limit: usize) -> Self {
        Self { limit, held: AtomicUsize::new(0) }
    }

    /// Counts `bytes` more.
    pub fn take(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts `bytes` less.
    pub fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The bytes held now.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Whether more is held than may be.
    pub fn is_exceeded(&self) -> bool {
        self.held() > self.limit
    }
}

/// How much waits for a device, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// All that waits or is on its way out.
    pub backlog: usize,
    /// Of what waits, the Manager's own answers: what the device has asked for itself.
    pub own: usize,
}

/// The lines that wait for one device.
#[derive(Debug)]
pub struct Mailbox<H> {
    queue: VecDeque<Parcel<H>>,
    notices: Vec<Notice>,
    /// The clients that wait for room, by their mailboxes, in the order in which they began to wait.
    waiting: VecDeque<(ConnectionId, H)>,
    queued: usize,
    taken: usize,
    notifications: usize,
    own: usize,
    high_water: usize,
    most_notifications: usize,
    /// Whether the socket took less than it was offered last.
    blocked: bool,
    overflowed: bool,
    closed: bool,
    budget: Arc<Budget>,
}

impl<H: Clone> Mailbox<H> {
    /// An empty one.
    pub fn new(limits: &Limits, budget: Arc<Budget>) -> Self {
        Self {
            queue: VecDeque::new(),
            notices: Vec::new(),
            waiting: VecDeque::new(),
            queued: 0,
            taken: 0,
            notifications: 0,
            own: 0,
            high_water: limits.service_mailbox,
            most_notifications: limits.notifications,
            blocked: false,
            overflowed: false,
            closed: false,
            budget,
        }
    }

    /// Puts a parcel in. Only requests wait for room: a service must never wait for a client.
    ///
    /// # Errors
    /// [`Undelivered::Full`] for a request above the high water mark (its client will be among
    /// [`Mailbox::senders_with_room`]), [`Undelivered::Closed`] where the device has gone.
    pub fn put(&mut self, parcel: Parcel<H>) -> Result<(), Undelivered<H>> {
        if self.closed {
            return Err(Undelivered::Closed);
        }
        match parcel {
            Parcel::Request(request) if self.backlog() >= self.high_water => {
                if self.waiting.iter().all(|(client, _)| *client != request.client) {
                    self.waiting.push_back((request.client, request.reply_to.clone()));
                }
                return Err(Undelivered::Full(Box::new(request)));
            }
            Parcel::Notification(ref line) => {
                // Once over the limit the connection is going to end; more would only fill the memory. No sign of a slow
                // reader are a single one, which may be as large as any line, and many that come before the connection
                // has its turn.
                self.overflowed |= self.blocked
                    && self.notifications > 0
                    && self.notifications + line.len() > self.most_notifications;
                if self.overflowed {
                    return Ok(());
                }
                self.notifications += line.len();
            }
            _ => {}
        }
        self.enqueue(parcel);
        Ok(())
    }

    /// Takes parcels out for writing, as many as are needed for `most` bytes or more. Gives their bytes, too: these count until
    /// [`Mailbox::sent`].
    pub fn take(&mut self, most: usize) -> (VecDeque<Parcel<H>>, usize) {
        let (mut parcels, mut bytes) = (0, 0);
        for parcel in &self.queue {
            if bytes >= most {
                break;
            }
            let len = parcel.line().len();
            (parcels, bytes) = (parcels + 1, bytes + len);
            match parcel {
                Parcel::Notification(_) => self.notifications -= len,
                Parcel::Own(_) => self.own -= len,
                _ => {}
            }
        }
        self.queued -= bytes;
        self.taken += bytes;
        let is_all = parcels == self.queue.len();
        (if is_all { mem::take(&mut self.queue) } else { self.queue.drain(..parcels).collect() }, bytes)
    }

    /// Says that `bytes` of what was taken have left.
    pub fn sent(&mut self, bytes: usize) {
        let bytes = bytes.min(self.taken);
        self.taken -= bytes;
        self.budget.give_back(bytes);
    }

    /// Says whether the socket took less than it was offered: the limit on notifications holds while that lasts.
    pub fn set_blocked(&mut self, blocked: bool) {
        self.blocked = blocked;
    }

    /// Leaves a notice. It is of no use in a closed mailbox, but does no harm there.
    pub fn notify(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// Takes the notices out, oldest first.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        mem::take(&mut self.notices)
    }

    /// The mailboxes of the clients that waited for room, once there is some, or never will be. Each tries again.
    pub fn senders_with_room(&mut self) -> impl Iterator<Item = H> + use<H> {
        let ready = self.closed || self.backlog() < self.high_water;
        let waiting = if ready { mem::take(&mut self.waiting) } else { VecDeque::new() };
        waiting.into_iter().map(|(_, mailbox)| mailbox)
    }

    /// Takes out the requests of `client` that have not been taken for writing.
    pub fn withdraw(&mut self, client: ConnectionId) -> Vec<Request<H>> {
        self.waiting.retain(|(waiting, _)| *waiting != client);
        self.take_requests(|request| request.client == client)
    }

    /// Lets nothing more in, and takes the requests out, which nobody will execute. Other lines stay, to be written.
    pub fn close(&mut self) -> Vec<Request<H>> {
        self.closed = true;
        self.take_requests(|_| true)
    }

    /// Throws away what waits for a device that does not read; requests stay, to be answered when it is closed. Returns
    /// how many answers were among it.
    pub fn clear(&mut self) -> usize {
        let requests = self.take_requests(|_| true);
        let answers = self.queue.drain(..).map(|parcel| match parcel {
            Parcel::Answers { count, .. } => count,
            _ => 0,
        });
        let answers = answers.sum();
        self.budget.give_back(mem::take(&mut self.queued));
        (self.notifications, self.own) = (0, 0);
        for request in requests {
            self.enqueue(Parcel::Request(request));
        }
        answers
    }

    fn take_requests(&mut self, mut which: impl FnMut(&Request<H>) -> bool) -> Vec<Request<H>> {
        let mut taken = Vec::new();
        for parcel in mem::take(&mut self.queue) {
            match parcel {
                Parcel::Request(request) if which(&request) => {
                    self.queued -= request.line.len();
                    self.budget.give_back(request.line.len());
                    taken.push(request);
                }
                other => self.queue.push_back(other),
            }
        }
        taken
    }

    fn enqueue(&mut self, parcel: Parcel<H>) {
        if let Parcel::Own(line) = &parcel {
            self.own += line.len();
        }
        self.queued += parcel.line().len();
        self.budget.take(parcel.line().len());
        self.queue.push_back(parcel);
    }

    /// What waits for the device, for its own connection to decide whether to go on.
    pub fn pressure(&self) -> Pressure {
        Pressure { backlog: self.backlog(), own: self.own }
    }

    /// Bytes that wait or are on their way out.
    pub fn backlog(&self) -> usize {
        self.queued + self.taken
    }

    /// Whether nothing waits to be taken out.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The clients that wait for room.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> Vec<ConnectionId> {
        self.waiting.iter().map(|(client, _)| *client).collect()
    }

    /// Whether notifications came faster than the device reads them, beyond the limit.
    pub fn has_overflowed(&self) -> bool {
        self.overflowed
    }
}

impl<H> Drop for Mailbox<H> {
    fn drop(&mut self) {
        self.budget.give_back(self.queued + self.taken);
    }
}

#[cfg(test)]
mod tests;
