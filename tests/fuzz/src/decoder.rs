//! Any bytes, in any cuts, through the frame decoder.
//!
//! Two rules: the same bytes give the same lines however they are cut; and what is accepted is what `serde_json` accepts, with
//! the same members, but for `NaN` and the infinities, the depth, and the rules of docs/wire.md section 1 that are not JSON's.

use std::collections::BTreeMap;

use bytes::Bytes;
use msl_network_protocol::frame::{Decoder, Frame, FrameError, Key, Limits, Line};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::cuts::same_in_every_cut;

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

/// Any bytes, in any cuts, through the frame decoder.
pub fn decoder(data: &[u8]) {
    same_in_every_cut(data, lines);
    for line in data.split(|&byte| byte == b'\n') {
        compare(line);
    }
}

fn lines(pieces: &[&[u8]]) -> Vec<Line> {
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
