//! Reads a line as it arrives, each byte once: is it a JSON object, and which members does it have?
//!
//! It builds no values and keeps no bytes; its caller does. It may stop and go on after any byte, so nothing may be
//! decided by looking ahead. The grammar is RFC 8259's with the words `NaN`, `Infinity` and `-Infinity`, in UTF-8, at
//! most [`MAX_DEPTH`](super::MAX_DEPTH) levels deep. This file has the brackets and what stands between values;
//! `tokens` has strings, numbers and words.

use core::mem;
use core::ops::Range;

use super::{
    error::FrameError,
    head::{Head, Items, Key, Kind, Member},
    name::Name,
    nesting::Nesting,
    numbers::numbers,
    simple::{Simple, simple},
    tokens::INFINITY,
};

/// Why scanning stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// All bytes are scanned and the line goes on.
    More,
    /// The next byte is the LF that ends a blank or complete line.
    LineEnd,
    /// The next byte is the line's first that is not blank, and it is no `{`.
    Text,
    /// The next byte, or the character that it belongs to, is wrong.
    Refused(FrameError),
}

/// What comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// The object, or white space before it.
    #[default]
    Start,
    /// After `{`: a name, or the end.
    FirstName,
    /// After `,` in an object.
    Name,
    Colon,
    /// After `[`: a value, or the end.
    FirstItem,
    Value,
    /// After a value: a comma, or the end of what it is in.
    Comma,
    /// Nothing: the object is closed.
    Done,
    /// The rest of one of the words.
    Word(&'static [u8]),
    Number(Number),
    /// In a string.
    String,
    /// After a backslash.
    Escape,
    /// After `\u` and so many digits.
    Hex(u8),
    /// In a character that was cut.
    Character,
}

/// Where in a number; the names say what was last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    E,
    Sign,
    Exponent,
}

/// A resumable reader of one line.
#[derive(Clone, Debug, Default)]
pub(super) struct Scanner {
    pub(super) state: State,
    pub(super) nesting: Nesting,
    /// How many bytes of the line are scanned.
    pub(super) position: usize,
    pub(super) head: Head,
    /// The first member that is there twice or has a wrong type. The line may yet turn out to be no JSON at all, so
    /// this waits for its end.
    fault: Option<FrameError>,
    pub(super) current: Current,
    pub(super) string: Role,
    /// The name that is being read, as far as it was cut off.
    pub(super) name: Name,
    /// The bytes of the character that was cut.
    pub(super) character: Character,
}

/// What a string is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    #[default]
    Value,
    /// A name of the top level: it may be one of ours.
    TopName,
    /// A name further inside.
    Name,
}

/// The top-level member that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Current {
    /// `None` for a name that means nothing to us.
    pub(super) key: Option<Key>,
    pub(super) kind: Kind,
    items: Items,
    pub(super) start: usize,
    end: usize,
}

impl Default for Current {
    fn default() -> Self {
        Self { key: None, kind: Kind::Null, items: Items::NONE, start: 0, end: 0 }
    }
}

/// The beginning of a character of several bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Character {
    pub(super) bytes: [u8; 4],
    pub(super) len: usize,
}

/// The bytes at hand, and how far they are read.
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    /// What comes before them in the line.
    base: usize,
    /// Where the part of a name that lies in these bytes begins.
    name_from: usize,
}

impl<'a> Input<'a> {
    pub(super) fn next(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// The next byte's place in the line.
    pub(super) fn position(&self) -> usize {
        self.base + self.at
    }

    /// The space that most programs write after a colon or a comma.
    fn skip_space(&mut self) {
        self.at += usize::from(self.next() == Some(b' '));
    }

    fn name_part(&self) -> &'a [u8] {
        &self.bytes[self.name_from..self.at]
    }
}

impl Scanner {
    /// Scans what follows of the line; says how many bytes were read and why not more.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> (usize, Stop) {
        let mut input = Input { bytes, at: 0, base: self.position, name_from: 0 };
        let stop = self.run(&mut input).err().unwrap_or(Stop::More);
        if self.reads_name() {
            self.name.keep(input.name_part());
        }
        self.position = input.position();
        (input.at, stop)
    }

    fn run(&mut self, input: &mut Input<'_>) -> Result<(), Stop> {
        while let Some(byte) = input.next() {
            match self.state {
                State::String => self.string(input)?,
                State::Escape | State::Hex(_) => self.escape(byte, input)?,
                State::Character => self.character(byte, input)?,
                State::Number(number) => self.number(number, input)?,
                State::Word(rest) => self.word(rest, input)?,
                _ => self.between(byte, input)?,
            }
        }
        Ok(())
    }

    /// Brackets, commas, colons, white space and the first byte of a string, number or word.
    fn between(&mut self, byte: u8, input: &mut Input<'_>) -> Result<(), Stop> {
        match (self.state, byte) {
            (_, b' ' | b'\t' | b'\r') => {}
            (State::Comma, b',') => {
                self.comma();
                input.at += 1;
                input.skip_space();
                return Ok(());
            }
            (State::Comma, b'}') if self.nesting.in_object() => self.close(input.position()),
            (State::Comma, b']') if !self.nesting.in_object() => self.close(input.position()),
            (State::FirstName, b'}') | (State::FirstItem, b']') => self.close(input.position()),
            (State::FirstName | State::Name, b'"') => {
                if self.nesting.depth() == 1 && self.members(input) {
                    return Ok(());
                }
                self.state = State::String;
                self.string = if self.nesting.depth() == 1 { Role::TopName } else { Role::Name };
                self.name.clear();
                input.at += 1;
                input.name_from = input.at;
                return self.string(input);
            }
            (State::Colon, b':') => self.state = State::Value,
            (State::Value | State::FirstItem, _) => return self.value(byte, input),
            (State::Start, b'{') => return self.open(true, input),
            (State::Start | State::Done, b'\n') => return Err(Stop::LineEnd),
            (State::Start, _) => return Err(Stop::Text),
            _ => return Err(self.syntax(input)),
        }
        input.at += 1;
        Ok(())
    }

    fn value(&mut self, mut byte: u8, input: &mut Input<'_>) -> Result<(), Stop> {
        if matches!(byte, b'-' | b'0'..=b'9') && !self.nesting.in_object() && self.numbers(input) {
            match input.next() {
                // The last, or one that is cut.
                Some(next @ (b'-' | b'0'..=b'9')) => byte = next,
                _ => return Ok(()),
            }
        }
        let (kind, state) = match byte {
            b'"' => {
                self.string = Role::Value;
                (Kind::String, State::String)
            }
            b'{' => (Kind::Object, State::FirstName),
            b'[' => (Kind::Array, State::FirstItem),
            b'-' => (Kind::Number, State::Number(Number::Minus)),
            b'0' => (Kind::Number, State::Number(Number::Zero)),
            b'1'..=b'9' => (Kind::Number, State::Number(Number::Integer)),
            b't' => (Kind::Bool(true), State::Word(b"rue")),
            b'f' => (Kind::Bool(false), State::Word(b"alse")),
            b'n' => (Kind::Null, State::Word(b"ull")),
            b'N' => (Kind::Number, State::Word(b"aN")),
            b'I' => (Kind::Number, State::Word(INFINITY)),
            _ => return Err(self.syntax(input)),
        };
        match self.nesting.depth() {
            1 => {
                self.current.kind = kind;
                self.current.items = Items::NONE;
                self.current.start = input.position();
            }
            2 if !self.nesting.in_object() => self.current.items.note(kind),
            _ => {}
        }
        match kind {
            Kind::Object | Kind::Array => self.open(kind == Kind::Object, input),
            _ => {
                self.state = state;
                input.at += 1;
                if kind == Kind::String { self.string(input) } else { Ok(()) }
            }
        }
    }

    /// Reads those numbers of an array that have another value behind them; false where there is none.
    fn numbers(&mut self, input: &mut Input<'_>) -> bool {
        let (read, count) = numbers(input.rest());
        if count == 0 {
            return false;
        }
        input.at += read;
        self.state = State::Value;
        if self.nesting.depth() == 2 {
            self.current.items.note_numbers(count);
        }
        true
    }

    /// Reads members of the top level that are whole and simple, with the commas between them. Says whether it stopped behind
    /// one; if not, the next byte is the quote of one that is not simple.
    fn members(&mut self, input: &mut Input<'_>) -> bool {
        while let Some(Simple { key, kind, items, value }) = simple(input.rest()) {
            let from = input.position();
            self.current = Current { key, kind, items, start: from + value.start, end: from + value.end };
            input.at += value.end;
            let gap = match input.rest() {
                [b',', b' ', b'"', ..] => 2,
                [b',', b'"', ..] => 1,
                _ => {
                    self.state = State::Comma;
                    return true;
                }
            };
            self.enter();
            input.at += gap;
            self.state = State::Name;
        }
        false
    }

    fn open(&mut self, object: bool, input: &mut Input<'_>) -> Result<(), Stop> {
        if !self.nesting.open(object) {
            return Err(Stop::Refused(FrameError::TooDeep { at: input.position() }));
        }
        self.state = if object { State::FirstName } else { State::FirstItem };
        input.at += 1;
        Ok(())
    }

    /// Closes the innermost bracket, whose last byte is at `position`.
    fn close(&mut self, position: usize) {
        if self.nesting.depth() == 1 {
            let occupied = self.state == State::Comma;
            if occupied {
                self.enter();
            }
            self.head.close(position, occupied);
            self.nesting.close();
            self.state = State::Done;
        } else {
            self.nesting.close();
            self.end_value(position + 1);
        }
    }

    fn comma(&mut self) {
        if self.nesting.depth() == 1 {
            self.enter();
        }
        self.state = if self.nesting.in_object() { State::Name } else { State::Value };
    }

    /// A value ended right before `position`.
    pub(super) fn end_value(&mut self, position: usize) {
        self.state = State::Comma;
        if self.nesting.depth() == 1 {
            self.current.end = position;
        }
    }

    /// A string ended; the next byte is the quote.
    pub(super) fn end_string(&mut self, input: &mut Input<'_>) {
        match self.string {
            Role::Value => {
                self.end_value(input.position() + 1);
                input.at += 1;
                return;
            }
            Role::Name => {}
            Role::TopName => self.current.key = self.name.finish(input.name_part()),
        }
        input.at += 1;
        self.state = State::Colon;
        // As nearly always, the colon follows at once.
        if input.next() == Some(b':') {
            self.state = State::Value;
            input.at += 1;
            input.skip_space();
        }
    }

    /// Enters the top-level member that was read in the head.
    pub(super) fn enter(&mut self) {
        let Current { key: Some(key), kind, items, start, end } = self.current else { return };
        if let Err(error) = self.head.insert(key, Member::new(kind, items, start..end)) {
            self.fault.get_or_insert(error);
        }
    }

    /// Is the next byte inside a string?
    pub(super) fn in_string(&self) -> bool {
        matches!(self.state, State::String | State::Escape | State::Hex(_) | State::Character)
    }

    /// Is the next byte inside a name of the top level?
    pub(super) fn reads_name(&self) -> bool {
        self.in_string() && self.string == Role::TopName
    }

    /// Where the value of the current top-level member is, as far as it was read.
    pub(super) fn begun_value(&self) -> Range<usize> {
        match self.state {
            State::Value if self.nesting.depth() == 1 => self.position..self.position,
            State::Comma if self.nesting.depth() == 1 => self.current.start..self.current.end,
            _ => self.current.start..self.position,
        }
    }

    /// Is what was read a whole object, and are its members what they must be?
    pub(super) fn check(&self) -> Result<(), FrameError> {
        match (self.state, &self.fault) {
            (State::Done, None) => Ok(()),
            (State::Done, Some(fault)) => Err(*fault),
            _ => Err(self.unexpected()),
        }
    }

    /// The line is over: its members, and whether it is [right](Self::check). A line begins.
    pub(super) fn finish(&mut self) -> (Head, Result<(), FrameError>) {
        let outcome = self.check();
        // Not all of it is put back: most lines are short, and the rest means nothing at a line's start.
        self.state = State::Start;
        self.position = 0;
        self.fault = None;
        self.current = Current::default();
        self.nesting.clear();
        (mem::take(&mut self.head), outcome)
    }

    /// The error for a next byte that cannot be there.
    pub(super) fn unexpected(&self) -> FrameError {
        FrameError::Syntax { at: self.position, expected: self.state.expected() }
    }

    /// The same before the scanner's position is brought up to date.
    pub(super) fn syntax(&self, input: &Input<'_>) -> Stop {
        Stop::Refused(FrameError::Syntax { at: input.position(), expected: self.state.expected() })
    }
}

impl State {
    /// What would be right next, in words.
    const fn expected(self) -> &'static str {
        match self {
            Self::Start => "`{`",
            Self::FirstName => "a member's name in double quotes or `}`",
            Self::Name => "a member's name in double quotes",
            Self::Colon => "`:`",
            Self::FirstItem => "a value or `]`",
            Self::Value => "a value",
            Self::Comma => "`,` or a closing bracket",
            Self::Done => "nothing after the object",
            Self::Word(_) => "one of the words true, false, null, NaN and Infinity",
            Self::Number(_) => "a digit",
            Self::String | Self::Character => "the rest of a string, control characters escaped",
            Self::Escape => "one of \"\\/bfnrtu",
            Self::Hex(_) => "a hexadecimal digit",
        }
    }
}
