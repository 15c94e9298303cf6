//! Values from JSON text, with Python's words for the floats that JSON has no number for.
//!
//! `serde_json` reads first, and nearly always that is all. Only where it finds the text wrong, and the text has one of the
//! words or is nested deeper than `serde_json` goes, a reader of ours starts again from the beginning. It walks through
//! arrays and objects by itself and leaves each string, number, `true`, `false` and `null` to `serde_json`, so that these
//! mean the same on both ways.
//!
//! Easy to get wrong: the stack. Reading is recursive, a peer chooses the depth, and a stack that overflows ends the
//! process. Hence [`MAX_LEVELS`].

#[cfg(feature = "std")]
mod checked;
mod containers;
mod key;
#[cfg(test)]
mod properties;
mod reader;
#[cfg(test)]
mod tests;

use serde::Deserialize;

use super::{JsonError, walk};
#[cfg(feature = "std")]
pub(crate) use checked::from_checked;
use reader::Reader;

/// How many arrays and objects may be inside each other for [`from_text`] to build a value from them.
///
/// A frame may be twice as deep ([`crate::frame::MAX_DEPTH`]); `serde_json` alone builds values of half this depth. Only
/// types that contain themselves, as trees do, can meet the limit. Without optimisation a level costs such a type 1.5 to
/// 4 KiB of stack, so that the deepest text takes up to half of the 2 MiB that a thread has; at twice the depth nothing
/// would be left for the caller.
pub const MAX_LEVELS: usize = 256;

/// How many levels `serde_json` reads, not counting the last.
const SERDE_JSON_LEVELS: usize = 128;

/// The value that a JSON text stands for, as `serde_json::from_slice` reads it; besides, `NaN`, `Infinity` and `-Infinity`
/// are floats, as Python writes them.
///
/// A word is read as an `f64` wherever a float fits: in `f32`, `f64`, options, arrays, objects, enums, and where a type
/// takes anything. `serde_json::Value` cannot hold one, it becomes null there. Strings and raw values are borrowed from
/// `text` where the type borrows. A [`RawValue`](serde_json::value::RawValue) cannot hold a word, but there may be words
/// beside it.
///
/// # Errors
/// The text is not JSON, not the wanted type (a word where an integer, a string or a boolean is wanted), has
/// something after the value, or is nested more than [`MAX_LEVELS`] levels deep.
///
/// ```
/// use msl_network_protocol::json::from_text;
///
/// let (name, values): (&str, Vec<f64>) = from_text(br#"["volts", [0.1, -Infinity]]"#)?;
/// assert_eq!((name, values), ("volts", vec![0.1, f64::NEG_INFINITY]));
/// # Ok::<(), msl_network_protocol::json::JsonError>(())
/// ```
pub fn from_text<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, JsonError> {
    serde_json::from_slice(text).or_else(|refused| reread(text, refused))
}

/// The value of a text that `serde_json` has refused.
fn reread<'de, T: Deserialize<'de>>(text: &'de [u8], refused: serde_json::Error) -> Result<T, JsonError> {
    // A value of the wrong type stays wrong.
    if !refused.is_syntax() || !needs_reader(text) {
        return Err(refused.into());
    }
    let Ok(text) = core::str::from_utf8(text) else {
        return Err(refused.into());
    };
    Reader::new(text).only_value()
}

/// Whether a text that `serde_json` refuses may be fine for our reader.
fn needs_reader(text: &[u8]) -> bool {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at += walk::string_end(&text[at..]);
                continue;
            }
            // Outside of strings, no other word of JSON has these letters.
            b'N' | b'I' => return true,
            b'[' | b'{' => {
                depth += 1;
                if depth >= SERDE_JSON_LEVELS {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    false
}
