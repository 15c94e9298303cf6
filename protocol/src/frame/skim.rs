//! Goes on through a line that is refused, for the routing members that are still to come (Python writes `uid` last).
//!
//! It follows strings and brackets and nothing else, so it gets through anything; a value that it takes is checked
//! afterwards. It keeps at most one small value. Speed matters: a line may be refused because it is huge.

use alloc::vec::Vec;

use memchr::memchr2;

use super::{
    bulk,
    error::FrameError,
    head::{Key, Kind},
    name::Name,
    rope::Rope,
    salvage::{SALVAGE_LIMIT, Salvage},
    scanner::{Scanner, State},
};

/// So many bytes are too many for a value and the space after it.
const KEPT: usize = SALVAGE_LIMIT + 2;

/// Where in the line, as seen from the object at the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the object.
    Before,
    /// Before a name.
    Between,
    /// In a name.
    Name,
    /// After a name.
    Colon,
    /// In a member's value, or in what stands in its place.
    Value,
    /// After the object, or where there is none.
    After,
}

/// A lenient reader of the rest of a line.
#[derive(Debug)]
pub(super) struct Skim {
    place: Place,
    /// How many brackets are open.
    depth: usize,
    /// In a string, a name included?
    quoted: bool,
    /// Right after a backslash in a string?
    escaped: bool,
    name: Name,
    /// The member whose value is kept.
    wanted: Option<Key>,
    value: Vec<u8>,
    found: Salvage,
}

impl Skim {
    /// Goes on where the scanner stopped because of `error`; `line` is what was read so far.
    pub(super) fn after(scanner: &mut Scanner, line: &Rope, error: &FrameError) -> Self {
        let broken = !matches!(error, FrameError::TooLong { .. } | FrameError::Memory);
        let depth = scanner.nesting.depth();
        let place = match scanner.state {
            State::Start => Place::Before,
            State::Done => Place::After,
            _ if depth > 1 => Place::Value,
            State::FirstName | State::Name => Place::Between,
            State::Colon => Place::Colon,
            State::Comma if broken => {
                // What is wrong comes after the value. A number or word may have gone on there (`01`), others not.
                if matches!(scanner.current.kind, Kind::String | Kind::Array | Kind::Object) {
                    scanner.enter();
                }
                Place::Between
            }
            _ if scanner.reads_name() => Place::Name,
            _ => Place::Value,
        };
        let mut skim = Self {
            place,
            depth,
            quoted: scanner.in_string(),
            escaped: scanner.state == State::Escape,
            name: scanner.name.clone(),
            found: Salvage::of(&scanner.head, line),
            ..Self::text()
        };
        match place {
            Place::Colon => skim.name.set(scanner.current.key),
            Place::Value => {
                skim.want(scanner.current.key);
                let begun = scanner.begun_value();
                if begun.len() > SALVAGE_LIMIT {
                    skim.wanted = None;
                } else if skim.wanted.is_some() {
                    line.copy_to(begun, &mut skim.value);
                }
            }
            _ => {}
        }
        skim
    }

    /// For a line of text: there is nothing to be found.
    pub(super) fn text() -> Self {
        Self {
            place: Place::After,
            depth: 0,
            quoted: false,
            escaped: false,
            name: Name::default(),
            wanted: None,
            value: Vec::new(),
            found: Salvage::default(),
        }
    }

    /// What was found in the line.
    pub(super) fn finish(self) -> Salvage {
        self.found
    }

    /// Reads on.
    pub(super) fn read(&mut self, mut bytes: &[u8]) {
        while self.place != Place::After && !bytes.is_empty() {
            let read = if self.quoted { self.read_string(bytes) } else { self.read_plain(bytes) };
            bytes = &bytes[read..];
        }
    }

    /// Reads in a string: up to its end, or past a backslash or what follows one.
    fn read_string(&mut self, bytes: &[u8]) -> usize {
        if self.escaped {
            self.escaped = false;
            self.keep(&bytes[..1]);
            return 1;
        }
        let Some(end) = memchr2(b'"', b'\\', bytes) else {
            self.keep(bytes);
            return bytes.len();
        };
        self.escaped = bytes[end] == b'\\';
        self.quoted = self.escaped;
        if self.place == Place::Name && !self.quoted {
            self.keep(&bytes[..end]);
            self.place = Place::Colon;
        } else {
            self.keep(&bytes[..=end]);
        }
        end + 1
    }

    /// Reads outside strings: past the next byte that matters.
    fn read_plain(&mut self, bytes: &[u8]) -> usize {
        let end = match self.depth {
            0 => bulk::find(bytes, |byte| !blank(byte)),
            1 => bulk::find(bytes, mark),
            _ => bulk::find(bytes, bracket_or_quote), // the others do not matter inside a value
        };
        match self.depth {
            1 => self.keep_bare(&bytes[..end]),
            _ => self.keep(&bytes[..end]),
        }
        let Some(mark) = bytes.get(end) else { return end };
        let between = matches!(self.place, Place::Between | Place::Colon);
        match (self.depth, mark) {
            (0, b'{') => (self.depth, self.place) = (1, Place::Between),
            (0, _) => self.place = Place::After,
            (1, b',') => self.end_value(Place::Between),
            (1, b'}') => self.end_value(Place::After),
            (1, b':') if between => {
                let key = if self.place == Place::Colon { self.name.finish(b"") } else { None };
                self.want(key);
                self.place = Place::Value;
            }
            (_, b'"') if between => {
                self.name.clear();
                (self.quoted, self.place) = (true, Place::Name);
            }
            _ => {
                match mark {
                    b'"' => self.quoted = true,
                    b'[' | b'{' => self.depth = self.depth.saturating_add(1),
                    b']' | b'}' => self.depth = self.depth.saturating_sub(1).max(1),
                    _ => {}
                }
                self.place = Place::Value;
                self.keep(&[*mark]);
            }
        }
        end + 1
    }

    /// A value begins; keeps it if it is of use.
    fn want(&mut self, key: Option<Key>) {
        self.wanted = key.filter(|key| !self.found.has(*key));
        self.value.clear();
    }

    fn end_value(&mut self, place: Place) {
        if let Some(key) = self.wanted.take() {
            self.found.enter_unchecked(key, &self.value);
        }
        self.place = place;
    }

    /// Keeps a part of the name or value, if it is of use.
    fn keep(&mut self, part: &[u8]) {
        if self.place == Place::Name {
            self.name.keep(part);
        } else if self.wanted.is_some() {
            self.value.extend_from_slice(&part[..part.len().min(KEPT)]);
            if self.value.len() >= KEPT {
                self.wanted = None;
            }
        }
    }

    /// Keeps a part of a top-level value outside strings. White space around the value may be long: it shrinks to one
    /// space, not to none, lest `1 2` turn into a number.
    fn keep_bare(&mut self, part: &[u8]) {
        for &byte in part {
            if self.wanted.is_none() {
                break;
            }
            if !blank(byte) || self.value.last().is_some_and(|&last| !blank(last)) {
                self.keep(&[byte]);
            }
        }
    }
}

fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

#[expect(clippy::needless_bitwise_bool, reason = "without branches it is tested for many bytes at once")]
fn mark(byte: u8) -> bool {
    bracket_or_quote(byte) | (byte == b',') | (byte == b':')
}

#[expect(clippy::needless_bitwise_bool, reason = "without branches it is tested for many bytes at once")]
fn bracket_or_quote(byte: u8) -> bool {
    // `[` and `{`, `]` and `}` differ in one bit.
    let round = byte & !0x20;
    (byte == b'"') | (round == b'[') | (round == b']')
}
