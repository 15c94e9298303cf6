//! The bytes of a connection as lines, and lines as frames.
//!
//! A [`Decoder`] takes bytes in any cuts and gives [`Line`]s. A [`Frame`] is a line that was checked to be one JSON
//! object in UTF-8 (docs/wire.md section 1) and skimmed: it knows where the members are that mean something, and of
//! which type; their values are not built, and its bytes are still those that were read. What members a kind of
//! message needs is not checked here.
//!
//! ```
//! use bytes::Bytes;
//! use msl_network_protocol::frame::{Decoder, Key, Limits, Line};
//!
//! let mut decoder = Decoder::new(Limits { frame: 1024, skip: 1024 });
//! decoder.receive(Bytes::from_static(b"{\"service\": \"Echo\", \"ui"));
//! assert!(decoder.next_line().is_none());
//! decoder.receive(Bytes::from_static(b"d\": 7}\r\n{oh no}\r\n"));
//! let Some(Line::Frame(frame)) = decoder.next_line() else { panic!() };
//! assert_eq!(frame.raw(Key::Service).unwrap(), "\"Echo\"");
//! assert_eq!(frame.raw(Key::Uid).unwrap(), "7");
//! assert!(matches!(decoder.next_line(), Some(Line::Broken(_))));
//! ```

mod bulk;
mod decoder;
mod error;
mod gather;
mod head;
mod name;
mod nesting;
mod numbers;
mod room;
mod rope;
mod salvage;
mod scanner;
mod simple;
mod skim;
mod splice;
mod tokens;

#[cfg(test)]
mod tests;

use alloc::borrow::Cow;

use bytes::Bytes;

pub(crate) use self::room::Room;
pub use self::{
    decoder::{Decoder, Limits, Line, TEXT_LIMIT},
    error::{Broken, FrameError},
    head::{Items, Key, Kind, MAX_LINE, Member},
    nesting::MAX_DEPTH,
    rope::Rope,
    salvage::{SALVAGE_LIMIT, Salvage},
    splice::COPY_LIMIT,
};
use self::{
    head::Head,
    scanner::{Scanner, Stop},
};

/// What waits for its reader is copied out of the buffer that it was read into, which it would keep alive, if it has no more
/// bytes than these.
const COPIED: usize = 16 * 1024;

/// The same bytes to be kept for long, in one piece already.
#[cfg(feature = "std")]
pub(crate) fn kept(bytes: Bytes) -> Bytes {
    if bytes.len() <= COPIED { copied(Cow::Borrowed(&bytes)) } else { bytes }
}

/// A copy of what is short. Most keyword arguments are `{}`, which needs none.
fn copied(short: Cow<'_, [u8]>) -> Bytes {
    match short {
        Cow::Borrowed(b"{}") => Bytes::from_static(b"{}"),
        Cow::Borrowed(short) => Bytes::copy_from_slice(short),
        Cow::Owned(copy) => Bytes::from(copy),
    }
}

/// One complete and valid line: a JSON object, without the line's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    line: Rope,
    head: Head,
}

impl Frame {
    /// Checks and skims a whole line, such as the program made itself or a test wrote. Its end may be there or not.
    ///
    /// # Errors
    ///
    /// What is wrong with the line. Its length is not limited but by [`MAX_LINE`].
    pub fn parse(line: impl Into<Bytes>) -> Result<Self, FrameError> {
        let mut line = line.into();
        if line.ends_with(b"\n") {
            let end = if line.ends_with(b"\r\n") { 2 } else { 1 };
            line.truncate(line.len() - end);
        }
        if line.len() > MAX_LINE {
            return Err(FrameError::TooLong { limit: MAX_LINE });
        }
        let mut scanner = Scanner::default();
        let stop = match scanner.scan(&line).1 {
            Stop::More => scanner.scan(b"\n").1,
            // A line feed further inside.
            Stop::LineEnd => Stop::Text,
            stop => stop,
        };
        match stop {
            Stop::LineEnd => scanner.check()?,
            Stop::Refused(error) => return Err(error),
            Stop::Text | Stop::More => return Err(scanner.unexpected()),
        }
        Ok(Self { line: Rope::from(line), head: scanner.head })
    }

    /// The number of bytes.
    #[expect(clippy::len_without_is_empty, reason = "there is no empty frame")]
    pub fn len(&self) -> usize {
        self.line.len()
    }

    /// The line's bytes.
    pub fn rope(&self) -> &Rope {
        &self.line
    }

    /// The line's bytes.
    pub fn into_rope(self) -> Rope {
        self.line
    }

    /// What a member's value is, if there is such a member.
    pub fn member(&self, key: Key) -> Option<&Member> {
        self.head.member(key)
    }

    /// The JSON of a member's value, to be looked at now: a copy only if the line has it in several pieces.
    pub fn value(&self, key: Key) -> Option<Cow<'_, [u8]>> {
        self.member(key).map(|member| self.line.view(member.span()))
    }

    /// The JSON of a member's value, to be kept, in one piece: a copy only if the line has it in several.
    pub fn raw(&self, key: Key) -> Option<Bytes> {
        self.member(key).map(|member| self.line.bytes(member.span()))
    }

    /// The same, to be kept for long. A short one is copied: it would keep alive the buffer that it was read into. A long one
    /// in several pieces is put together in this room, if that is free.
    pub(crate) fn kept(&self, key: Key, room: &mut Room) -> Option<Bytes> {
        let span = self.member(key)?.span();
        Some(match span.len() {
            ..=COPIED => copied(self.line.view(span)),
            _ => room.put_together(&self.line.slice(span)),
        })
    }
}
