//! A value that is kept as its text, for what nobody but its reader knows the type of.
//!
//! `serde_json::Value` would refuse `1e400`, lose digits of long integers, and make `NaN` null; one such value of one
//! service would then hide all others.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt::{self, Write};

use bytes::Bytes;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::value::RawValue;

use super::{JsonError, RAW_VALUE, elements, from_text, members, python_repr, unquote};

/// The name by which a [`JsonText`] asks [`from_text`] for its text; other deserializers do not know it.
pub(super) const JSON_TEXT: &str = "$msl_network::json::JsonText";

/// A JSON value as it was written: all digits, all spellings, `NaN` and the infinities too.
///
/// As text it is what Python's `str` makes of the value.
///
/// ```
/// use msl_network_protocol::json::{JsonText, from_text};
///
/// let values: Vec<JsonText> = from_text(br#"["(x: float)", [1.50, null], NaN, 12345678901234567890123]"#)?;
/// assert_eq!(values[0].text().as_deref(), Some("(x: float)"));
/// assert_eq!(values[1].read::<(f64, Option<u8>)>()?, (1.5, None));
/// assert_eq!(values[1].as_json(), "[1.50, null]");
/// assert_eq!(values[1].to_string(), "[1.5, None]");
/// assert_eq!(values[2].to_string(), "nan");
/// assert_eq!(values[3].to_string(), "12345678901234567890123");
/// # Ok::<(), msl_network_protocol::json::JsonError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText(String);

impl JsonText {
    /// What is JSON, on one line.
    #[cfg(feature = "std")]
    pub(crate) fn new(json: String) -> Self {
        Self(json)
    }

    /// The same, to be put into a line.
    #[cfg(feature = "std")]
    pub(crate) fn into_json(self) -> String {
        self.0
    }

    /// The JSON as it was written.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// The value.
    ///
    /// # Errors
    /// As [`from_text`].
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        from_text(self.0.as_bytes())
    }

    /// The text, if the value is one that a Rust string can hold.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        unquote(self.0.as_bytes())
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(JSON_TEXT, Reader)
    }
}

/// As it was written, too.
impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
        raw.serialize_field(RAW_VALUE, &self.0)?;
        raw.end()
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = JsonText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    /// From our own reader.
    fn visit_str<E: Error>(self, text: &str) -> Result<JsonText, E> {
        Ok(JsonText(text.into()))
    }

    /// From `serde_json`.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<JsonText, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(JsonText(String::from(<Box<str>>::from(raw))))
    }
}

impl fmt::Display for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => f.write_str(&text),
            None => repr(&Bytes::copy_from_slice(self.0.as_bytes()), f),
        }
    }
}

/// As Python's `repr`. A frame's depth is limited ([`crate::frame::MAX_DEPTH`]), and with it the depth of this.
fn repr(raw: &Bytes, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(values) = elements(raw) {
        f.write_char('[')?;
        for (index, value) in values.iter().enumerate() {
            f.write_str(if index > 0 { ", " } else { "" })?;
            repr(value, f)?;
        }
        return f.write_char(']');
    }
    if let Some(members) = members(raw) {
        f.write_char('{')?;
        for (index, (key, value)) in members.iter().enumerate() {
            write!(f, "{}{}: ", if index > 0 { ", " } else { "" }, python_repr(key))?;
            repr(value, f)?;
        }
        return f.write_char('}');
    }
    if let Some(text) = unquote(raw) {
        return f.write_str(&python_repr(&text));
    }
    match &*String::from_utf8_lossy(raw) {
        "null" => f.write_str("None"),
        "true" => f.write_str("True"),
        "false" => f.write_str("False"),
        "NaN" => f.write_str("nan"),
        "Infinity" => f.write_str("inf"),
        "-Infinity" => f.write_str("-inf"),
        number if number.contains(['.', 'e', 'E']) => match number.parse() {
            Ok(float) => repr_float(float, f),
            Err(_) => f.write_str(number),
        },
        other => f.write_str(other),
    }
}

/// The same digits as Rust's, but an exponent below -4 and from 16 on, with a sign and two digits.
fn repr_float(float: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let scientific = alloc::format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            write!(f, "{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => f.write_str(&alloc::format!("{float:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn values_are_shown_as_python_shows_them() {
        for (json, shown) in [
            ("null", "None"),
            (r#"[true, false, "it's", {"a": -1}]"#, r#"[True, False, "it's", {'a': -1}]"#),
            ("[]", "[]"),
            ("{}", "{}"),
            ("0.10", "0.1"),
            ("2.0", "2.0"),
            ("2e0", "2.0"),
            ("1e15", "1000000000000000.0"),
            ("1.5e16", "1.5e+16"),
            ("1e-4", "0.0001"),
            ("-1e-5", "-1e-05"),
            ("1e300", "1e+300"),
            ("1e400", "inf"),
            ("-1e400", "-inf"),
            ("[NaN, -Infinity, Infinity]", "[nan, -inf, inf]"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            (r#""as it is""#, "as it is"),
            (r#""\ud800""#, r#""\ud800""#),
        ] {
            let text: JsonText = from_text(json.as_bytes()).unwrap();
            assert_eq!(text.to_string(), shown);
            assert_eq!(text.as_json(), json);
        }
    }

    #[test]
    fn what_is_not_json_is_refused_beside_a_word_too() {
        for json in ["", "[NaN", "nan", "[NaN, x]", "{\"a\": Infinity,}", "1 2"] {
            assert!(from_text::<JsonText>(json.as_bytes()).is_err(), "{json}");
        }
    }
}
