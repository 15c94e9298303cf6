//! Any bytes, in any cuts, through the frame decoder.
//!
//! Two rules: the same bytes give the same lines however they are cut; and what is accepted is what `serde_json` accepts, with
//! the same members, but for `NaN` and the infinities, the depth, and the rules of docs/wire.md section 1 that are not JSON's.
//!
//! The input is the bytes themselves, so that a recorded conversation can be put into the corpus as it is; the cuts are made
//! from the bytes.

#![no_main]

use std::collections::BTreeMap;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use msl_network_protocol::frame::{Decoder, Frame, FrameError, Key, Limits, Line};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// Small, so that lines over the limit, and such without end, are found soon.
const LIMITS: Limits = Limits { frame: 512, skip: 1024 };

const KEYS: [Key; 10] = [
    Key::Service,
    Key::Attribute,
    Key::Args,
    Key::Kwargs,
    Key::Uid,
    Key::Requester,
    Key::Error,
    Key::Result,
    Key::Message,
    Key::Traceback,
];

fuzz_target!(|data: &[u8]| {
    let whole = lines([data]);
    assert_eq!(lines(data.chunks(1)), whole, "byte by byte");
    assert_eq!(lines(pieces(data)), whole, "in pieces");
    for line in data.split(|&byte| byte == b'\n') {
        compare(line);
    }
});

fn lines<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Line> {
    let mut decoder = Decoder::new(LIMITS);
    let mut lines = Vec::new();
    for piece in pieces {
        decoder.receive(Bytes::copy_from_slice(piece));
        while let Some(line) = decoder.next_line() {
            lines.push(line);
        }
    }
    lines
}

/// Pieces of 1 to 64 bytes, whose lengths follow from the bytes.
fn pieces(mut data: &[u8]) -> Vec<&[u8]> {
    let mut state = data.iter().fold(1_u32, |state, &byte| state.wrapping_mul(31).wrapping_add(byte.into()));
    let mut pieces = Vec::new();
    while !data.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (piece, rest) = data.split_at(data.len().min((state >> 26) as usize + 1));
        pieces.push(piece);
        data = rest;
    }
    pieces
}

/// One line, read by us and by `serde_json`.
fn compare(line: &[u8]) {
    let ours = Frame::parse(Bytes::copy_from_slice(line));
    let is_object = line.trim_ascii_start().first() == Some(&b'{');
    // Reading without building values, serde_json has no limits on depth and numbers, and does not look at UTF-8.
    let accepted = is_object
        && std::str::from_utf8(line).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    match ours {
        Ok(frame) if accepted => same_members(&frame, line),
        Ok(_) => assert!(has_python_word(line), "only we accept {:?}", line.escape_ascii().to_string()),
        Err(
            FrameError::TooDeep { .. }
            | FrameError::TooLong { .. }
            | FrameError::Memory
            | FrameError::Duplicate(_)
            | FrameError::WrongType { .. },
        ) => {}
        Err(error) => assert!(!accepted, "only we refuse {:?}: {error}", line.escape_ascii().to_string()),
    }
}

fn same_members(frame: &Frame, line: &[u8]) {
    // A member's name with half of a surrogate pair is no Rust string: then there is nothing to compare with.
    let Ok(members) = serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(line) else { return };
    for key in KEYS {
        let theirs = members.get(key.name()).map(|value| value.get().as_bytes());
        assert_eq!(frame.raw(key).as_deref(), theirs, "{key:?}");
    }
}

fn has_python_word(line: &[u8]) -> bool {
    [&b"NaN"[..], b"Infinity"].iter().any(|word| line.windows(word.len()).any(|window| window == *word))
}
