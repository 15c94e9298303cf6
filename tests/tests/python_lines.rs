//! The lines that real Python devices exchanged with their Manager, as input for the decoder: each is valid however it is
//! cut, and is told to be the kind of message that it was.

use bytes::Bytes;
use msl_network_protocol::frame::{Decoder, Frame, Limits, Line};
use msl_network_protocol::message::Message;
use msl_network_tests::transcript;
use serde_json::Value;

const LIMITS: Limits = Limits { frame: 4096, skip: 0 };

/// What a recording's lines are, in order, whoever sent them. `?` asks who a device is, as only a Manager does:
/// such a line names no service.
const RECORDINGS: [(&str, &str); 4] = [
    (
        "ann-client",
        "? reply manager reply manager reply request reply request reply request reply request reply request reply \
         request notification notification notification reply request error request error request error manager \
         error request request request reply request request reply reply reply reply manager reply manager reply \
         manager reply manager reply request reply disconnect",
    ),
    ("bob-client", "? reply manager reply disconnect"),
    ("echo-service", "? reply request reply"),
    (
        "tester-service",
        "? reply request reply request reply request reply request reply request notification notification \
         notification reply request error request error request error request request reply request reply reply \
         request request reply reply request reply disconnect",
    ),
];

/// The lines of a recording, with their endings.
fn lines(recording: &str) -> Vec<Bytes> {
    let path = transcript::folder().join("python-devices").join(recording).with_extension("jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let line = |step: &str| {
        let step: Value = serde_json::from_str(step).expect("each line of a recording is JSON");
        Bytes::from(step["line"].as_str().expect("a line").to_owned())
    };
    text.lines().map(line).collect()
}

fn kind(frame: &Frame) -> &'static str {
    match Message::of(frame) {
        Ok(Message::Request) => "request",
        Ok(Message::ManagerRequest) => "manager",
        Ok(Message::Disconnect) => "disconnect",
        Ok(Message::Reply { error: false }) => "reply",
        Ok(Message::Reply { error: true }) => "error",
        Ok(Message::Notification) => "notification",
        Err(_) => "?",
    }
}

/// The only line in these pieces.
fn decode(pieces: impl IntoIterator<Item = Bytes>) -> Frame {
    let mut decoder = Decoder::new(LIMITS);
    let mut lines = Vec::new();
    for piece in pieces {
        decoder.receive(piece);
        lines.extend(std::iter::from_fn(|| decoder.next_line()));
    }
    match lines.as_slice() {
        [Line::Frame(frame)] => frame.clone(),
        other => panic!("one frame, not {other:?}"),
    }
}

#[test]
fn every_line_is_the_kind_of_message_that_it_was() {
    for (recording, kinds) in RECORDINGS {
        let told: Vec<&str> = lines(recording)
            .into_iter()
            .map(|line| kind(&Frame::parse(line).expect("a Python device sends valid lines")))
            .collect();
        assert_eq!(told.join(" "), kinds, "{recording}");
    }
}

#[test]
fn every_line_is_the_same_frame_in_every_cut() {
    for (recording, _) in RECORDINGS {
        for line in lines(recording) {
            let whole = decode([line.clone()]);
            assert_eq!(whole.rope().to_bytes(), line.trim_ascii_end());
            for at in 1..line.len() {
                let cut = decode([line.slice(..at), line.slice(at..)]);
                assert_eq!(
                    (cut.rope().to_bytes(), kind(&cut)),
                    (whole.rope().to_bytes(), kind(&whole)),
                    "{at}"
                );
            }
            let bytes = decode((0..line.len()).map(|at| line.slice(at..=at)));
            assert_eq!(bytes.rope().to_bytes(), whole.rope().to_bytes());
        }
    }
}

/// All lines of a connection in one piece, and in pieces that end anywhere.
#[test]
fn lines_that_arrive_together_come_one_by_one() {
    for (recording, kinds) in RECORDINGS {
        let together = Bytes::from(lines(recording).concat());
        for size in [1, 7, 64, 1000, together.len()] {
            let mut decoder = Decoder::new(LIMITS);
            let mut told = Vec::new();
            for start in (0..together.len()).step_by(size) {
                decoder.receive(together.slice(start..together.len().min(start + size)));
                while let Some(line) = decoder.next_line() {
                    let Line::Frame(frame) = line else { panic!("a frame, not {line:?}") };
                    told.push(kind(&frame));
                }
            }
            assert_eq!(told.join(" "), kinds, "{recording} in pieces of {size}");
        }
    }
}

#[test]
fn the_recorded_lines_are_the_seeds_of_the_fuzzer() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/decoder");
    for (recording, _) in RECORDINGS {
        let seed = std::fs::read(corpus.join(recording)).expect("there is a seed for each recording");
        assert_eq!(seed, lines(recording).concat(), "{recording}");
    }
}
