//! Strings, numbers and words: what the scanner spends its time on.
//!
//! Each function reads as far as its token, or the bytes at hand, go.

use core::str;

use super::{
    bulk,
    error::FrameError,
    scanner::{Character, Input, Number, Scanner, State, Stop},
};

/// What `Infinity` and `-Infinity` have after their `I`.
pub(super) const INFINITY: &[u8] = b"nfinity";

impl Scanner {
    pub(super) fn string(&mut self, input: &mut Input<'_>) -> Result<(), Stop> {
        input.at += bulk::plain(input.rest());
        match input.next() {
            None => {}
            Some(b'"') => self.end_string(input),
            Some(b'\\') => {
                self.state = State::Escape;
                input.at += 1;
            }
            Some(0x80..) => return self.beyond_ascii(input),
            Some(_) => return Err(self.syntax(input)),
        }
        Ok(())
    }

    /// A run of string bytes that begins with one beyond ASCII.
    fn beyond_ascii(&mut self, input: &mut Input<'_>) -> Result<(), Stop> {
        let rest = input.rest();
        let run = &rest[..bulk::find(rest, bulk::special)];
        let Err(error) = str::from_utf8(run) else {
            input.at += run.len();
            return Ok(());
        };
        input.at += error.valid_up_to();
        let cut = &run[error.valid_up_to()..];
        if error.error_len().is_some() {
            return Err(Stop::Refused(FrameError::Utf8 { at: input.position() }));
        }
        // At most three bytes that a character may begin with. If the run ended before the piece did, what comes next
        // is no part of it and is refused as such.
        let mut character = Character { bytes: [0; 4], len: cut.len() };
        character.bytes[..cut.len()].copy_from_slice(cut);
        self.character = character;
        self.state = State::Character;
        input.at += cut.len();
        Ok(())
    }

    /// Goes on with the character that was cut.
    pub(super) fn character(&mut self, byte: u8, input: &mut Input<'_>) -> Result<(), Stop> {
        let Character { mut bytes, len } = self.character;
        bytes[len] = byte;
        match str::from_utf8(&bytes[..=len]) {
            Ok(_) => self.state = State::String,
            Err(error) if error.error_len().is_none() => self.character = Character { bytes, len: len + 1 },
            Err(_) => return Err(Stop::Refused(FrameError::Utf8 { at: input.position() - len })),
        }
        input.at += 1;
        Ok(())
    }

    pub(super) fn escape(&mut self, byte: u8, input: &mut Input<'_>) -> Result<(), Stop> {
        self.state = match (self.state, byte) {
            (State::Escape, b'u') => State::Hex(0),
            (State::Escape, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => State::String,
            (State::Hex(digits), _) if byte.is_ascii_hexdigit() => {
                if digits == 3 {
                    State::String
                } else {
                    State::Hex(digits + 1)
                }
            }
            _ => return Err(self.syntax(input)),
        };
        input.at += 1;
        Ok(())
    }

    pub(super) fn number(&mut self, mut number: Number, input: &mut Input<'_>) -> Result<(), Stop> {
        while let Some(byte) = input.next() {
            number = match (number, byte) {
                (Number::Minus, b'0') => Number::Zero,
                (Number::Minus | Number::Integer, b'0'..=b'9') => Number::Integer,
                (Number::Point | Number::Fraction, b'0'..=b'9') => Number::Fraction,
                (Number::E | Number::Sign | Number::Exponent, b'0'..=b'9') => Number::Exponent,
                (Number::Zero | Number::Integer, b'.') => Number::Point,
                (Number::Zero | Number::Integer | Number::Fraction, b'e' | b'E') => Number::E,
                (Number::E, b'+' | b'-') => Number::Sign,
                (Number::Zero | Number::Integer | Number::Fraction | Number::Exponent, _) => {
                    self.end_value(input.position());
                    return Ok(());
                }
                (Number::Minus, b'I') => {
                    self.state = State::Word(INFINITY);
                    input.at += 1;
                    return Ok(());
                }
                (Number::Minus | Number::Point | Number::E | Number::Sign, _) => {
                    self.state = State::Number(number);
                    return Err(self.syntax(input));
                }
            };
            input.at += 1;
        }
        self.state = State::Number(number);
        Ok(())
    }

    pub(super) fn word(&mut self, word: &'static [u8], input: &mut Input<'_>) -> Result<(), Stop> {
        let same = word.iter().zip(input.rest()).take_while(|(expected, byte)| expected == byte).count();
        input.at += same;
        let left = &word[same..];
        self.state = State::Word(left);
        if left.is_empty() {
            self.end_value(input.position());
        } else if input.next().is_some() {
            return Err(self.syntax(input));
        }
        Ok(())
    }
}
