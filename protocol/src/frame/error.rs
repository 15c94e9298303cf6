//! Why a line is refused.

use core::fmt;

use super::{head::Key, nesting::MAX_DEPTH, salvage::Salvage};

/// A refused line (docs/wire.md section 1): it costs its sender one error, not the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The first thing that is wrong with it.
    pub error: FrameError,
    /// What could be read of it nevertheless.
    pub head: Salvage,
}

/// What is wrong with a line. Offsets count bytes from the line's start, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The bytes are not UTF-8.
    Utf8 {
        /// Where the invalid sequence begins.
        at: usize,
    },
    /// The text is not a JSON object.
    Syntax {
        /// Where it stops to be one.
        at: usize,
        /// What would have been right there.
        expected: &'static str,
    },
    /// There are more than [`MAX_DEPTH`] brackets in brackets.
    TooDeep {
        /// Where the first bracket too many is.
        at: usize,
    },
    /// The line is longer than allowed.
    TooLong {
        /// The longest allowed length in bytes.
        limit: usize,
    },
    /// There was no memory left for the line.
    Memory,
    /// A member that routes the frame is there twice.
    Duplicate(Key),
    /// A member has a value of a type that it cannot have.
    WrongType {
        /// Which member.
        key: Key,
        /// What it may be.
        expected: &'static str,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8 { at } => write!(f, "the line is not valid UTF-8 at byte {at}"),
            Self::Syntax { at, expected } => {
                write!(f, "the line is not a valid JSON object: expected {expected} at byte {at}")
            }
            Self::TooDeep { at } => {
                write!(f, "the line is nested more than {MAX_DEPTH} levels deep at byte {at}")
            }
            Self::TooLong { limit } => write!(f, "the line is longer than {limit} bytes"),
            Self::Memory => f.write_str("there is not enough memory for the line; send less at a time"),
            Self::Duplicate(key) => write!(f, "the member '{}' is there more than once", key.name()),
            Self::WrongType { key, expected } => write!(f, "the member '{}' must be {expected}", key.name()),
        }
    }
}

impl core::error::Error for FrameError {}
