//! What a device answers when the Manager asks it for something.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};

use bytes::Bytes;

use crate::frame::{Frame, Key};
use crate::json;

/// The longest username and password that are looked at, in bytes.
const MAX_CREDENTIAL: usize = 4096;
/// The longest JSON string that means one: quotation marks, and each byte an escape like `\u0078`.
const MAX_QUOTED: usize = 2 + 6 * MAX_CREDENTIAL;

/// An answer to a request of the Manager (docs/wire.md, section 2).
#[derive(Debug)]
pub(super) enum Answer {
    /// The `result` of an object, as raw JSON.
    Result(Bytes),
    /// Anything else: typed by a person, also where it looks like something else.
    Typed(String),
    /// Nothing.
    Blank,
}

impl Answer {
    /// A line, whatever it looks like.
    pub(super) fn read(line: &Bytes) -> Self {
        if line.trim_ascii().is_empty() {
            return Self::Blank;
        }
        match Frame::parse(line.clone()) {
            Ok(frame) if frame.member(Key::Result).is_some() => Self::of(&frame),
            _ => Self::Typed(String::from_utf8_lossy(line).trim().to_string()),
        }
    }

    /// An object with `result`.
    pub(super) fn of(frame: &Frame) -> Self {
        frame.raw(Key::Result).map_or(Self::Blank, Self::Result)
    }

    /// The same in the middle of a session, where lines may be long: what no username or password can be is not copied.
    pub(super) fn short(frame: &Frame) -> Self {
        match frame.member(Key::Result) {
            Some(result) if result.span().len() > MAX_QUOTED => Self::Blank,
            _ => Self::of(frame),
        }
    }

    /// The username or password in it; `None` if there is none, or it is longer than any.
    pub(super) fn credential(&self) -> Option<String> {
        let text = match self {
            Self::Result(raw) => json::unquote(raw)?,
            Self::Typed(text) => Cow::Borrowed(text.as_str()),
            Self::Blank => return None,
        };
        (!text.is_empty() && text.len() <= MAX_CREDENTIAL).then(|| text.into_owned())
    }
}
