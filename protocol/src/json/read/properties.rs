//! What holds for any text and any value, by comparison with `serde_json`.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use proptest::prelude::*;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::super::to_text;
use super::*;

/// Any value that JSON has, with the floats that it has not.
#[derive(Clone, Debug)]
enum Tree {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Integer(one), Self::Integer(other)) => one == other,
            (Self::Float(one), Self::Float(other)) => {
                one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan()
            }
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Array(one), Self::Array(other)) => one == other,
            (Self::Object(one), Self::Object(other)) => one == other,
            _ => false,
        }
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i128(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Integer(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree::Integer(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree::Float(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
                Ok(Tree::Text(value.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree, A::Error> {
                let mut array = Vec::new();
                while let Some(element) = elements.next_element()? {
                    array.push(element);
                }
                Ok(Tree::Array(array))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
                let mut object = Vec::new();
                while let Some(member) = members.next_entry()? {
                    object.push(member);
                }
                Ok(Tree::Object(object))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[derive(Debug, PartialEq, Deserialize)]
enum Enum {
    Unit,
    Newtype(Option<f64>),
    Tuple(bool, Box<Enum>),
    Struct { a: f32, b: Option<String> },
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Unit,
    Integer(u8),
    Float(f64),
    Struct { a: f64 },
    Many(Vec<Untagged>),
}

fn finite() -> impl Strategy<Value = f64> {
    any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |value| value.is_finite())
}

fn float() -> impl Strategy<Value = f64> {
    const WORDS: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    prop_oneof![3 => finite(), 1 => prop::sample::select(&WORDS[..]), 1 => any::<f32>().prop_map(f64::from)]
}

fn tree(float: impl Strategy<Value = f64> + 'static) -> impl Strategy<Value = Tree> {
    let integer = prop_oneof![any::<i64>().prop_map(i128::from), any::<u64>().prop_map(i128::from)];
    let text = prop_oneof![any::<String>(), Just("NaN".into()), Just("[\"\\".into())];
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        integer.prop_map(Tree::Integer),
        float.prop_map(Tree::Float),
        text.clone().prop_map(Tree::Text),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Tree::Array),
            prop::collection::vec((text.clone(), inner), 0..6).prop_map(Tree::Object),
        ]
    })
}

/// Tokens that often make a text, or nearly. Between them stands white space, so that no two become one.
fn tokens() -> impl Strategy<Value = Vec<String>> {
    let value = r#"null|true|-?[0-9]{1,3}|-0|[0-9]{1,25}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?|"([a-z]|\\["nud])?"|"(a|b|Unit|t)"|\{\}|\[\]"#;
    let part = prop_oneof![
        6 => value.prop_map(String::from),
        2 => "NaN|-?Infinity".prop_map(String::from),
        1 => r#"\{ "(a|b|Newtype|Tuple|Struct|1|true)" :"#.prop_map(String::from),
        1 => r#"[\[\]{}:,a"NI.-]"#.prop_map(String::from),
    ];
    let leaf = prop::collection::vec(part, 1..3);
    leaf.prop_recursive(4, 40, 4, |inner| {
        (prop::collection::vec(inner, 0..4), any::<bool>(), "(a|b|Unit|Newtype|Tuple|Struct|1|-7|true)")
            .prop_map(|(parts, object, key)| {
                let mut tokens = Vec::from([String::from(if object { "{" } else { "[" })]);
                for (index, part) in parts.into_iter().enumerate() {
                    if index > 0 {
                        tokens.push(",".into());
                    }
                    if object {
                        tokens.push(alloc::format!("\"{key}\""));
                        tokens.push(":".into());
                    }
                    tokens.extend(part);
                }
                tokens.push(if object { "}" } else { "]" }.into());
                tokens
            })
    })
}

fn own<T: DeserializeOwned>(text: &str) -> Option<T> {
    Reader::new(text).only_value().ok()
}

/// Our reader does as `serde_json` does.
fn same<T: DeserializeOwned + PartialEq + fmt::Debug>(text: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(own::<T>(text), serde_json::from_str(text).ok());
    Ok(())
}

proptest! {
    #[test]
    fn a_value_that_is_written_and_read_is_the_same_value(value in tree(float())) {
        let text = to_text(&value).unwrap();
        prop_assert_eq!(&from_text::<Tree>(text.as_bytes()).unwrap(), &value);
        prop_assert_eq!(own::<Tree>(&text), Some(value));
    }

    #[test]
    fn a_value_without_words_is_written_as_serde_json_writes_it(value in tree(finite())) {
        prop_assert_eq!(to_text(&value).unwrap(), serde_json::to_string(&value).unwrap());
    }

    #[test]
    fn a_word_stands_where_serde_json_writes_null(value in tree(float())) {
        let read = from_text::<serde_json::Value>(to_text(&value).unwrap().as_bytes()).unwrap();
        prop_assert_eq!(read, serde_json::to_value(&value).unwrap());
    }

    #[test]
    fn a_single_float_comes_back_to_the_bit(value in float(), narrow in any::<f32>()) {
        let read: f64 = from_text(to_text(&value).unwrap().as_bytes()).unwrap();
        prop_assert!(read.to_bits() == value.to_bits() || read.is_nan() && value.is_nan());
        let read: (f32, f64) = from_text(to_text(&(narrow, f64::NAN)).unwrap().as_bytes()).unwrap();
        prop_assert!(read.0.to_bits() == narrow.to_bits() || read.0.is_nan() && narrow.is_nan());
    }

    #[test]
    fn text_without_words_is_read_by_our_reader_as_serde_json_reads_it(tokens in tokens()) {
        let text = tokens.join(" ").replace("-Infinity", "-1").replace("Infinity", "1.5").replace("NaN", "null");
        same::<Tree>(&text)?;
        same::<serde_json::Value>(&text)?;
        same::<Enum>(&text)?;
        same::<Untagged>(&text)?;
        same::<Vec<Option<f64>>>(&text)?;
        same::<(u8, i128, String)>(&text)?;
        same::<BTreeMap<i8, Untagged>>(&text)?;
        same::<BTreeMap<bool, Enum>>(&text)?;
        same::<BTreeMap<String, f32>>(&text)?;
        prop_assert_eq!(own::<IgnoredAny>(&text).is_some(), serde_json::from_str::<IgnoredAny>(&text).is_ok());
        let raw = |value: Option<Box<RawValue>>| value.map(|raw| String::from(raw.get()));
        prop_assert_eq!(raw(own(&text)), raw(serde_json::from_str(&text).ok()));
        // Whatever the first way accepts is what comes out.
        if let Ok(value) = serde_json::from_str::<Tree>(&text) {
            prop_assert_eq!(from_text::<Tree>(text.as_bytes()).unwrap(), value);
        }
    }

    #[test]
    fn a_word_is_read_where_a_float_would_be_and_only_there(tokens in tokens()) {
        let text = tokens.join(" ");
        let with_number = text.replace("-Infinity", "0.5").replace("Infinity", "0.5").replace("NaN", "0.5");
        macro_rules! same {
            ($($kind:ty),*) => {$(
                prop_assert_eq!(
                    from_text::<$kind>(text.as_bytes()).is_ok(),
                    serde_json::from_str::<$kind>(&with_number).is_ok()
                );
            )*};
        }
        same!(Tree, Enum, Untagged, Vec<Option<f32>>, (u8, f64, i128), BTreeMap<i8, f64>, IgnoredAny);
    }

    #[test]
    fn any_bytes_are_taken_without_a_panic(bytes in any::<Vec<u8>>(), text in r#"([\[\]{}:, "\\a1.eE-]|NaN|-?Infinity|null|\\u|d83d|µ){0,30}"#) {
        for bytes in [&bytes[..], text.as_bytes()] {
            let _ = from_text::<Tree>(bytes);
            let _ = from_text::<Untagged>(bytes);
            let _ = from_text::<Enum>(bytes);
            let _ = from_text::<BTreeMap<i8, f64>>(bytes);
            let _ = from_text::<&RawValue>(bytes);
            let _ = from_text::<&str>(bytes);
        }
        let _ = own::<Tree>(&text);
        let _ = own::<BTreeMap<i8, f64>>(&text);
        let _ = own::<Box<RawValue>>(&text);
    }
}
