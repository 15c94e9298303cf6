//! Lines that the driver has not taken yet.

use std::collections::VecDeque;

use crate::client::CallId;
use crate::device::{Error, ErrorKind};
use crate::frame::Rope;

/// How many bytes of requests wait for a Manager that does not read them, before further ones are refused. A single one may
/// be longer.
pub const WAITING_CALLS: usize = 64 * 1024 * 1024;

/// Lines for the Manager, in order, each with the request that it is.
#[derive(Default)]
pub(super) struct Outgoing {
    lines: VecDeque<(Rope, Option<CallId>)>,
    bytes: usize,
}

impl Outgoing {
    pub(super) fn push(&mut self, line: Rope, call: Option<CallId>) {
        self.bytes += line.len();
        self.lines.push_back((line, call));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Takes lines out until they have so many bytes together, or more.
    pub(super) fn take(&mut self, bytes: usize, lines: &mut Vec<Rope>) {
        let rest = self.bytes.saturating_sub(bytes);
        while self.bytes > rest
            && let Some((line, _)) = self.lines.pop_front()
        {
            self.bytes -= line.len();
            lines.push(line);
        }
    }

    /// An error if a request of so many bytes is too much to wait.
    pub(super) fn check_room(&self, bytes: usize) -> Result<(), Error> {
        if self.bytes == 0 || self.bytes.saturating_add(bytes) <= WAITING_CALLS {
            return Ok(());
        }
        let text = format!(
            "the Manager does not read fast enough: {} MiB of requests wait already; wait for answers between them",
            WAITING_CALLS >> 20
        );
        Err(Error::new(ErrorKind::Backlog, text))
    }

    /// Whether the driver has taken this request, so that it may have been sent. Requests wait in order.
    pub(super) fn is_taken(&self, call: CallId) -> bool {
        self.lines.iter().find_map(|(_, call)| *call).is_none_or(|first| call < first)
    }

    /// Takes a request out that is not to be sent any more.
    pub(super) fn remove(&mut self, call: CallId) {
        if let Some(index) = self.lines.iter().position(|(_, waiting)| *waiting == Some(call))
            && let Some((line, _)) = self.lines.remove(index)
        {
            self.bytes -= line.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bytes: usize) -> Rope {
        Rope::from(vec![b' '; bytes])
    }

    #[test]
    fn what_waits_is_bounded_and_a_single_long_request_is_not_refused() {
        let mut outgoing = Outgoing::default();
        assert_eq!(outgoing.check_room(WAITING_CALLS + 1), Ok(()));
        outgoing.push(line(WAITING_CALLS - 1), None);
        assert_eq!(outgoing.check_room(1), Ok(()));
        assert_eq!(outgoing.check_room(2).unwrap_err().kind(), ErrorKind::Backlog);
        outgoing.take(1, &mut Vec::new());
        assert_eq!(outgoing.check_room(WAITING_CALLS), Ok(()));
    }
}
