//! Values from text that is known to be JSON, such as a part of a frame.
//!
//! `serde_json` reads it. But a value that is only to be kept as its text is not gone through once more.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Visitor};
use serde_json::de::SliceRead;

use super::super::{JSON_TEXT, JsonError};
use super::reread;

/// As [`from_text`](super::from_text), for a text that is known to be one JSON value.
pub(crate) fn from_checked<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, JsonError> {
    let mut json = serde_json::Deserializer::from_slice(text);
    T::deserialize(Checked { json: &mut json, text }).or_else(|refused| reread(text, refused))
}

/// `serde_json`'s deserializer before its first byte, with the text.
struct Checked<'a, 'de> {
    json: &'a mut serde_json::Deserializer<SliceRead<'de>>,
    text: &'de [u8],
}

/// What is left to `serde_json`.
macro_rules! as_it_is {
    ($($method:ident($($argument:ident: $kind:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self $(, $argument: $kind)*, visitor: V) -> Result<V::Value, Self::Error> {
            self.json.$method($($argument,)* visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Checked<'_, 'de> {
    type Error = serde_json::Error;

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        if name == JSON_TEXT {
            return visitor.visit_borrowed_str(core::str::from_utf8(self.text).map_err(Self::Error::custom)?);
        }
        self.json.deserialize_newtype_struct(name, visitor)
    }

    as_it_is! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(length: usize);
        deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonText;
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    #[test]
    fn a_text_is_kept_as_it_is() {
        for json in ["1.10", "\"a\\u00b5\"", "[NaN, {\"a\": [ ]}]", "-Infinity", "null"] {
            assert_eq!(from_checked::<JsonText>(json.as_bytes()).unwrap().as_json(), json);
        }
    }

    #[test]
    fn values_and_errors_are_those_of_any_other_text() {
        fn same<T: for<'de> Deserialize<'de> + core::fmt::Debug>(json: &str) {
            let text = |value: Result<T, JsonError>| {
                value.map_or_else(|error| error.to_string(), |value| format!("{value:?}"))
            };
            assert_eq!(text(from_checked(json.as_bytes())), text(super::super::from_text(json.as_bytes())));
        }
        for json in ["1.5", "NaN", "\"a\"", "[1, -Infinity]", "null", "{\"Ok\": [1, 2]}", "[[]]"] {
            same::<f64>(json);
            same::<String>(json);
            same::<Option<JsonText>>(json);
            same::<Vec<JsonText>>(json);
            same::<Vec<f64>>(json);
            same::<Result<Vec<u8>, ()>>(json);
            same::<serde_json::Value>(json);
        }
    }
}
