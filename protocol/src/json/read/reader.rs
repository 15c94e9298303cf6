//! The deserializer over a text: what stands next, and who reads it.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, Unexpected, Visitor};

use super::super::{JSON_TEXT, JsonError, RAW_VALUE, walk};
use super::MAX_LEVELS;
use super::containers::{Elements, Members, Variant};

/// A place in a text from which values are read.
pub(super) struct Reader<'de> {
    text: &'de str,
    at: usize,
    /// How many more arrays and objects may be opened inside the present one.
    levels_left: usize,
}

/// What stands next in the text.
enum Next<'de> {
    /// `NaN`, `Infinity` or `-Infinity`, and its length.
    Word(f64, usize),
    /// Something that is neither of the others, to be read by `serde_json`, which also tells whether it is anything at all.
    Plain(&'de str),
    Array,
    Object,
}

impl<'de> Reader<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, at: 0, levels_left: MAX_LEVELS }
    }

    /// The value that the whole text is.
    pub(super) fn only_value<T: Deserialize<'de>>(mut self) -> Result<T, JsonError> {
        let value = T::deserialize(&mut self).map_err(|error| self.placed(error))?;
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.error("trailing characters")),
        }
    }

    /// The next byte that is not white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        let blanks = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        self.at += blanks.unwrap_or(rest.len());
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes over the byte that was peeked, which is punctuation.
    pub(super) fn advance(&mut self) {
        self.at += 1;
    }

    /// An error here.
    pub(super) fn error(&self, what: &str) -> JsonError {
        self.placed(JsonError::new(what))
    }

    /// An error that is here unless it says where it is.
    fn placed(&self, error: JsonError) -> JsonError {
        error.at(self.text, self.at)
    }

    fn next(&mut self) -> Result<Next<'de>, JsonError> {
        let first = self.peek();
        let rest = &self.text[self.at..];
        let end = match first {
            None => return Err(self.error("EOF while parsing a value")),
            Some(b'[') => return Ok(Next::Array),
            Some(b'{') => return Ok(Next::Object),
            Some(b'"') => walk::string_end(rest.as_bytes()),
            Some(_) => {
                rest.find([' ', '\t', '\r', '\n', ',', ':', '"', '[', ']', '{', '}']).unwrap_or(rest.len())
            }
        };
        Ok(match &rest[..end] {
            "" => return Err(self.error("expected value")),
            "NaN" => Next::Word(f64::NAN, end),
            "Infinity" => Next::Word(f64::INFINITY, end),
            "-Infinity" => Next::Word(f64::NEG_INFINITY, end),
            plain => Next::Plain(plain),
        })
    }

    /// Leaves to `serde_json` the `text` that stands next, of which nothing may be left over.
    pub(super) fn plain<T>(
        &mut self,
        text: &'de str,
        read: impl FnOnce(&mut Plain<'de>) -> Result<T, serde_json::Error>,
    ) -> Result<T, JsonError> {
        let mut plain = serde_json::Deserializer::from_str(text);
        let value = read(&mut plain).and_then(|value| plain.end().map(|()| value));
        let value = value.map_err(|error| {
            // The end of this part is not the end of the text.
            if error.is_eof() && self.at + text.len() < self.text.len() {
                return self.error("expected value");
            }
            JsonError::from(error).within(self.text, self.at)
        })?;
        self.at += text.len();
        Ok(value)
    }

    /// The string that stands next, with its quotes: a key.
    pub(super) fn key(&mut self) -> Result<&'de str, JsonError> {
        match self.next()? {
            Next::Plain(text) if text.starts_with('"') => Ok(text),
            _ => Err(self.error("key must be a string")),
        }
    }

    /// Goes over the word that stands next.
    fn word<T>(&mut self, length: usize, value: Result<T, JsonError>) -> Result<T, JsonError> {
        let value = value.map_err(|error| self.placed(error))?;
        self.at += length;
        Ok(value)
    }

    /// Reads the inside of the array or object that stands next, and its end.
    fn inside<T>(
        &mut self,
        close: u8,
        read: impl FnOnce(&mut Self) -> Result<T, JsonError>,
    ) -> Result<T, JsonError> {
        if self.levels_left == 0 {
            return Err(self.error("nested too deep"));
        }
        self.levels_left -= 1;
        self.advance();
        let value = read(self).map_err(|error| self.placed(error))?;
        self.levels_left += 1;
        if self.peek() != Some(close) {
            return Err(self.error("more parts than expected"));
        }
        self.advance();
        Ok(value)
    }

    fn array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, JsonError> {
        self.inside(b']', |reader| visitor.visit_seq(Elements::new(reader)))
    }

    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, JsonError> {
        self.inside(b'}', |reader| visitor.visit_map(Members::new(reader)))
    }

    /// An error: here is something else than what the visitor wants.
    fn mismatch<'v, T>(&self, found: Unexpected<'_>, visitor: &impl Visitor<'v>) -> Result<T, JsonError> {
        Err(self.placed(JsonError::invalid_type(found, visitor)))
    }
}

/// `serde_json`'s deserializer over a part of the text.
pub(super) type Plain<'de> = serde_json::Deserializer<serde_json::de::StrRead<'de>>;

/// What a visitor gets to see for each of the four things that may stand next. An error where nothing is said.
macro_rules! reads {
    ($($method:ident($($argument:ident: $kind:ty),*) $([$container:ident])* $(or $float:ident)?;)*) => {$(
        fn $method<V: Visitor<'de>>(self $(, $argument: $kind)*, visitor: V) -> Result<V::Value, JsonError> {
            match self.next()? {
                Next::Plain(text) => self.plain(text, |plain| plain.$method($($argument,)* visitor)),
                $(Next::Word(value, length) => self.word(length, visitor.$float(value)),)?
                $(reads!(@pattern $container) => self.$container(visitor),)*
                #[allow(unreachable_patterns, reason = "some take everything")]
                Next::Word(value, _) => self.mismatch(Unexpected::Float(value), &visitor),
                #[allow(unreachable_patterns, reason = "some take everything")]
                Next::Array => self.mismatch(Unexpected::Seq, &visitor),
                #[allow(unreachable_patterns, reason = "some take everything")]
                Next::Object => self.mismatch(Unexpected::Map, &visitor),
            }
        }
    )*};
    (@pattern array) => { Next::Array };
    (@pattern object) => { Next::Object };
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = JsonError;

    reads! {
        deserialize_any() [array] [object] or visit_f64;
        deserialize_f32() or visit_f64;
        deserialize_f64() or visit_f64;
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
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes() [array];
        deserialize_byte_buf() [array];
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_seq() [array];
        deserialize_tuple(length: usize) [array];
        deserialize_tuple_struct(name: &'static str, length: usize) [array];
        deserialize_map() [object];
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) [array] [object];
        deserialize_identifier();
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.next()? {
            Next::Plain(text @ "null") => self.plain(text, |plain| plain.deserialize_option(visitor)),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        if name != RAW_VALUE && name != JSON_TEXT {
            return visitor.visit_newtype_struct(self);
        }
        self.peek();
        let start = self.at;
        IgnoredAny::deserialize(&mut *self)?;
        let raw = &self.text[start..self.at];
        if name == JSON_TEXT {
            return visitor.visit_borrowed_str(raw);
        }
        self.at = start;
        self.plain(raw, |plain| plain.deserialize_newtype_struct(name, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        match self.next()? {
            Next::Plain(text) => self.plain(text, |plain| plain.deserialize_enum(name, variants, visitor)),
            Next::Object => self.inside(b'}', |reader| visitor.visit_enum(Variant::new(reader))),
            Next::Array => self.mismatch(Unexpected::Seq, &visitor),
            Next::Word(value, _) => self.mismatch(Unexpected::Float(value), &visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.next()? {
            Next::Plain(text) => {
                self.plain(text, |plain| plain.deserialize_ignored_any(IgnoredAny))?;
            }
            Next::Word(_, length) => self.at += length,
            Next::Array => {
                self.array(IgnoredAny)?;
            }
            Next::Object => {
                self.object(IgnoredAny)?;
            }
        }
        visitor.visit_unit()
    }
}
