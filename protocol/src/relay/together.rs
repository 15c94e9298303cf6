//! Lines that come one right behind the other and are for the same devices: they go out as one parcel.
//!
//! That saves a lock, a wake and a place in a queue for each of them. They are kept back only until there is something else to
//! do, so that everything stays in its order. What is copied together may take up to twice the memory that is counted for it, until it is
//! written.

use alloc::vec::Vec;

use crate::frame::Rope;
use crate::limits::TURN;

/// For whom lines are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recipients<H> {
    /// All clients that are linked with the service: notifications.
    Linked,
    /// The client with this mailbox: answers.
    Client(H),
}

/// Lines, one at least, and for whom they are.
#[derive(Debug)]
pub(super) struct Together<H> {
    recipients: Recipients<H>,
    /// How many lines there are.
    count: usize,
    first: Rope,
    /// All of them, once there is a second one: a list of small pieces would cost more than such a copy.
    copied: Vec<u8>,
}

impl<H: PartialEq> Together<H> {
    pub(super) fn new(recipients: Recipients<H>, line: Rope) -> Self {
        Self { recipients, count: 1, first: line, copied: Vec::new() }
    }

    /// Whether a line of so many bytes goes with these. Together they are no longer than what is written in one turn.
    pub(super) fn goes_with(&self, recipients: &Recipients<H>, bytes: usize) -> bool {
        let before = self.first.len().max(self.copied.len());
        self.recipients == *recipients && before + bytes <= TURN
    }

    pub(super) fn push(&mut self, line: &Rope) {
        if self.copied.is_empty() {
            self.first.copy_to(0..self.first.len(), &mut self.copied);
        }
        line.copy_to(0..line.len(), &mut self.copied);
        self.count += 1;
    }

    /// For whom the lines are, how many there are, and they themselves.
    pub(super) fn into_parts(self) -> (Recipients<H>, usize, Rope) {
        let lines = if self.copied.is_empty() { self.first } else { Rope::from(self.copied) };
        (self.recipients, self.count, lines)
    }
}
