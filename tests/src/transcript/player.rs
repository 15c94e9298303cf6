//! Plays a transcript: sends what its devices sent, and checks what they receive.

use serde_json::Value;

use super::masks::Masks;
use super::{Line, Network, Step, Transcript};
use crate::random::Random;

/// How the bytes that devices send are cut into pieces.
#[derive(Debug, Clone)]
pub enum Cut {
    /// As the transcript sends them; what it sends in a row is one piece.
    Whole,
    /// Every byte by itself.
    Bytes,
    /// In places that the seed determines.
    Random(Random),
}

/// Which Manager it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// Ours: what departs must depart.
    Departing,
    /// The recorded one: where the transcript departs, any answer will do.
    Recorded,
}

/// Plays `transcript` against `network`; panics where anything differs.
pub fn play(transcript: &Transcript, network: &mut impl Network, mut cut: Cut, fidelity: Fidelity) {
    let mut masks = Masks::new(network.host(), network.port());
    let mut unconfirmed: Vec<&str> = Vec::new();
    let mut steps = transcript.steps.iter().enumerate().peekable();
    while let Some((number, step)) = steps.next() {
        // Shown with a failing test's output.
        println!("{}, step {number}: {step:?}", transcript.name);
        match step {
            Step::Open(connection) => masks.connected(connection, network.open(connection)),
            Step::Send(connection, text) => {
                let mut bytes = masks.fill(text).into_bytes();
                while let Some((_, Step::Send(_, more))) =
                    steps.next_if(|(_, next)| matches!(next, Step::Send(next, _) if next == connection))
                {
                    bytes.extend_from_slice(masks.fill(more).as_bytes());
                }
                if masks.network_name(connection).is_none()
                    && let Some(name) = identity_name(text)
                {
                    masks.identified(connection, name);
                    unconfirmed.push(connection);
                }
                for piece in cut.pieces(&bytes) {
                    network.send(connection, piece);
                }
            }
            Step::Receive(connection, expected, departs) => {
                let line = network.receive(connection);
                check(&masks, expected, *departs && fidelity == Fidelity::Recorded, &line);
            }
            Step::End(connection) => network.expect_end(connection),
            Step::Quiet(connection) => {
                // Silence after an identity means that it was accepted.
                if let Some(index) = unconfirmed.iter().position(|other| other == connection) {
                    unconfirmed.swap_remove(index);
                    network.settle(&masks.network_name(connection).expect("it is identified"), true);
                }
                network.expect_quiet(connection);
            }
            Step::Close(connection) => {
                network.close(connection);
                if let Some(name) = masks.network_name(connection) {
                    network.settle(&name, false);
                }
            }
        }
    }
}

fn check(masks: &Masks, expected: &Line, any_answer: bool, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    match expected {
        Line::Text(expected) => assert_eq!(text, masks.fill(expected)),
        Line::Json(expected) => {
            let actual: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            let difference = masks.difference(expected, &actual).filter(|_| !any_answer);
            assert_eq!(difference, None, "in the line: {text}");
        }
    }
}

/// The name in what a device sends if that is an identity, in JSON or as typed at a terminal.
fn identity_name(text: &str) -> Option<String> {
    if let Ok(reply) = serde_json::from_str::<Value>(text) {
        return reply["result"]["name"].as_str().map(str::to_owned);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["client"] => Some("Client".to_owned()),
        ["client", name @ ..] => Some(name.join(" ")),
        _ => None,
    }
}

impl Cut {
    fn pieces<'bytes>(&mut self, mut bytes: &'bytes [u8]) -> Vec<&'bytes [u8]> {
        match self {
            Self::Whole => vec![bytes],
            Self::Bytes => bytes.chunks(1).collect(),
            Self::Random(random) => {
                let mut pieces = Vec::new();
                while !bytes.is_empty() {
                    // Short pieces as often as long ones: most mistakes are at the edges of lines.
                    let longest = bytes.len().min([3, 20, 200][random.below(3)]);
                    let (piece, rest) = bytes.split_at(1 + random.below(longest));
                    pieces.push(piece);
                    bytes = rest;
                }
                pieces
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_loses_nothing() {
        let bytes: Vec<u8> = (0..=255).collect();
        for mut cut in [Cut::Whole, Cut::Bytes, Cut::Random(Random::new(1)), Cut::Random(Random::new(2))] {
            assert_eq!(cut.pieces(&bytes).concat(), bytes, "{cut:?}");
        }
    }

    #[test]
    fn identities_are_recognised() {
        for (text, name) in [
            (r#"{"result": {"type": "client", "name": "Ann"}}"#, Some("Ann")),
            ("client\r\n", Some("Client")),
            ("client My Name\r\n", Some("My Name")),
            (r#"{"result": "a password"}"#, None),
            ("a password\r\n", None),
        ] {
            assert_eq!(identity_name(text).as_deref(), name, "{text}");
        }
    }
}
