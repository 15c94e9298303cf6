//! The rules of reading, one by one.

#![expect(clippy::float_cmp, reason = "a float that was read is the one that was written, to the bit")]

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Debug;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::{RawValue, Value};

use super::*;

fn read<'de, T: Deserialize<'de>>(text: &'de str) -> T {
    from_text(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal<T: DeserializeOwned + Debug>(text: &str) -> String {
    from_text::<T>(text.as_bytes()).expect_err(text).to_string()
}

/// Reads with our reader, also where `serde_json` would do.
fn own<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, JsonError> {
    Reader::new(text).only_value()
}

#[derive(Debug, Deserialize)]
struct Newtype(f64);

#[derive(Debug, Deserialize)]
struct Struct<'a> {
    a: f64,
    b: Option<f32>,
    #[serde(borrow)]
    name: &'a str,
    #[serde(default)]
    c: Option<f64>,
}

#[derive(Debug, Deserialize, PartialEq)]
enum Enum {
    Unit,
    Newtype(f64),
    Tuple(f64, f32),
    Struct { x: f64 },
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Untagged {
    Integer(i64),
    Float(f64),
    Text(String),
    Many(Vec<Untagged>),
    Named { x: f64 },
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "t")]
enum Tagged {
    Struct { x: f64, y: Option<f64> },
}

#[test]
fn a_word_is_a_float_wherever_a_float_may_be() {
    assert!(read::<f64>("NaN").is_nan());
    assert!(read::<f32>(" NaN\r\n").is_nan());
    assert_eq!(read::<f64>("Infinity"), f64::INFINITY);
    assert_eq!(read::<f32>("-Infinity"), f32::NEG_INFINITY);
    assert_eq!(read::<Option<f64>>("Infinity"), Some(f64::INFINITY));
    assert_eq!(read::<Newtype>("Infinity").0, f64::INFINITY);
    assert_eq!(read::<[f64; 2]>("[1,Infinity]"), [1.0, f64::INFINITY]);
    assert_eq!(read::<(u8, f32, ())>("[ 1 ,-Infinity , null]"), (1, f32::NEG_INFINITY, ()));
    assert_eq!(read::<Vec<Option<f64>>>("[null,Infinity]"), [None, Some(f64::INFINITY)]);
    let map: BTreeMap<String, Vec<f64>> = read(r#"{"a":[Infinity],"N":[],"\u00b5I":[1,2]}"#);
    assert_eq!(map["a"], [f64::INFINITY]);
    assert_eq!(map["µI"], [1.0, 2.0]);
}

#[test]
fn a_word_may_be_in_a_struct_and_in_every_kind_of_enum() {
    let value: Struct<'_> = read(r#"{"a":NaN,"b":-Infinity,"name":"x","other":[NaN,{"y":Infinity}]}"#);
    assert!(value.a.is_nan());
    assert_eq!((value.b, value.name, value.c), (Some(f32::NEG_INFINITY), "x", None));
    let value: Struct<'_> = read(r#"[NaN,null,"x",2]"#);
    assert_eq!((value.b, value.c), (None, Some(2.0)));
    assert_eq!(
        read::<Vec<Enum>>(
            r#"["Unit",{"Unit":null},{"Newtype":Infinity},{"Tuple":[1,Infinity]},{"Struct":{"x":-Infinity}}]"#
        ),
        [
            Enum::Unit,
            Enum::Unit,
            Enum::Newtype(f64::INFINITY),
            Enum::Tuple(1.0, f32::INFINITY),
            Enum::Struct { x: f64::NEG_INFINITY }
        ]
    );
    assert_eq!(
        read::<Untagged>(r#"[1, 1.5, Infinity, "NaN", {"x": -Infinity}]"#),
        Untagged::Many(Vec::from([
            Untagged::Integer(1),
            Untagged::Float(1.5),
            Untagged::Float(f64::INFINITY),
            Untagged::Text("NaN".to_string()),
            Untagged::Named { x: f64::NEG_INFINITY },
        ]))
    );
    assert_eq!(
        read::<Tagged>(r#"{"x":Infinity,"t":"Struct","y":null}"#),
        Tagged::Struct { x: f64::INFINITY, y: None }
    );
}

#[test]
fn a_word_may_be_ignored_and_is_null_in_a_value_of_serde_json() {
    read::<IgnoredAny>(r#"[NaN, {"a": [-Infinity], "\ud800": "\ud800"}, 1e999]"#);
    assert_eq!(read::<Value>(r#"{"a":[NaN,1]}"#), serde_json::json!({"a": [null, 1]}));
}

#[test]
fn a_word_is_a_type_error_for_what_is_not_a_float() {
    let expected = "invalid type: floating point `NaN`, expected";
    assert_eq!(refusal::<u8>("NaN"), format!("{expected} u8 at line 1 column 1"));
    assert_eq!(refusal::<Vec<i128>>("[1, NaN]"), format!("{expected} i128 at line 1 column 5"));
    for error in [
        refusal::<i64>("NaN"),
        refusal::<u128>("NaN"),
        refusal::<bool>("NaN"),
        refusal::<char>("NaN"),
        refusal::<String>("NaN"),
        refusal::<()>("NaN"),
        refusal::<Vec<u8>>("NaN"),
        refusal::<(u8,)>("NaN"),
        refusal::<BTreeMap<u8, u8>>("NaN"),
        refusal::<Enum>("NaN"),
        refusal::<Tagged>("NaN"),
    ] {
        assert!(error.starts_with("invalid type: floating point `NaN`"), "{error}");
    }
    // Not even as a key, where Python writes it in quotes.
    assert!(refusal::<BTreeMap<u8, f64>>(r#"{"NaN": NaN}"#).starts_with("invalid type: string \"NaN\""));
}

#[test]
fn strings_and_raw_values_are_borrowed_beside_a_word() {
    #[derive(Deserialize)]
    struct Reply<'a> {
        result: f64,
        #[serde(borrow)]
        uid: &'a RawValue,
        #[serde(borrow)]
        text: Cow<'a, str>,
        owned: Box<RawValue>,
    }
    let text = r#"{"result": NaN, "uid" :  { "a" :[1.10, "\u00b5"] } , "text": "plain", "owned": 1E5}"#;
    let reply: Reply<'_> = read(text);
    assert!(reply.result.is_nan());
    assert_eq!(reply.uid.get(), r#"{ "a" :[1.10, "\u00b5"] }"#);
    assert!(text.as_bytes().as_ptr_range().contains(&reply.uid.get().as_ptr()));
    assert!(matches!(reply.text, Cow::Borrowed("plain")));
    assert_eq!(reply.owned.get(), "1E5");
    let (float, map): (f64, BTreeMap<&str, &RawValue>) = read(r#"[NaN, {"a": [ ]}]"#);
    assert!(float.is_nan());
    assert_eq!(map["a"].get(), "[ ]");
}

#[test]
fn a_raw_value_holds_no_word() {
    assert_eq!(refusal::<Box<RawValue>>("[1, NaN]"), "expected value at line 1 column 5");
}

#[test]
fn numbers_beside_a_word_keep_their_digits() {
    let max = u128::MAX;
    let text = format!("[NaN, {max}, {}, {}, 12345678901234567890123, 0.1, 5e-324]", i128::MIN, u64::MAX);
    let numbers: (f64, u128, i128, u64, f64, f32, f64) = read(&text);
    assert_eq!(numbers.1, max);
    assert_eq!((numbers.2, numbers.3), (i128::MIN, u64::MAX));
    assert_eq!((numbers.4, numbers.5, numbers.6), (12_345_678_901_234_567_890_123.0, 0.1, 5e-324));
    assert!(refusal::<(f64, u64)>("[NaN, 12345678901234567890123]").contains("expected u64"));
    assert_eq!(refusal::<Vec<f64>>("[NaN, 1e999]"), "number out of range at line 1 column 11");
}

#[test]
fn a_float_is_the_nearest_to_its_digits_with_a_word_or_without() {
    // `serde_json` without its feature `float_roundtrip` is off by one unit here.
    for digits in [
        "51.24817837550540",
        "0.00000000000000000000000000000000000000000000000000000000000000000000022250738585072014e-237",
        "31.245270191439438",
        "121.48791951161945",
        "9007199254740993.0",
    ] {
        let exact: f64 = digits.parse().unwrap();
        assert_eq!(read::<f64>(digits).to_bits(), exact.to_bits(), "{digits}");
        let text = format!("[NaN,{digits}]");
        assert_eq!(read::<[f64; 2]>(&text)[1].to_bits(), exact.to_bits(), "{digits}");
    }
}

#[test]
fn keys_beside_a_word_are_read_as_serde_json_reads_them() {
    fn same<K: DeserializeOwned + Ord + Debug>(keys: &str) {
        let text = format!("{{{keys}}}");
        let expected = serde_json::from_str::<BTreeMap<K, f64>>(&text);
        let ours = own::<BTreeMap<K, f64>>(&text);
        assert_eq!(ours.is_ok(), expected.is_ok(), "{text}: {ours:?}, {expected:?}");
        if let (Ok(ours), Ok(expected)) = (ours, expected) {
            assert_eq!(ours, expected, "{text}");
        }
    }
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    #[serde(transparent)]
    struct Channel(Option<u8>);
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    enum Axis {
        X,
        Y,
    }
    for key in [
        r#""1""#,
        r#""-1""#,
        r#"" 1""#,
        r#""1 ""#,
        r#""1\n""#,
        r#""1"2""#,
        r#""""#,
        r#"""#,
        r#""1"#,
        r#""300""#,
        r#""1.5""#,
        r#""\u0031""#,
        r#""1x""#,
        r#""true""#,
        r#""false""#,
        r#""truE""#,
        r#""a""#,
        r#""\ud800""#,
        r#""X""#,
        r#""NaN""#,
        "1",
        "true",
        "NaN",
        "[1]",
        "",
        "{}",
        r#""340282366920938463463374607431768211455""#,
        r#""[1]""#,
        r#""-""#,
    ] {
        for keys in
            [format!("{key}:1"), format!("{key} : 1.5 , {key}:2"), key.to_string(), format!("{key}:1,")]
        {
            same::<u8>(&keys);
            same::<i64>(&keys);
            same::<u128>(&keys);
            same::<i128>(&keys);
            same::<bool>(&keys);
            same::<char>(&keys);
            same::<String>(&keys);
            same::<Channel>(&keys);
            same::<Axis>(&keys);
            same::<()>(&keys);
        }
    }
    assert_eq!(read::<BTreeMap<i8, f64>>(r#"{"-1": Infinity}"#)[&-1], f64::INFINITY);
    assert_eq!(read::<BTreeMap<Axis, f64>>(r#"{"X": Infinity}"#)[&Axis::X], f64::INFINITY);
}

#[test]
fn an_error_says_where_and_what() {
    for (text, expected) in [
        ("[NaN", "expected `,` or `]` at line 1 column 5"),
        ("[NaN,", "EOF while parsing a value at line 1 column 6"),
        ("[NaN,]", "trailing comma at line 1 column 6"),
        ("[NaN 1]", "expected `,` or `]` at line 1 column 6"),
        ("[,NaN]", "expected value at line 1 column 2"),
        ("[NaN] ]", "trailing characters at line 1 column 7"),
        ("[NaN,\n \"a\\x\"]", "invalid escape at line 2 column 5"),
        ("[NaN, nul]", "expected value at line 1 column 7"),
        ("[nan, NaN]", "expected ident at line 1 column 3"),
        ("[+NaN]", "expected value at line 1 column 2"),
        ("[-NaN]", "invalid number at line 1 column 3"),
        ("[Infinity1]", "expected value at line 1 column 2"),
        ("[NaN, 01]", "invalid number at line 1 column 8"),
        ("[NaN, 1true]", "trailing characters at line 1 column 8"),
    ] {
        assert_eq!(refusal::<Value>(text), expected, "{text}");
    }
    assert_eq!(refusal::<[f64; 1]>("[NaN, 1]"), "more parts than expected at line 1 column 5");
    assert_eq!(refusal::<BTreeMap<String, f64>>("{\"a\" NaN}"), "expected `:` at line 1 column 6");
    assert_eq!(refusal::<BTreeMap<String, f64>>("{NaN: 1}"), "key must be a string at line 1 column 2");
    assert_eq!(
        refusal::<Enum>(r#"{"Newtype": NaN, "Unit": null}"#),
        "more parts than expected at line 1 column 16"
    );
    assert!(refusal::<Enum>(r#"{"Other": NaN}"#).starts_with("unknown variant `Other`"));
    assert_eq!(from_text::<Vec<f64>>(b"[NaN, \"\xff\"]").unwrap_err().line(), Some(1));
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
enum Deep {
    Leaf(f64),
    Node(Vec<Deep>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its shape matters")]
enum DeepUntagged {
    Leaf(f64),
    Node(Vec<DeepUntagged>),
    Named(BTreeMap<String, DeepUntagged>),
}

fn nested(levels: usize, inside: &str) -> String {
    format!("{}{inside}{}", "[".repeat(levels), "]".repeat(levels))
}

/// Runs with the stack that threads of Rust and of its runtimes have.
#[cfg(feature = "std")]
fn on_a_usual_stack(test: fn()) {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(test).unwrap();
    thread.join().unwrap();
}

#[cfg(feature = "std")]
#[test]
fn the_deepest_text_fits_on_a_usual_stack() {
    on_a_usual_stack(|| {
        for inside in ["NaN", "1"] {
            let text = nested(MAX_LEVELS, inside);
            read::<DeepUntagged>(&text);
            read::<IgnoredAny>(&text);
            read::<Value>(&text);
            let text = format!("{}{inside}{}", r#"{"a":"#.repeat(MAX_LEVELS), "}".repeat(MAX_LEVELS));
            read::<DeepUntagged>(&text);
            let nodes = MAX_LEVELS / 2 - 1;
            let text =
                format!(r#"{}{{"Leaf":{inside}}}{}"#, r#"{"Node":["#.repeat(nodes), "]}".repeat(nodes));
            read::<Deep>(&text);
        }
    });
}

#[cfg(feature = "std")]
#[test]
fn a_text_that_is_too_deep_is_an_error() {
    on_a_usual_stack(|| {
        let expected = format!("nested too deep at line 1 column {}", MAX_LEVELS + 1);
        for levels in [MAX_LEVELS + 1, 100_000] {
            for inside in ["NaN", "1", ""] {
                let text = nested(levels, inside);
                assert_eq!(refusal::<Value>(&text), expected);
                assert_eq!(refusal::<DeepUntagged>(&text), expected);
            }
            assert_eq!(refusal::<IgnoredAny>(&nested(levels, "NaN")), expected);
            // `serde_json` skips without recursion.
            read::<IgnoredAny>(&nested(levels, "1"));
            assert_eq!(read::<&RawValue>(&nested(levels, "1")).get().len(), 2 * levels + 1);
            assert!(from_text::<Value>("[".repeat(levels).as_bytes()).is_err());
            assert!(from_text::<DeepUntagged>(r#"{"a":"#.repeat(levels).as_bytes()).is_err());
        }
    });
}

#[test]
fn levels_are_counted_inside_each_other_not_beside() {
    let text = format!("[{}NaN]", "[[]],{},".repeat(2 * MAX_LEVELS));
    assert_eq!(read::<Vec<Value>>(&text).len(), 4 * MAX_LEVELS + 1);
}
