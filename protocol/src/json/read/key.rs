//! The keys of objects: strings in the text, but a map may want numbers or booleans, which then are inside the string.

use serde::de::{Deserializer, Visitor};

use super::super::{JsonError, RAW_VALUE};
use super::reader::Reader;

/// The key that stands next.
pub(super) struct Key<'a, 'de> {
    reader: &'a mut Reader<'de>,
}

impl<'a, 'de> Key<'a, 'de> {
    pub(super) fn new(reader: &'a mut Reader<'de>) -> Self {
        Self { reader }
    }
}

/// What is inside the quotes, if it is all there.
fn inside(key: &str) -> Option<&str> {
    key.strip_prefix('"')?.strip_suffix('"')
}

/// Whether this may be a number. White space may stand around a number, but not in a key.
fn is_numeric(inside: &str) -> bool {
    let bytes = inside.as_bytes();
    matches!(bytes.first(), Some(b'-' | b'0'..=b'9')) && !bytes.ends_with(b" ") && !bytes.ends_with(b"\t")
}

/// Keys that are read as the strings that they are.
macro_rules! strings {
    ($($method:ident($($argument:ident: $kind:ty),*) => $plain:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self $(, $argument: $kind)*, visitor: V) -> Result<V::Value, JsonError> {
            $(let _ = $argument;)*
            let key = self.reader.key()?;
            self.reader.plain(key, |plain| plain.$plain(visitor))
        }
    )*};
}

/// Keys of which the inside is read.
macro_rules! insides {
    ($($method:ident: $is_one:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
            let key = self.reader.key()?;
            let is_one: fn(&str) -> bool = $is_one;
            let Some(inside) = inside(key).filter(|inside| is_one(inside)) else {
                // It is a string then, which is the error.
                return self.reader.plain(key, |plain| plain.$method(visitor));
            };
            self.reader.advance();
            let value = self.reader.plain(inside, |plain| plain.$method(visitor))?;
            self.reader.advance();
            Ok(value)
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'_, 'de> {
    type Error = JsonError;

    strings! {
        deserialize_any() => deserialize_str;
        deserialize_char() => deserialize_str;
        deserialize_str() => deserialize_str;
        deserialize_string() => deserialize_str;
        deserialize_identifier() => deserialize_str;
        deserialize_ignored_any() => deserialize_ignored_any;
        deserialize_bytes() => deserialize_bytes;
        deserialize_byte_buf() => deserialize_bytes;
        deserialize_unit() => deserialize_str;
        deserialize_unit_struct(name: &'static str) => deserialize_str;
        deserialize_seq() => deserialize_str;
        deserialize_tuple(length: usize) => deserialize_str;
        deserialize_tuple_struct(name: &'static str, length: usize) => deserialize_str;
        deserialize_map() => deserialize_str;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) => deserialize_str;
    }

    insides! {
        deserialize_bool: |inside| matches!(inside, "true" | "false");
        deserialize_i8: is_numeric;
        deserialize_i16: is_numeric;
        deserialize_i32: is_numeric;
        deserialize_i64: is_numeric;
        deserialize_i128: is_numeric;
        deserialize_u8: is_numeric;
        deserialize_u16: is_numeric;
        deserialize_u32: is_numeric;
        deserialize_u64: is_numeric;
        deserialize_u128: is_numeric;
        deserialize_f32: is_numeric;
        deserialize_f64: is_numeric;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        if name == RAW_VALUE {
            self.reader.key()?;
            return self.reader.deserialize_newtype_struct(name, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        self.reader.key()?;
        self.reader.deserialize_enum(name, variants, visitor)
    }
}
