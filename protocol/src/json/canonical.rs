//! One spelling for each JSON value, so that two texts can be compared as values by comparing bytes.
//!
//! A Python service reads a request's `uid` and writes it again in its reply: `"\u00b5"` comes back as `"µ"`
//! or the reverse, `1E5` as `100000.0`. The reply must still find its request. Nothing is ever sent in this
//! spelling.
//!
//! Easy to get wrong: `1` and `1.0` are different (Python keeps them apart), `-0` and `0` are not, and
//! numbers beyond the range of a float become `Infinity`.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::pieces::{Piece, Pieces, is_plain};
use super::quote_inside;

/// The longest text that [`canonical`] looks at, in bytes: far beyond any `uid` seen in practice.
pub const MAX_CANONICAL_BYTES: usize = 1024;

/// The number of arrays and objects inside each other that [`canonical`] follows.
pub const MAX_CANONICAL_DEPTH: usize = 64;

/// The canonical bytes of a JSON value: equal for two texts that Python's `json` reads as equal values of the
/// same type, or writes one as the other after having read it.
///
/// Members of objects keep their order, as they do in Python: the place of a repeated one is that of its
/// first occurrence, its value that of its last.
///
/// `None` for a text that is longer than [`MAX_CANONICAL_BYTES`], deeper than [`MAX_CANONICAL_DEPTH`], or not
/// JSON (with Python's `NaN`, `Infinity` and `-Infinity`). A string without escapes and a whole number
/// without a sign are borrowed; in such a string, UTF-8 is not checked.
///
/// ```
/// use msl_network_protocol::json::canonical;
///
/// assert_eq!(canonical(b"1.10"), canonical(b"11e-1"));
/// assert_ne!(canonical(b"1"), canonical(b"1.0"));
/// ```
pub fn canonical(raw: &[u8]) -> Option<Cow<'_, [u8]>> {
    if raw.len() > MAX_CANONICAL_BYTES {
        return None;
    }
    let spelled_so_already = match raw {
        [b'"', inside @ .., b'"'] => is_plain(inside),
        [b'0'] => true,
        [b'1'..=b'9', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if spelled_so_already {
        return Some(Cow::Borrowed(raw));
    }
    let text = core::str::from_utf8(raw).ok()?;
    let mut out = String::with_capacity(text.len());
    let rest = value(skip_space(text), MAX_CANONICAL_DEPTH, &mut out)?;
    skip_space(rest).is_empty().then(|| Cow::Owned(out.into_bytes()))
}

/// Appends the value at the beginning of `text` to `out`, and gives what follows it. So do the functions
/// below.
fn value<'a>(text: &'a str, depth: usize, out: &mut String) -> Option<&'a str> {
    match text.bytes().next()? {
        b'"' => string(text, out),
        b'[' => array(text, depth.checked_sub(1)?, out),
        b'{' => object(text, depth.checked_sub(1)?, out),
        _ => word(text, out),
    }
}

fn array<'a>(text: &'a str, depth: usize, out: &mut String) -> Option<&'a str> {
    let mut rest = skip_space(text.strip_prefix('[')?);
    out.push('[');
    if let Some(rest) = rest.strip_prefix(']') {
        out.push(']');
        return Some(rest);
    }
    loop {
        rest = skip_space(value(rest, depth, out)?);
        if let Some(after) = rest.strip_prefix(']') {
            out.push(']');
            return Some(after);
        }
        rest = skip_space(rest.strip_prefix(',')?);
        out.push(',');
    }
}

fn object<'a>(text: &'a str, depth: usize, out: &mut String) -> Option<&'a str> {
    let mut rest = skip_space(text.strip_prefix('{')?);
    // Looked through for each new member: with the limit on the length, there are at most some 200.
    let mut members: Vec<(String, String)> = Vec::new();
    if let Some(rest) = rest.strip_prefix('}') {
        out.push_str("{}");
        return Some(rest);
    }
    loop {
        let (mut key, mut member) = (String::new(), String::new());
        rest = skip_space(string(rest, &mut key)?).strip_prefix(':')?;
        rest = skip_space(value(skip_space(rest), depth, &mut member)?);
        match members.iter_mut().find(|(known, _)| *known == key) {
            Some((_, earlier)) => *earlier = member,
            None => members.push((key, member)),
        }
        if let Some(after) = rest.strip_prefix('}') {
            rest = after;
            break;
        }
        rest = skip_space(rest.strip_prefix(',')?);
    }
    for (index, (key, member)) in members.iter().enumerate() {
        out.push(if index == 0 { '{' } else { ',' });
        out.push_str(key);
        out.push(':');
        out.push_str(member);
    }
    out.push('}');
    Some(rest)
}

fn string<'a>(text: &'a str, out: &mut String) -> Option<&'a str> {
    let text = text.strip_prefix('"')?;
    let mut end = 0;
    loop {
        match text.as_bytes().get(end)? {
            b'"' => break,
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    out.push('"');
    for piece in Pieces::new(&text[..end]) {
        match piece? {
            Piece::Text(plain) => out.push_str(plain),
            Piece::Character(character) => quote_inside(out, character.encode_utf8(&mut [0; 4])),
            // Only these are written so: no other character is escaped with a `d`. Writing to a String never
            // fails.
            Piece::LoneSurrogate(unit) => {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out.push('"');
    Some(&text[end + 1..])
}

/// A number, or one of the words.
fn word<'a>(text: &'a str, out: &mut String) -> Option<&'a str> {
    let end = text
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    match word {
        "true" | "false" | "null" | "NaN" | "Infinity" | "-Infinity" => out.push_str(word),
        "-0" => out.push('0'),
        _ if is_float(word)? => float(word.parse().ok()?, out),
        _ => out.push_str(word),
    }
    Some(rest)
}

/// Whether a JSON number is a float to Python: with a fraction or an exponent. `None` if it is no JSON
/// number.
fn is_float(number: &str) -> Option<bool> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();

    let rest = number.strip_prefix('-').unwrap_or(number);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return None;
    }
    let mut rest = &rest[whole..];
    let without_fraction_and_exponent = rest.is_empty();
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        rest = &fraction[length..];
        if length == 0 {
            return None;
        }
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let length = digits(exponent);
        rest = &exponent[length..];
        if length == 0 {
            return None;
        }
    }
    rest.is_empty().then_some(!without_fraction_and_exponent)
}

fn float(value: f64, out: &mut String) {
    if value.is_infinite() {
        out.push_str(if value < 0.0 { "-Infinity" } else { "Infinity" });
    } else {
        // Adding zero turns -0.0, which equals 0.0, into it. The debug form has a point or an exponent
        // always, and is never that of an integer. Writing to a String never fails.
        let _ = write!(out, "{:?}", value + 0.0);
    }
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    fn of(raw: &str) -> Option<String> {
        canonical(raw.as_bytes()).map(|bytes| String::from_utf8(bytes.into_owned()).unwrap())
    }

    #[test]
    fn the_common_uids_are_borrowed() {
        for raw in ["\"\"", "\"5e7f9a0b-4a4e\"", "\"µ\"", "0", "17", "12345678901234567890123"] {
            assert!(matches!(canonical(raw.as_bytes()), Some(Cow::Borrowed(same)) if same == raw.as_bytes()));
        }
    }

    #[test]
    fn each_value_has_one_spelling() {
        for (spellings, expected) in [
            (&[r#""\u00b5\/x""#, r#" "µ/x" "#, r#""\u00B5/\u0078""#][..], "\"µ/x\""),
            (&[r#""\ud83d\ude00""#, "\"😀\""], "\"😀\""),
            (&[r#""\u000a\u0022""#, r#""\n\"""#], r#""\n\"""#),
            (&[r#""\uD800""#, r#""\ud800""#], r#""\ud800""#),
            (&["-0", "0", " 0 "], "0"),
            (&["-17", " -17"], "-17"),
            (&["1.10", "1.1", "11e-1", "0.11E+1"], "1.1"),
            (&["1E5", "100000.0", "1e+05"], "100000.0"),
            (&["-0.0", "0.0", "0e9", "-1e-999"], "0.0"),
            (&["1e400", "Infinity"], "Infinity"),
            (&["-1e400", "-Infinity"], "-Infinity"),
            (&["NaN", "\tNaN\r\n"], "NaN"),
            (&["[ ]", "[]"], "[]"),
            (&["{ }", "{}"], "{}"),
            (&["[1, [2.0,null] ,true,false]", "[1,[20e-1,null],true,false]"], "[1,[2.0,null],true,false]"),
            (&[r#"{"a": 1, "b": 2, "\u0061": 3}"#, r#"{"a":3,"b":2}"#], r#"{"a":3,"b":2}"#),
        ] {
            for raw in spellings {
                assert_eq!(of(raw).as_deref(), Some(expected), "{raw}");
            }
        }
    }

    #[test]
    fn different_values_have_different_spellings() {
        let values = [
            "1",
            "1.0",
            "\"1\"",
            "-1",
            "0",
            "0.0",
            "null",
            "\"null\"",
            "true",
            "NaN",
            "\"NaN\"",
            "[]",
            "{}",
            "[1]",
            "[[1]]",
            "[1,2]",
            r#""\ud800""#,
            r#""\\ud800""#,
            r#""\udc00""#,
            "\"\"",
            r#"{"a":1}"#,
            r#"{"a":1.0}"#,
            r#"{"a":1,"b":2}"#,
            r#"{"b":2,"a":1}"#,
            "123456789012345678901",
            "123456789012345678902",
        ];
        for (index, one) in values.iter().enumerate() {
            assert!(of(one).is_some(), "{one}");
            for other in &values[index + 1..] {
                assert_ne!(of(one), of(other), "{one} and {other}");
            }
        }
    }

    #[test]
    fn a_text_that_is_not_json_has_no_canonical_bytes() {
        for raw in [
            "",
            " ",
            "01",
            "+1",
            "1.",
            ".5",
            "1e",
            "1e+",
            "--1",
            "-",
            "0x10",
            "nan",
            "infinity",
            "True",
            "tru",
            "1 2",
            "[1,]",
            "[,]",
            "[1",
            "[1}",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{1:2}",
            "{\"a\":1,}",
            "\"a",
            "\"\\",
            "\"\\\"",
            "\"a\"b\"",
            "\"\\x\"",
            "\"\n\"",
            "'a'",
            "1µ",
            "-\u{663}",
        ] {
            assert_eq!(of(raw), None, "{raw:?}");
        }
        assert_eq!(canonical(b"[\"\xff\"]"), None);
    }

    #[test]
    fn length_and_depth_are_limited() {
        let longest = format!("\"{}\"", "x".repeat(MAX_CANONICAL_BYTES - 2));
        assert!(of(&longest).is_some());
        assert_eq!(of(&format!("{longest} ")), None);

        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(of(&nested(MAX_CANONICAL_DEPTH)).is_some());
        assert_eq!(of(&nested(MAX_CANONICAL_DEPTH + 1)), None);
        assert_eq!(of(&"[".repeat(MAX_CANONICAL_BYTES)), None);
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            // Few digits: serde_json reads long ones only nearly right without a feature of its own.
            any::<i32>().prop_map(|eighths| (f64::from(eighths) / 8.0).into()),
            ".{0,8}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                proptest::collection::btree_map(".{0,4}", inner, 0..4)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn white_space_makes_no_difference_and_the_value_stays(value in json()) {
            let (compact, pretty) = (value.to_string(), format!("{value:#}"));
            prop_assume!(pretty.len() <= MAX_CANONICAL_BYTES);
            let spelled = of(&compact).unwrap();
            prop_assert_eq!(of(&pretty).unwrap(), spelled.clone());
            prop_assert_eq!(of(&spelled).unwrap(), spelled.clone());
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&spelled).unwrap(), value);
        }

        #[test]
        fn each_float_has_one_spelling_that_reads_as_the_same_float(value in proptest::num::f64::NORMAL) {
            let spelled = of(&format!("{value:?}")).unwrap();
            prop_assert_eq!(of(&format!("{value:E}")).unwrap(), spelled.clone());
            prop_assert_eq!(of(&format!("{value:.17e}")).unwrap(), spelled.clone());
            prop_assert_eq!(spelled.parse(), Ok(value));
        }

        #[test]
        fn any_bytes_are_taken_without_a_panic(raw in any::<Vec<u8>>(), text in "[\\[\\]{}:,\"\\\\ud80-9.eE+NaN ]{0,40}") {
            let _ = canonical(&raw);
            let _ = canonical(text.as_bytes());
        }
    }
}
