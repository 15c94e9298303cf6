//! The lock that a client has on a service, and how many guards stand for it.
//!
//! The Manager knows one lock of a client, however often it was acquired. So it is given back with the last of its guards,
//! and only if one of them has got it. A lock ends with its link: on the next one, guards of an earlier lock stand for nothing.

/// One lock of a client, from its first guard to its last; numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LockId(pub(super) u64);

/// What is about to be done with a lock.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Acquire(LockId),
    /// One of its guards is dropped; whether that one has the lock, as far as anybody knows.
    GiveBack(LockId, bool),
}

/// The guards of one lock.
#[derive(Debug)]
pub(super) struct Guards {
    id: LockId,
    count: usize,
    /// Whether the Manager was asked for it.
    asked: bool,
    /// Whether one of them had the lock.
    held: bool,
}

impl Guards {
    pub(super) fn new(id: LockId) -> Self {
        Self { id, count: 0, asked: false, held: false }
    }

    pub(super) fn id(&self) -> LockId {
        self.id
    }

    /// Another guard.
    pub(super) fn add(&mut self) -> LockId {
        self.count += 1;
        self.id
    }

    /// The Manager is asked for the lock.
    pub(super) fn ask(&mut self) {
        self.asked = true;
    }

    /// A guard is gone. Returns whether the lock is to be given back, once none is left.
    pub(super) fn remove(&mut self, held: bool) -> Option<bool> {
        self.count -= 1;
        self.held |= held && self.asked;
        (self.count == 0).then_some(self.held)
    }
}
