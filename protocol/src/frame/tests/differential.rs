//! What the scanner and `serde_json` make of the same text, and what must hold for any bytes in any cuts.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use serde::de::{self, IgnoredAny, MapAccess};
use serde_json::value::RawValue;

use super::{
    super::{Frame, FrameError, Items, Key, Kind, Limits, Line, MAX_DEPTH, SALVAGE_LIMIT, Salvage},
    WIDE,
    generate::{WORD, damaged, frame, pieces, stream},
    lines_of,
};

/// Is the line an object as far as `serde_json` can tell? It knows neither our words nor our depth.
fn is_object(line: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(line) else { return false };
    serde_json::from_str::<IgnoredAny>(text).is_ok()
        && text.trim_start_matches([' ', '\t', '\r']).starts_with('{')
}

/// Is the line JSON, whatever its members?
fn is_accepted(line: &[u8]) -> bool {
    match Frame::parse(line.to_vec()) {
        Ok(_) | Err(FrameError::Duplicate(_) | FrameError::WrongType { .. }) => true,
        Err(_) => false,
    }
}

/// The members in order; `None` if a name has half a surrogate pair, which `serde_json` does not decode.
fn members(text: &str) -> Option<Vec<(String, &RawValue)>> {
    struct Visitor;
    impl<'a> de::Visitor<'a> for Visitor {
        type Value = Vec<(String, &'a RawValue)>;
        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            core::iter::from_fn(|| map.next_entry().transpose()).collect()
        }
    }
    de::Deserializer::deserialize_map(&mut serde_json::Deserializer::from_str(text), Visitor).ok()
}

fn kind(raw: &str) -> Kind {
    match raw.as_bytes()[0] {
        b'n' => Kind::Null,
        b't' => Kind::Bool(true),
        b'f' => Kind::Bool(false),
        b'"' => Kind::String,
        b'[' => Kind::Array,
        b'{' => Kind::Object,
        _ => Kind::Number,
    }
}

fn items(raw: &str) -> Items {
    let values = serde_json::from_str::<Vec<&RawValue>>(raw).unwrap_or_default();
    let kinds: Vec<Kind> = values.iter().map(|value| kind(value.get())).collect();
    Items {
        count: u8::try_from(kinds.len()).unwrap_or(u8::MAX),
        first: kinds.first().copied(),
        second: kinds.get(1).copied(),
        all_strings: kinds.iter().all(|&kind| kind == Kind::String),
    }
}

fn fits(key: Key, raw: &str) -> bool {
    match key {
        Key::Service | Key::Attribute | Key::Message => kind(raw) == Kind::String,
        Key::Requester => matches!(kind(raw), Kind::String | Kind::Null),
        Key::Error => matches!(kind(raw), Kind::Bool(_)),
        Key::Args => kind(raw) == Kind::Array,
        Key::Kwargs => kind(raw) == Kind::Object,
        Key::Traceback => kind(raw) == Kind::Array && items(raw).all_strings,
        Key::Uid | Key::Result => true,
    }
}

/// What is to be said of these members: the first that is wrong, or the ones that count.
fn judge<'a>(members: &[(String, &'a RawValue)]) -> Result<BTreeMap<Key, &'a str>, Key> {
    let mut ours = BTreeMap::new();
    for (name, value) in members {
        let Some(key) = Key::ALL.into_iter().find(|key| key.name() == name) else { continue };
        let again = ours.insert(key, value.get()).is_some();
        if again && key.routes() || !fits(key, value.get()) {
            return Err(key);
        }
    }
    Ok(ours)
}

fn salvageable(frame: &Frame) -> Salvage {
    let small = |key| frame.raw(key).filter(|value| value.len() <= SALVAGE_LIMIT);
    Salvage {
        service: small(Key::Service),
        attribute: small(Key::Attribute),
        requester: small(Key::Requester),
        uid: small(Key::Uid),
    }
}

fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![
        Just(WIDE),
        (0..300usize, 0..100usize).prop_map(|(frame, skip)| Limits { frame, skip }),
        (0..300usize).prop_map(|frame| Limits { frame, skip: 1 << 20 }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 700, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_serde_json_accepts_is_accepted_and_nothing_else(line in damaged()) {
        prop_assert_eq!(is_accepted(&line), is_object(&line), "{}", line.escape_ascii());
    }

    #[test]
    fn the_head_is_what_serde_json_reads(text in frame()) {
        prop_assert!(is_accepted(text.as_bytes()));
        let Some(members) = members(&text) else { return Ok(()) };
        match (Frame::parse(text.clone()), judge(&members)) {
            (Ok(frame), Ok(ours)) => {
                prop_assert_eq!(frame.rope().to_bytes(), text.as_bytes());
                for key in Key::ALL {
                    prop_assert_eq!(frame.raw(key), ours.get(&key).map(|raw| Bytes::copy_from_slice(raw.as_bytes())));
                    if let Some(raw) = ours.get(&key) {
                        let member = frame.member(key).unwrap();
                        prop_assert_eq!((member.kind, member.items), (kind(raw), items(raw)));
                        prop_assert_eq!(&text[member.span()], *raw);
                    }
                }
            }
            (Err(FrameError::Duplicate(key) | FrameError::WrongType { key, .. }), Err(wrong)) => {
                prop_assert_eq!(key, wrong);
            }
            (frame, _) => prop_assert!(false, "{:?}", frame),
        }
    }

    #[test]
    fn the_words_for_numbers_that_are_none_count_as_numbers(line in damaged(), word in "(NaN|-?Infinity)") {
        let line = String::from_utf8_lossy(&line);
        let with_word = line.replace(WORD, &word);
        // Next to a number there may be more of it, next to a word not; `--1` is no number, `-Infinity` is one.
        let goes_on = |part: &str| part.starts_with(['.', 'e', 'E']) || part.starts_with(|c: char| c.is_ascii_digit());
        prop_assume!(line.split(WORD).all(|part| !part.ends_with(['e', 'E', '-']) && !goes_on(part)));
        prop_assert_eq!(is_accepted(with_word.as_bytes()), is_object(line.as_bytes()), "{}", with_word);
    }

    #[test]
    fn lines_do_not_depend_on_how_their_bytes_are_cut(stream in stream(), pieces in pieces(), limits in limits()) {
        let whole = lines_of(&stream, &[usize::MAX], limits);
        prop_assert_eq!(&whole, &lines_of(&stream, &pieces, limits));
        if !whole.contains(&Line::Endless) {
            prop_assert_eq!(whole.len(), memchr::memchr_iter(b'\n', &stream).count());
        }
    }

    #[test]
    fn a_line_is_read_as_if_there_had_been_none_before_it(stream in stream(), pieces in pieces(), limits in limits()) {
        let mut alone = Vec::new();
        for line in stream.split_inclusive(|&byte| byte == b'\n') {
            alone.extend(lines_of(line, &pieces, limits));
            if alone.last() == Some(&Line::Endless) {
                break;
            }
        }
        prop_assert_eq!(alone, lines_of(&stream, &pieces, limits));
    }

    #[test]
    fn of_a_valid_line_that_is_too_long_every_small_routing_member_is_salvaged(
        text in frame(), pieces in pieces(), at in any::<prop::sample::Index>()
    ) {
        let Ok(frame) = Frame::parse(text.clone()) else { return Ok(()) };
        let limits = Limits { frame: at.index(text.trim_end_matches('\r').len()), skip: 1 << 20 };
        let lines = lines_of(format!("{text}\n").as_bytes(), &pieces, limits);
        let [Line::Broken(broken)] = &lines[..] else { panic!("{lines:?}") };
        prop_assert_eq!(&broken.error, &FrameError::TooLong { limit: limits.frame });
        prop_assert_eq!(&broken.head, &salvageable(&frame));
    }

    #[test]
    fn what_is_salvaged_is_small_and_valid(stream in stream(), limits in limits()) {
        for line in lines_of(&stream, &[usize::MAX], limits) {
            let Line::Broken(broken) = line else { continue };
            let Salvage { service, attribute, requester, uid, .. } = broken.head;
            let keys = [Key::Service, Key::Attribute, Key::Requester, Key::Uid];
            for (key, raw) in keys.into_iter().zip([service, attribute, requester, uid]) {
                let Some(raw) = raw else { continue };
                prop_assert!(raw.len() <= SALVAGE_LIMIT);
                let text = str::from_utf8(&raw).unwrap();
                let value: &RawValue = serde_json::from_str(text).unwrap();
                prop_assert_eq!(value.get(), text);
                prop_assert!(fits(key, text));
            }
        }
    }

    #[test]
    fn splicing_leaves_all_other_members_as_they_are(text in frame(), pieces in pieces(), padding in 0..2usize) {
        // Padding makes some frames too large to be copied.
        let text = text + &" ".repeat(padding * 20_000);
        let lines = lines_of(format!("{text}\n").as_bytes(), &pieces, WIDE);
        let [Line::Frame(frame)] = &lines[..] else { return Ok(()) };
        let defaults = [(Key::Args, "[]"), (Key::Kwargs, "{}"), (Key::Uid, "\"\"")];
        let line = frame.splice(Some(b"\"Ann[h:1]\""), &defaults).to_bytes();
        let spliced = Frame::parse(line.clone()).unwrap();
        prop_assert_eq!(spliced.raw(Key::Requester).unwrap(), "\"Ann[h:1]\"");
        let after = members(str::from_utf8(&line).unwrap());
        let (Some(before), Some(after)) = (members(&text), after) else { return Ok(()) };
        let mut after = after.into_iter().map(|(name, value)| (name, value.get()));
        for (name, value) in before {
            let expected = if name == "requester" { "\"Ann[h:1]\"" } else { value.get() };
            prop_assert_eq!(after.next(), Some((name, expected)));
        }
        for (key, value) in [(Key::Requester, "\"Ann[h:1]\"")].into_iter().chain(defaults) {
            if frame.member(key).is_none() {
                prop_assert_eq!(after.next(), Some((key.name().to_owned(), value)));
            }
        }
        prop_assert_eq!(after.next(), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_are_accepted_up_to_a_depth(
        levels in prop::collection::vec(any::<bool>(), MAX_DEPTH - 4..MAX_DEPTH + 4), pieces in pieces()
    ) {
        let open: String = levels.iter().map(|&object| if object { "{\"a\":" } else { "[" }).collect();
        let close: String = levels.iter().rev().map(|&object| if object { '}' } else { ']' }).collect();
        let lines = lines_of(format!("{{\"a\":{open}0{close}}}\n").as_bytes(), &pieces, WIDE);
        let deep = matches!(&lines[..], [Line::Broken(broken)] if matches!(broken.error, FrameError::TooDeep { .. }));
        prop_assert_eq!(deep, levels.len() + 1 > MAX_DEPTH);
        prop_assert!(deep || matches!(lines[..], [Line::Frame(_)]));
    }
}
