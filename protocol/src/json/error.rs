//! What is wrong with a JSON text or a value, and where.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt::{self, Display};

use serde::de;

/// Why a value has no JSON text, or a text not the wanted value.
///
/// Its [`Display`] says what is wrong and then where, both counted from 1: `trailing comma at line 1 column 12`. A frame is
/// one line, so the column, in bytes, is what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    what: Box<str>,
    place: Option<Place>,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
}

impl Place {
    /// The place of the byte at `offset`.
    fn of(text: &[u8], offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        Self { line, column: 1 + before.len() - line_start }
    }
}

impl JsonError {
    pub(super) fn new(what: impl Into<Box<str>>) -> Self {
        Self { what: what.into(), place: None }
    }

    /// The line of the text, counted from 1; `None` if the mistake is not in a text.
    pub fn line(&self) -> Option<usize> {
        self.place.map(|place| place.line)
    }

    /// The column in its line, in bytes and counted from 1; `None` if the mistake is not in a text.
    pub fn column(&self) -> Option<usize> {
        self.place.map(|place| place.column)
    }

    /// The error with its place, the byte at `offset` of `text`, unless it has one already.
    pub(super) fn at(self, text: &str, offset: usize) -> Self {
        let place = self.place.unwrap_or_else(|| Place::of(text.as_bytes(), offset));
        Self { place: Some(place), ..self }
    }

    /// An error that was found in the part of `text` that begins at `offset`, with its place in the whole.
    pub(super) fn within(self, text: &str, offset: usize) -> Self {
        let start = Place::of(text.as_bytes(), offset);
        let place = match self.place {
            None => start,
            // A column of 0 is what `serde_json` gives for a text that ends before it begins.
            Some(Place { line: 1, column }) => {
                Place { column: start.column + column.saturating_sub(1), ..start }
            }
            Some(Place { line, column }) => Place { line: start.line + line - 1, column },
        };
        Self { place: Some(place), ..self }
    }
}

impl Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(Place { line, column }) => write!(f, "{} at line {line} column {column}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl core::error::Error for JsonError {}

impl de::Error for JsonError {
    fn custom<T: Display>(what: T) -> Self {
        Self::new(what.to_string())
    }
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let mut what: String = error.to_string();
        let (line, column) = (error.line(), error.column());
        // Line 0 is how `serde_json` says that there is no place.
        if line == 0 {
            return Self::new(what);
        }
        let place = Place { line, column };
        let suffix = alloc::format!(" at line {line} column {column}");
        if what.ends_with(&suffix) {
            what.truncate(what.len() - suffix.len());
        }
        Self { what: what.into(), place: Some(place) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_serde_json_keeps_its_words_and_its_place() {
        for text in ["[1,\n 2,]", "\"a", "", "[1] x", "{1:2}"] {
            let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
            let expected = error.to_string();
            let (line, column) = (error.line(), error.column());
            let error = JsonError::from(error);
            assert_eq!(error.to_string(), expected);
            assert_eq!((error.line(), error.column()), (Some(line), Some(column)));
        }
    }

    #[test]
    fn an_error_without_a_text_has_no_place() {
        let keys = alloc::collections::BTreeMap::from([((), 1)]);
        let error = JsonError::from(serde_json::to_string(&keys).unwrap_err());
        assert_eq!(error.to_string(), "key must be a string");
        assert_eq!((error.line(), error.column()), (None, None));
    }

    #[test]
    fn a_place_counts_lines_and_bytes_from_one() {
        let text = "[\n µx]";
        let at = |offset| JsonError::new("wrong").at(text, offset).to_string();
        assert_eq!(at(0), "wrong at line 1 column 1");
        assert_eq!(at(2), "wrong at line 2 column 1");
        assert_eq!(at(5), "wrong at line 2 column 4");
        assert_eq!(at(99), "wrong at line 2 column 6");
    }

    #[test]
    fn the_place_within_a_part_becomes_the_place_in_the_whole() {
        let text = "[\n \"a\\x\"]";
        let error = serde_json::from_str::<&str>(&text[3..8]).unwrap_err();
        let whole = serde_json::from_str::<alloc::vec::Vec<&str>>(text).unwrap_err();
        assert_eq!(JsonError::from(error).within(text, 3).to_string(), whole.to_string());
    }
}
