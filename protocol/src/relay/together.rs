//! Lines that come one right behind the other and are for the same devices: they go out as one parcel.
//!
//! That saves a lock, a wake and a place in a queue for each of them. They are kept back only until there is something else to
//! do, so that everything stays in its order.

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
    pub(super) recipients: Recipients<H>,
    pub(super) lines: Rope,
    /// How many lines there are.
    pub(super) count: usize,
}

impl<H: PartialEq> Together<H> {
    pub(super) fn new(recipients: Recipients<H>, line: Rope) -> Self {
        Self { recipients, lines: line, count: 1 }
    }

    /// Whether a line of so many bytes goes with these. Together they are no longer than what is written in one turn.
    pub(super) fn goes_with(&self, recipients: &Recipients<H>, bytes: usize) -> bool {
        self.recipients == *recipients && self.lines.len() + bytes <= TURN
    }

    pub(super) fn push(&mut self, line: Rope) {
        self.lines.append(line);
        self.count += 1;
    }
}
