//! Refusals: what a Manager answers when it does not do what a device asked for.
//!
//! A refusal is an ordinary answer, not a failure of the Manager. Its text starts with the name of a Python exception,
//! since programs match on it (docs/wire.md, section 2).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::frame::FrameError;
use crate::json;

/// The Python exception that a message names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exception {
    /// `AttributeError`: there is no such attribute.
    Attribute,
    /// `ConnectionError`: the other side has gone, or is about to.
    Connection,
    /// `JSONDecodeError`: the line is not JSON.
    JsonDecode,
    /// `KeyError`: something that is named is not there.
    Key,
    /// `NameError`: the name is taken.
    Name,
    /// `PermissionError`: not for this device, or not now.
    Permission,
    /// `RuntimeError`: anything else.
    Runtime,
    /// `TimeoutError`: it took too long.
    Timeout,
    /// `TypeError`: a value has the wrong type.
    Type,
    /// `UnicodeDecodeError`: the line is not UTF-8.
    UnicodeDecode,
    /// `ValueError`: a value is not acceptable.
    Value,
}

impl Exception {
    /// The name as Python spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attribute => "AttributeError",
            Self::Connection => "ConnectionError",
            Self::JsonDecode => "JSONDecodeError",
            Self::Key => "KeyError",
            Self::Name => "NameError",
            Self::Permission => "PermissionError",
            Self::Runtime => "RuntimeError",
            Self::Timeout => "TimeoutError",
            Self::Type => "TypeError",
            Self::UnicodeDecode => "UnicodeDecodeError",
            Self::Value => "ValueError",
        }
    }
}

/// Why a device does not get what it asked for.
///
/// ```
/// use msl_network_protocol::error::{Exception, Refusal};
///
/// let refusal = Refusal::new(Exception::Permission, "'Adder' service is locked");
/// assert_eq!(refusal.to_string(), "PermissionError: 'Adder' service is locked");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    exception: Exception,
    text: Cow<'static, str>,
}

impl Refusal {
    /// A refusal; `text` says what to do where that helps. A [`Exception::Key`] is shown in quotes, as Python does.
    pub fn new(exception: Exception, text: impl Into<Cow<'static, str>>) -> Self {
        Self { exception, text: text.into() }
    }

    /// Its kind.
    pub fn exception(&self) -> Exception {
        self.exception
    }

    /// Its text without the kind.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// One error reply (docs/wire.md, section 2), with its line end. `uid` is the request's, as raw JSON.
    pub fn line(&self, requester: &str, uid: Option<&[u8]>) -> String {
        let uid = uid.and_then(|raw| core::str::from_utf8(raw).ok()).unwrap_or("\"\"");
        let mut line = String::with_capacity(128 + self.text.len() + requester.len() + uid.len());
        line.push_str("{\"error\": true, \"message\": ");
        json::quote_into(&mut line, &format!("{self}"));
        line.push_str(", \"requester\": ");
        json::quote_into(&mut line, requester);
        line.push_str(", \"result\": null, \"traceback\": [], \"uid\": ");
        line.push_str(uid);
        line.push_str("}\r\n");
        line
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.exception.name();
        match self.exception {
            Exception::Key => write!(f, "{name}: {}", json::python_repr(&self.text)),
            _ => write!(f, "{name}: {}", self.text),
        }
    }
}

impl core::error::Error for Refusal {}

impl From<FrameError> for Refusal {
    fn from(error: FrameError) -> Self {
        let exception = match error {
            FrameError::Utf8 { .. } => Exception::UnicodeDecode,
            FrameError::Syntax { .. } | FrameError::TooDeep { .. } => Exception::JsonDecode,
            FrameError::TooLong { .. } | FrameError::Memory | FrameError::Duplicate(_) => Exception::Value,
            FrameError::WrongType { .. } => Exception::Type,
        };
        Self::new(exception, format!("{error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_key_error_is_quoted_as_python_quotes_it() {
        assert_eq!(Refusal::new(Exception::Key, "name").to_string(), "KeyError: 'name'");
        assert_eq!(Refusal::new(Exception::Key, "the 'X'").to_string(), "KeyError: \"the 'X'\"");
    }

    #[test]
    fn a_line_carries_the_uid_to_the_byte_and_an_empty_one_where_there_is_none() {
        let refusal = Refusal::new(Exception::Value, "no \"way\"");
        assert_eq!(
            refusal.line("A[h:1]", Some(b"1.10")),
            "{\"error\": true, \"message\": \"ValueError: no \\\"way\\\"\", \"requester\": \"A[h:1]\", \
             \"result\": null, \"traceback\": [], \"uid\": 1.10}\r\n"
        );
        assert!(refusal.line("A[h:1]", None).ends_with("\"uid\": \"\"}\r\n"));
    }
}
