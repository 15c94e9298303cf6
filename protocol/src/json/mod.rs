//! JSON as Python reads and writes it, where `serde_json` alone would not do.
//!
//! Two halves. For devices, [`to_text`] and [`from_text`] turn values into text and back: they are `serde_json` with
//! `NaN` and the infinities. For the Manager, which passes values on unread, there are small helpers on text: quoting,
//! unquoting, and telling whether two texts are the same value. The check of whole frames is elsewhere
//! ([`crate::frame`]).
//!
//! Easy to get wrong: a JSON string may hold half of a surrogate pair as an escape. It is valid JSON, Python
//! passes it on, but no Rust `String` can hold it.

mod canonical;
mod compose;
mod display;
mod error;
mod pieces;
mod read;
mod text;
mod walk;
mod write;

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt::Write;

pub use canonical::{MAX_CANONICAL_BYTES, MAX_CANONICAL_DEPTH, canonical};
pub(crate) use compose::{put, separated, string_array};
pub(crate) use display::misleads;
pub use display::{escaped, python_repr};
pub use error::JsonError;
pub(crate) use pieces::code_unit;
use pieces::{Piece, Pieces, is_plain};
#[cfg(feature = "std")]
pub(crate) use read::from_checked;
pub use read::{MAX_LEVELS, from_text};
use text::JSON_TEXT;
pub use text::JsonText;
pub use walk::{elements, members};
pub use write::to_text;

/// The name by which `serde_json` knows a struct, or a newtype, that stands for its text as it is: a
/// [`RawValue`](serde_json::value::RawValue).
///
/// `serde_json` does not publish it. It is the only way to write a bare word through its serializer, and to know that a
/// value asks for its own text. Tests of [`to_text`] and [`from_text`] fail should it ever change.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// The text of a JSON string, given with its quotes and without white space around it.
///
/// `None` if `raw` is not a JSON string, or if it holds a lone surrogate escape, which no Rust string can
/// hold. A string without escapes is borrowed.
///
/// ```
/// use msl_network_protocol::json::unquote;
///
/// assert_eq!(unquote(br#""a\u00b5\n""#).as_deref(), Some("aµ\n"));
/// assert_eq!(unquote(br#""\ud83d""#), None);
/// assert_eq!(unquote(b"12"), None);
/// ```
pub fn unquote(raw: &[u8]) -> Option<Cow<'_, str>> {
    let inside = core::str::from_utf8(raw).ok()?.strip_prefix('"')?.strip_suffix('"')?;
    if is_plain(inside.as_bytes()) {
        return Some(Cow::Borrowed(inside));
    }
    let mut text = String::with_capacity(inside.len());
    for piece in Pieces::new(inside) {
        match piece? {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Character(character) => text.push(character),
            Piece::LoneSurrogate(_) => return None,
        }
    }
    Some(Cow::Owned(text))
}

/// `text` as a JSON string, written as Python's `json.dumps(text, ensure_ascii=False)` writes it.
///
/// ```
/// use msl_network_protocol::json::quote;
///
/// assert_eq!(quote("a \"µ\"\n"), r#""a \"µ\"\n""#);
/// ```
#[must_use]
pub fn quote(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    quote_into(&mut json, text);
    json
}

/// Appends `text` to `json` as [`quote`] writes it. It grows by at most six bytes for each byte of `text`,
/// and two.
pub fn quote_into(json: &mut String, text: &str) {
    json.push('"');
    quote_inside(json, text);
    json.push('"');
}

/// As [`quote_into`], without the quotes around it.
fn quote_inside(json: &mut String, text: &str) {
    let mut copied = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0C => "\\f",
            0x00..=0x1F => "",
            _ => continue,
        };
        // `at` is an ASCII byte's place, hence a boundary of characters.
        json.push_str(&text[copied..at]);
        copied = at + 1;
        if escape.is_empty() {
            // Writing to a String never fails.
            let _ = write!(json, "\\u{byte:04x}");
        } else {
            json.push_str(escape);
        }
    }
    json.push_str(&text[copied..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn a_string_without_escapes_is_borrowed() {
        assert!(matches!(unquote("\"plain µ text\"".as_bytes()), Some(Cow::Borrowed("plain µ text"))));
        assert!(matches!(unquote(b"\"\""), Some(Cow::Borrowed(""))));
    }

    #[test]
    fn escapes_are_decoded() {
        for (raw, text) in [
            (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r#""\u00e9\u4E2D""#, "é中"),
            (r#""x\ud83d\uDE00y""#, "x😀y"),
        ] {
            assert_eq!(unquote(raw.as_bytes()).as_deref(), Some(text), "{raw}");
        }
    }

    #[test]
    fn what_is_not_a_string_has_no_text() {
        for raw in [
            "",
            "\"",
            "a",
            "12",
            " \"a\"",
            "\"a",
            "a\"",
            "\"a\"b\"",
            "\"\\\"",
            "\"\\x41\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"\\u12µ\"",
            "\"a\nb\"",
            "\"\\\n\"",
            "null",
            "[\"a\"]",
        ] {
            assert_eq!(unquote(raw.as_bytes()), None, "{raw:?}");
        }
        assert_eq!(unquote(b"\"\xff\""), None);
    }

    #[test]
    fn a_lone_surrogate_has_no_text() {
        for raw in [r#""\ud800""#, r#""\udc00\ud800""#, r#""\ud800\u0041""#, r#""\ud800x""#] {
            assert_eq!(unquote(raw.as_bytes()), None, "{raw}");
        }
    }

    #[test]
    fn strings_are_quoted_as_python_does() {
        assert_eq!(
            quote("\u{0}\u{1f}\u{8}\u{c}\n\r\t\"\\/\u{7f}é\u{2028}😀"),
            "\"\\u0000\\u001f\\b\\f\\n\\r\\t\\\"\\\\/\u{7f}é\u{2028}😀\""
        );
        assert_eq!(quote(""), "\"\"");
    }

    proptest! {
        #[test]
        fn quoting_and_unquoting_gives_the_text_back(text in any::<String>()) {
            let quoted = quote(&text);
            prop_assert_eq!(unquote(quoted.as_bytes()).map(|text| text.to_string()), Some(text.clone()));
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }

        #[test]
        fn unquoting_agrees_with_serde_json(inside in r#"([a-zµ"/\x00-\x20]|\\["\\/bfnrtux]|\\u[dD][89a-fA-F][0-9a-f]{2}|\\u[0-9a-f]{3,4}){0,12}"#) {
            let raw = alloc::format!("\"{inside}\"");
            let expected = serde_json::from_str::<String>(&raw).ok();
            prop_assert_eq!(unquote(raw.as_bytes()).map(Cow::into_owned), expected);
        }

        #[test]
        fn any_bytes_can_be_unquoted_without_a_panic(raw in any::<alloc::vec::Vec<u8>>()) {
            let _ = unquote(&raw);
        }
    }
}
