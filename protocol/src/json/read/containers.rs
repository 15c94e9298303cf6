//! The inside of arrays and objects, and objects that stand for a variant of an enum.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::super::JsonError;
use super::key::Key;
use super::reader::Reader;

/// The elements of an array whose bracket was read; its end is left to the reader.
pub(super) struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    first: bool,
}

/// The members of an object, likewise.
pub(super) struct Members<'a, 'de> {
    reader: &'a mut Reader<'de>,
    first: bool,
}

/// An object with one member: the variant's name and what it holds.
pub(super) struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
}

impl<'a, 'de> Elements<'a, 'de> {
    pub(super) fn new(reader: &'a mut Reader<'de>) -> Self {
        Self { reader, first: true }
    }
}

impl<'a, 'de> Members<'a, 'de> {
    pub(super) fn new(reader: &'a mut Reader<'de>) -> Self {
        Self { reader, first: true }
    }
}

impl<'a, 'de> Variant<'a, 'de> {
    pub(super) fn new(reader: &'a mut Reader<'de>) -> Self {
        Self { reader }
    }
}

/// Goes to the next part: over the comma, unless it is the first. False at the end.
fn has_next(reader: &mut Reader<'_>, first: &mut bool, close: u8) -> Result<bool, JsonError> {
    let next = reader.peek();
    if next == Some(close) {
        return Ok(false);
    }
    if core::mem::replace(first, false) {
        return Ok(true);
    }
    if next != Some(b',') {
        return Err(reader.error(if close == b']' { "expected `,` or `]`" } else { "expected `,` or `}`" }));
    }
    reader.advance();
    if reader.peek() == Some(close) {
        return Err(reader.error("trailing comma"));
    }
    Ok(true)
}

fn colon(reader: &mut Reader<'_>) -> Result<(), JsonError> {
    if reader.peek() != Some(b':') {
        return Err(reader.error("expected `:`"));
    }
    reader.advance();
    Ok(())
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = JsonError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, JsonError> {
        if !has_next(self.reader, &mut self.first, b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = JsonError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, JsonError> {
        if !has_next(self.reader, &mut self.first, b'}')? {
            return Ok(None);
        }
        seed.deserialize(Key::new(self.reader)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, JsonError> {
        colon(self.reader)?;
        seed.deserialize(&mut *self.reader)
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = JsonError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), JsonError> {
        let variant = seed.deserialize(Key::new(self.reader))?;
        colon(self.reader)?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = JsonError;

    fn unit_variant(self) -> Result<(), JsonError> {
        Deserialize::deserialize(self.reader)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, JsonError> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, JsonError> {
        self.reader.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        self.reader.deserialize_struct("", fields, visitor)
    }
}
