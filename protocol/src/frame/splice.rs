//! Sets and adds members of a frame without writing the rest of it anew.
//!
//! What a Manager forwards stays as it is to the byte (docs/wire.md section 1): numbers keep their digits, strings
//! their escapes, members their order.

use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

use super::{Frame, head::Key, rope::Rope};

/// A spliced frame shorter than this many bytes is copied as a whole, so that it does not keep a read buffer alive.
pub const COPY_LIMIT: usize = 16 * 1024;

/// What a sender ends a line with.
const LINE_END: &[u8] = b"\r\n";

impl Frame {
    /// The line with `requester` set to a name (a JSON string with its quotes) and with members that are missing put
    /// in before the closing brace. `defaults` are the members that must be there, each with the JSON of its value in
    /// case it is not. The line's end is CR LF, ready to be sent.
    ///
    /// The result is one new allocation if it is shorter than [`COPY_LIMIT`], else slices of this frame and small new
    /// pieces.
    #[must_use]
    pub fn splice(&self, requester: Option<&[u8]>, defaults: &[(Key, &'static str)]) -> Rope {
        // An empty range at 0 is replaced by nothing where `requester` stays, or is added like the others.
        let (replaced, name) = match (self.member(Key::Requester), requester) {
            (Some(member), Some(name)) => (member.span(), name),
            _ => (0..0, &b""[..]),
        };
        let (close, end) = (self.head.closing_brace(), self.len());
        let missing = self.missing(requester, defaults);
        let added: usize = missing.clone().map(|(key, value)| 4 + key.name().len() + value.len()).sum();
        let total = end - replaced.len() + name.len() + added + LINE_END.len();
        if total < COPY_LIMIT {
            let mut line = Vec::with_capacity(total);
            self.line.copy_to(0..replaced.start, &mut line);
            line.extend_from_slice(name);
            self.line.copy_to(replaced.end..close, &mut line);
            self.write(missing, &mut line);
            self.line.copy_to(close..end, &mut line);
            line.extend_from_slice(LINE_END);
            return Rope::from(line);
        }
        let mut line = self.line.slice(0..replaced.start);
        line.push(Bytes::copy_from_slice(name));
        line.append(self.line.slice(replaced.end..close));
        let mut members = Vec::with_capacity(added);
        self.write(missing, &mut members);
        line.push(Bytes::from(members));
        line.append(self.line.slice(close..end));
        line.push(Bytes::from_static(LINE_END));
        line
    }

    /// The members that are to be added, each once, with the JSON of their values.
    fn missing<'a>(
        &'a self,
        requester: Option<&'a [u8]>,
        defaults: &'a [(Key, &'static str)],
    ) -> impl Iterator<Item = (Key, &'a [u8])> + Clone {
        let requester = requester.map(|name| (Key::Requester, name));
        let defaults = defaults.iter().map(|&(key, value)| (key, value.as_bytes()));
        let mut given = [false; Key::ALL.len()];
        requester.into_iter().chain(defaults).filter(move |(key, _)| {
            self.member(*key).is_none() && !mem::replace(&mut given[*key as usize], true)
        })
    }

    /// Writes what comes before the closing brace: members with their commas.
    fn write<'a>(&self, members: impl Iterator<Item = (Key, &'a [u8])>, line: &mut Vec<u8>) {
        let mut comma = self.head.is_occupied();
        for (key, value) in members {
            if mem::replace(&mut comma, true) {
                line.push(b',');
            }
            line.push(b'"');
            line.extend_from_slice(key.name().as_bytes());
            line.extend_from_slice(b"\":");
            line.extend_from_slice(value);
        }
    }
}
