//! Values as JSON text, with Python's words for the floats that JSON has no number for.
//!
//! The text comes from `serde_json::to_string`, not from a serializer of ours: so escapes, digits, map keys and raw values
//! are what every user of `serde_json` expects, whatever its version. Around each value goes a thin serializer that hands
//! on everything as it is, except a float that is `NaN` or infinite: that becomes a raw value whose text is the word. (A
//! serializer with its own formatter would see these floats only as `null`, and `serde_json` has it only with `std`.)
//!
//! Easy to get wrong: every way into a nested value must be wrapped again, or the floats below it become `null`. Map keys
//! are not wrapped: a key is a string in JSON, and a `NaN` there is an error.

use alloc::string::String;
use core::fmt::Display;

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{JsonError, RAW_VALUE};

/// The JSON text of a value, as `serde_json::to_string` writes it, but for floats that are not finite: these are written
/// as Python does, `NaN`, `Infinity` and `-Infinity`, where `serde_json` writes `null`.
///
/// Integers keep all their digits, also those of 128 bits. A [`RawValue`](serde_json::value::RawValue) is copied as it is:
/// if it was read from a text of several lines, the result has several lines too and is not fit for a frame.
///
/// # Errors
/// Where `serde_json` has one: a map key that is no string, number, boolean or character, or is a float that is not finite;
/// or what the value's own `Serialize` refuses.
///
/// ```
/// use msl_network_protocol::json::to_text;
///
/// assert_eq!(to_text(&(1.5, f64::NAN, [f64::NEG_INFINITY]))?, "[1.5,NaN,[-Infinity]]");
/// # Ok::<(), msl_network_protocol::json::JsonError>(())
/// ```
pub fn to_text<T: Serialize + ?Sized>(value: &T) -> Result<String, JsonError> {
    Ok(serde_json::to_string(&WithWords(value))?)
}

/// A value that is written through [`Words`].
struct WithWords<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> Serialize for WithWords<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Words(serializer))
    }
}

/// A serializer, or one of its states within a value, in which floats may be words.
struct Words<S>(S);

/// The word for a float that is not finite.
fn word(value: f64) -> Option<&'static str> {
    if value.is_finite() {
        None
    } else if value.is_nan() {
        Some("NaN")
    } else if value > 0.0 {
        Some("Infinity")
    } else {
        Some("-Infinity")
    }
}

/// Writes a word without quotes.
fn write_word<S: Serializer>(serializer: S, word: &'static str) -> Result<S::Ok, S::Error> {
    let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
    raw.serialize_field(RAW_VALUE, word)?;
    raw.end()
}

/// What is handed on as it is.
macro_rules! as_it_is {
    ($($method:ident($($argument:ident: $kind:ty),*);)*) => {$(
        fn $method(self $(, $argument: $kind)*) -> Result<S::Ok, S::Error> {
            self.0.$method($($argument),*)
        }
    )*};
}

/// What begins a value with others in it.
macro_rules! begins {
    ($($method:ident($($argument:ident: $kind:ty),*) -> $state:ident;)*) => {$(
        fn $method(self $(, $argument: $kind)*) -> Result<Self::$state, S::Error> {
            self.0.$method($($argument),*).map(Words)
        }
    )*};
}

impl<S: Serializer> Serializer for Words<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Words<S::SerializeSeq>;
    type SerializeTuple = Words<S::SerializeTuple>;
    type SerializeTupleStruct = Words<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Words<S::SerializeTupleVariant>;
    type SerializeMap = Words<S::SerializeMap>;
    type SerializeStruct = Words<S::SerializeStruct>;
    type SerializeStructVariant = Words<S::SerializeStructVariant>;

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        match word(f64::from(value)) {
            Some(word) => write_word(self.0, word),
            None => self.0.serialize_f32(value),
        }
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        match word(value) {
            Some(word) => write_word(self.0, word),
            None => self.0.serialize_f64(value),
        }
    }

    as_it_is! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_i64(value: i64);
        serialize_i128(value: i128);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_u64(value: u64);
        serialize_u128(value: u128);
        serialize_char(value: char);
        serialize_str(value: &str);
        serialize_bytes(value: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    begins! {
        serialize_seq(length: Option<usize>) -> SerializeSeq;
        serialize_tuple(length: usize) -> SerializeTuple;
        serialize_tuple_struct(name: &'static str, length: usize) -> SerializeTupleStruct;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, length: usize)
            -> SerializeTupleVariant;
        serialize_map(length: Option<usize>) -> SerializeMap;
        serialize_struct(name: &'static str, length: usize) -> SerializeStruct;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, length: usize)
            -> SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&WithWords(value))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_struct(name, &WithWords(value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_variant(name, index, variant, &WithWords(value))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// The states whose parts have no key: sequences and tuples of all kinds.
macro_rules! unnamed_parts {
    ($($state:ident: $method:ident;)*) => {$(
        impl<S: $state> $state for Words<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                self.0.$method(&WithWords(value))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.0.end()
            }
        }
    )*};
}

unnamed_parts! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
}

/// The states whose parts are fields.
macro_rules! fields {
    ($($state:ident)*) => {$(
        impl<S: $state> $state for Words<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), S::Error> {
                self.0.serialize_field(key, &WithWords(value))
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), S::Error> {
                self.0.skip_field(key)
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.0.end()
            }
        }
    )*};
}

fields! { SerializeStruct SerializeStructVariant }

impl<S: SerializeMap> SerializeMap for Words<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.0.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.0.serialize_value(&WithWords(value))
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), S::Error> {
        self.0.serialize_entry(key, &WithWords(value))
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.0.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::boxed::Box;
    use alloc::collections::BTreeMap;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use serde_json::json;
    use serde_json::value::{Number, RawValue, Value};

    fn text<T: Serialize + ?Sized>(value: &T) -> String {
        to_text(value).unwrap()
    }

    #[derive(Serialize)]
    struct Newtype(f64);
    #[derive(Serialize)]
    struct Pair(f32, f64);
    #[derive(Serialize)]
    struct Struct {
        a: f64,
        b: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        c: Option<f64>,
        #[serde(flatten)]
        rest: BTreeMap<String, f64>,
    }
    #[derive(Serialize)]
    enum Enum {
        Unit,
        Newtype(f64),
        Tuple(f64, f32),
        Struct { x: f64 },
    }
    #[derive(Serialize)]
    #[serde(tag = "t")]
    enum Tagged {
        Newtype(BTreeMap<String, f64>),
        Struct { x: f64 },
    }
    #[derive(Serialize)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        Tuple(f64, f64),
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Untagged {
        Float(f64),
    }

    #[test]
    fn floats_without_a_number_are_words_at_any_depth() {
        const NAN: f64 = f64::NAN;
        const INF: f64 = f64::INFINITY;
        assert_eq!(text(&[NAN, INF, -INF, -NAN]), "[NaN,Infinity,-Infinity,NaN]");
        assert_eq!(text(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY]), "[NaN,Infinity,-Infinity]");
        assert_eq!(text(&NAN), "NaN");
        assert_eq!(text(&Some(Newtype(NAN))), "NaN");
        assert_eq!(text(&(NAN, Pair(f32::INFINITY, NAN))), "[NaN,[Infinity,NaN]]");
        assert_eq!(text(&BTreeMap::from([("a", Some(NAN)), ("b", None)])), r#"{"a":NaN,"b":null}"#);
        let rest = BTreeMap::from([("r".to_string(), -INF)]);
        assert_eq!(
            text(&Struct { a: NAN, b: Some(INF), c: None, rest: rest.clone() }),
            r#"{"a":NaN,"b":Infinity,"r":-Infinity}"#
        );
        assert_eq!(
            text(&[Enum::Unit, Enum::Newtype(NAN), Enum::Tuple(NAN, f32::NAN), Enum::Struct { x: INF }]),
            r#"["Unit",{"Newtype":NaN},{"Tuple":[NaN,NaN]},{"Struct":{"x":Infinity}}]"#
        );
        assert_eq!(
            text(&[Tagged::Newtype(rest), Tagged::Struct { x: NAN }]),
            r#"[{"t":"Newtype","r":-Infinity},{"t":"Struct","x":NaN}]"#
        );
        assert_eq!(text(&Adjacent::Tuple(NAN, 1.0)), r#"{"t":"Tuple","c":[NaN,1.0]}"#);
        assert_eq!(text(&Untagged::Float(NAN)), "NaN");
    }

    #[test]
    fn everything_else_is_as_serde_json_writes_it() {
        fn same<T: Serialize + ?Sized>(value: &T) {
            assert_eq!(to_text(value).unwrap(), serde_json::to_string(value).unwrap());
        }
        same(&(true, 'µ', "a\"\\\u{0}\u{7f}\u{2028}😀", (), [(); 0], None::<u8>, Enum::Unit));
        same(&[f64::MAX, f64::MIN_POSITIVE, 5e-324, -0.0, 0.1, 1e15, 1e16, 1e21, 123_456_789.125]);
        same(&[f32::MAX, f32::MIN_POSITIVE, -0.0, 0.1, 16_777_216.0]);
        same(&(i8::MIN, i16::MIN, i32::MIN, i64::MIN, u8::MAX, u16::MAX, u32::MAX, u64::MAX));
        same(&BTreeMap::from([(1_i128, "a"), (i128::MIN, "b")]));
        same(&BTreeMap::from([(false, 1), (true, 2)]));
        same(&BTreeMap::from([('"', 1)]));
        same(&json!({"a": [1, 2.5, null, {"b": "c"}], "z": []}));
        same(&core::net::Ipv4Addr::LOCALHOST);
        same::<[u8]>(b"bytes");
        same("unsized");
        same(&BTreeMap::<u8, u8>::new());
    }

    #[test]
    fn integers_keep_all_their_digits() {
        assert_eq!(text(&i128::MIN), i128::MIN.to_string());
        assert_eq!(text(&[u128::MAX]), alloc::format!("[{}]", u128::MAX));
    }

    #[test]
    fn raw_values_are_copied_to_the_byte() {
        #[derive(Serialize)]
        struct Message<'a> {
            args: &'a RawValue,
            x: f64,
        }
        let raw = r#"{"a" : 1.10, "b":[1E5 ,"\u00b5"],  "n": 12345678901234567890123}"#;
        let args: Box<RawValue> = serde_json::from_str(raw).unwrap();
        assert_eq!(
            text(&Message { args: &args, x: f64::NAN }),
            alloc::format!("{{\"args\":{raw},\"x\":NaN}}")
        );
        assert_eq!(text(&BTreeMap::from([("a", &args)])), alloc::format!("{{\"a\":{raw}}}"));
    }

    #[test]
    fn numbers_and_values_of_serde_json_are_numbers() {
        assert_eq!(text(&Number::from(u64::MAX)), u64::MAX.to_string());
        assert_eq!(text(&Number::from_f64(0.1)), "0.1");
        assert_eq!(text(&Value::Array(Vec::from([Value::Null, json!(-1)]))), "[null,-1]");
    }

    #[test]
    fn a_key_that_serde_json_refuses_is_an_error() {
        struct Key(f64);
        impl Serialize for Key {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map([(self.0, 1)])
            }
        }
        assert_eq!(text(&Key(1.5)), r#"{"1.5":1}"#);
        let refused = to_text(&Key(f64::NAN)).unwrap_err();
        assert_eq!(refused, serde_json::to_string(&Key(f64::NAN)).unwrap_err().into());
        assert!(to_text(&BTreeMap::from([((), 1)])).is_err());
    }

    #[test]
    fn a_value_may_refuse_to_be_written() {
        struct Never;
        impl Serialize for Never {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("not today"))
            }
        }
        assert_eq!(to_text(&[Some(Never)]).unwrap_err().to_string(), "not today");
    }
}
