//! Members whose value is a string, a number, a word, or a few of them: nearly all that a small line has.
//!
//! The scanner goes from state to state, so that it can stop anywhere. Where the bytes at hand are `"name": value`, as programs
//! write it, this reads the two at once. It is only ever ahead of the scanner, never of another opinion: what it does not
//! recognise it leaves to the scanner.

use core::ops::Range;

use super::{
    bulk,
    head::{Items, Key, Kind},
    numbers::number,
};

/// A longer array is the payload of a large line, which may be cut: the scanner would have to begin again.
const FEW: u8 = 8;

/// The same for a string, in bytes.
const SHORT: usize = 256;

/// A member of an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Simple {
    /// `None` for a name that means nothing to us.
    pub(super) key: Option<Key>,
    pub(super) kind: Kind,
    pub(super) items: Items,
    /// Where the value is. What comes behind it has not been looked at.
    pub(super) value: Range<usize>,
}

/// The member that the bytes begin with, if they do.
pub(super) fn simple(bytes: &[u8]) -> Option<Simple> {
    let name = string(bytes)?;
    let start = match &bytes[name..] {
        [b':', b' ', ..] => name + 2,
        [b':', ..] => name + 1,
        _ => return None,
    };
    let value = &bytes[start..];
    let (kind, items, length) = if let [b'[', ..] = value {
        let (items, length) = array(value)?;
        (Kind::Array, items, length)
    } else {
        let (kind, length) = scalar(value)?;
        (kind, Items::NONE, length)
    };
    Some(Simple { key: Key::from_name(&bytes[1..name - 1]), kind, items, value: start..start + length })
}

/// What the elements of the array are that the bytes begin with, and its length.
fn array(bytes: &[u8]) -> Option<(Items, usize)> {
    let (mut items, mut at) = (Items::NONE, 1);
    if bytes.get(at) == Some(&b']') {
        return Some((items, 2));
    }
    while items.count < FEW {
        let (kind, length) = scalar(&bytes[at..])?;
        items.note(kind);
        at += length;
        at += match bytes[at..] {
            [b']', ..] => return Some((items, at + 1)),
            [b',', b' ', ..] => 2,
            [b',', ..] => 1,
            _ => return None,
        };
    }
    None
}

/// What the value is that the bytes begin with, and its length.
fn scalar(bytes: &[u8]) -> Option<(Kind, usize)> {
    Some(match bytes {
        [b'"', ..] => (Kind::String, string(bytes)?),
        [b'f', b'a', b'l', b's', b'e', ..] => (Kind::Bool(false), 5),
        [b't', b'r', b'u', b'e', ..] => (Kind::Bool(true), 4),
        [b'n', b'u', b'l', b'l', ..] => (Kind::Null, 4),
        [b'{', b'}', ..] => (Kind::Object, 2),
        _ => match number(bytes)? {
            // It may go on where it is cut, and in other ways that the scanner knows.
            rest @ [b',' | b']' | b'}', ..] => (Kind::Number, bytes.len() - rest.len()),
            _ => return None,
        },
    })
}

/// The length, with both quotes, of the short string that the bytes begin with. It has no escapes and nothing beyond ASCII.
fn string(bytes: &[u8]) -> Option<usize> {
    let inside = bytes.strip_prefix(b"\"")?;
    let end = bulk::plain(&inside[..inside.len().min(SHORT)]);
    (inside.get(end) == Some(&b'"')).then_some(end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_read_when_it_is_whole_and_simple() {
        for (text, key, kind, value) in [
            (r#""uid": "7", "#, Some(Key::Uid), Kind::String, "\"7\""),
            (r#""uid": 7, "#, Some(Key::Uid), Kind::Number, "7"),
            (r#""result": -1.5e3}"#, Some(Key::Result), Kind::Number, "-1.5e3"),
            (r#""args": ["a", 1,{}], "#, Some(Key::Args), Kind::Array, r#"["a", 1,{}]"#),
            (r#""uid":"7""#, Some(Key::Uid), Kind::String, "\"7\""),
            (r#""error": false"#, Some(Key::Error), Kind::Bool(false), "false"),
            (r#""error": true}"#, Some(Key::Error), Kind::Bool(true), "true"),
            (r#""requester": null"#, Some(Key::Requester), Kind::Null, "null"),
            (r#""kwargs": {}, "#, Some(Key::Kwargs), Kind::Object, "{}"),
            (r#""args": []}"#, Some(Key::Args), Kind::Array, "[]"),
            (r#""": "", "#, None, Kind::String, "\"\""),
        ] {
            let read = simple(text.as_bytes()).unwrap();
            assert_eq!((read.key, read.kind, &text[read.value]), (key, kind, value), "{text}");
        }
    }

    #[test]
    fn the_elements_of_an_array_are_noted() {
        let items = |text: &str| simple(text.as_bytes()).unwrap().items;
        assert_eq!(
            items(r#""result": [1, "a"]"#),
            Items { count: 2, first: Some(Kind::Number), second: Some(Kind::String), all_strings: false }
        );
        assert_eq!(items(r#""result": []"#), Items::NONE);
        assert_eq!(items(r#""result": "a""#), Items::NONE);
    }

    #[test]
    fn a_string_and_an_array_are_simple_up_to_a_length() {
        let is_simple = |value: String| simple(format!("\"uid\": {value}").as_bytes()).is_some();
        for (length, expected) in [(SHORT, true), (SHORT + 1, false)] {
            assert_eq!(is_simple(format!("\"{}\"", "x".repeat(length))), expected, "{length}");
        }
        for (elements, expected) in [(FEW, true), (FEW + 1, false)] {
            assert_eq!(
                is_simple(format!("[{}]", vec!["1"; elements.into()].join(", "))),
                expected,
                "{elements}"
            );
        }
    }

    #[test]
    fn what_is_cut_or_not_simple_is_left_to_the_scanner() {
        for text in [
            "",
            "\"",
            r#""uid"#,
            r#""uid""#,
            r#""uid": "#,
            r#""uid" : 7"#,
            r#""uid":  "7""#,
            r#""uid": "7"#,
            r#""uid": "\u0037""#,
            r#""u\u0069d": "7""#,
            r#""uid": "µ""#,
            r#""uid": 7"#,
            r#""uid": 7 "#,
            r#""uid": 07,"#,
            r#""uid": 1.e5,"#,
            r#""args": [1"#,
            r#""args": [1,]"#,
            r#""args": [1 ,2]"#,
            r#""args": [[]]"#,
            r#""uid": tru"#,
            r#""args": [ ]"#,
            "uid: 7",
        ] {
            assert_eq!(simple(text.as_bytes()), None, "{text}");
        }
    }
}
