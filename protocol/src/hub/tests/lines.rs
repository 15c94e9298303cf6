//! Lines that are too long, broken, or no JSON at all: they cost one error, not the stream (docs/wire.md, section 2).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::iter;

use serde_json::Value;

use crate::connection::{Ending, Note};
use crate::hub::Input;
use crate::limits::{LINES_PER_TURN, Limits};
use crate::testing::{World, error, left, reply, request};

const MAX_FRAME: usize = 1000;

fn short_frames() -> World {
    World::with(Limits { max_frame: MAX_FRAME, ..Limits::default() })
}

/// A request whose line has this many bytes, without its end.
fn long_request(uid: &str, bytes: usize) -> String {
    let padding = bytes - request("Echo", "", uid).len();
    request("Echo", &"x".repeat(padding), uid)
}

#[test]
fn a_request_that_is_too_long_is_refused_under_its_uid_wherever_that_stands() {
    let padding = "x".repeat(MAX_FRAME);
    for line in [
        format!(r#"{{"uid": 7, "service": "Echo", "attribute": "echo", "args": ["{padding}"]}}"#),
        format!(r#"{{"service": "Echo", "attribute": "echo", "args": ["{padding}"], "uid": 7}}"#),
    ] {
        let mut world = short_frames();
        let echo = world.service("Echo");
        let ann = world.client("Ann");
        world.say(ann, &line);
        let errors = world.hear_errors(ann);
        assert!(errors[0].0.starts_with("ValueError: "), "{errors:?}");
        assert_eq!((errors.len(), &errors[0].1), (1, &7.into()));
        // Then the next line is as good as any.
        world.say(ann, &request("Echo", "echo", "8"));
        assert_eq!(world.hear_uids(echo), [8]);
    }
}

#[test]
fn a_frame_may_be_as_long_as_the_limit() {
    let mut world = short_frames();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    // 256 characters are the most for an attribute; the rest is white space.
    let line = long_request("7", 300);
    let line = format!("{line}{}", " ".repeat(MAX_FRAME - line.len()));
    world.say(ann, &line);
    assert_eq!(world.hear_uids(echo), [7]);
    world.say(ann, &format!("{line} "));
    assert_eq!(world.hear_errors(ann)[0].1, 7);
}

#[test]
fn a_services_answer_that_is_too_long_is_an_error_for_its_caller() {
    let result = format!("\"{}\"", "x".repeat(MAX_FRAME));
    for answer in [
        reply("Ann[lab:2]", "7", &result),
        format!(r#"{{"requester": "Ann[lab:2]", "uid": 7, "error": false, "result": {result}}}"#),
    ] {
        let mut world = short_frames();
        let echo = world.service("Echo");
        let (ann, bob) = (world.client("Ann"), world.client("Bob"));
        for (client, uid) in [(ann, "7"), (ann, "8"), (bob, "7")] {
            world.say(client, &request("Echo", "echo", uid));
        }
        world.hear(echo);
        world.say(echo, &answer);
        let errors = world.hear_errors(ann);
        assert!(
            errors[0].0.starts_with("ValueError: the answer of the 'Echo' service was refused: "),
            "{errors:?}"
        );
        assert_eq!((errors.len(), &errors[0].1), (1, &7.into()));
        assert_eq!(world.hear(bob).len(), 0);
        // The service is told, and goes on.
        assert_eq!(world.hear_errors(echo)[0].1, 7);
        world.say(echo, &reply("Ann[lab:2]", "8", "null"));
        assert_eq!(world.hear_uids(ann), [8]);
    }
}

#[test]
fn a_services_answer_that_is_broken_is_an_error_for_its_caller() {
    for (answer, exception) in [
        (&br#"{"requester": "Ann[lab:2]", "uid": 7, "result": [1, 2,]}"#[..], "JSONDecodeError"),
        (br#"{"requester": "Ann[lab:2]", "uid": 7, "result": 1"#, "JSONDecodeError"),
        (br#"{"requester": "Ann[lab:2]", "uid": 7, "resu"#, "JSONDecodeError"),
        (b"{\"requester\": \"Ann[lab:2]\", \"uid\": 7, \"result\": \"\xff\"}", "UnicodeDecodeError"),
        (br#"{"requester": "Ann[lab:2]", "uid": 7, "result": 1, "result": 2}"#, "ValueError"),
        (br#"{"requester": "Ann[lab:2]", "uid": 7, "result": 1, "error": "no"}"#, "TypeError"),
    ] {
        let mut world = World::new();
        let echo = world.service("Echo");
        let ann = world.client("Ann");
        world.say(ann, &request("Echo", "echo", "7"));
        world.send(echo, [answer, b"\r\n"].concat());
        let errors = world.hear_errors(ann);
        let shown = String::from_utf8_lossy(answer);
        assert_eq!(errors.len(), 1, "{shown}");
        assert!(errors[0].0.starts_with(exception), "{shown}: {errors:?}");
        assert_eq!(errors[0].1, 7, "{shown}");
    }
}

#[test]
fn a_line_that_never_ends_ends_its_connection_only_and_open_requests_get_answers() {
    // Given a line that is skipped for twice the limit, a client's connection ends, with an answer for what is open.
    let endless = format!("{{\"a\": \"{}", "x".repeat(4 * MAX_FRAME));
    let mut world = short_frames();
    let echo = world.service("Echo");
    let (ann, bob) = (world.client("Ann"), world.client("Bob"));
    for (client, uid) in [(ann, "1"), (bob, "2")] {
        world.say(client, &request("Echo", "echo", uid));
    }
    world.send(ann, endless.clone());
    assert_eq!(world.ending(ann), Some(Ending::EndlessLine));
    assert_eq!(world.hear_errors(ann)[0].1, 1);
    assert!(world.is_closed(ann));
    // And a service's: its callers get their errors.
    world.send(echo, endless);
    assert_eq!(world.ending(echo), Some(Ending::EndlessLine));
    assert_eq!(world.hear_errors(bob), [(left("Echo"), 2.into())]);
    assert!(world.is_closed(echo));
}

#[test]
fn a_broken_line_costs_one_error_with_its_uid_where_that_can_be_read() {
    for (line, exception, uid) in [
        (&br#"{"uid": 7, "service": }"#[..], "JSONDecodeError", Value::from(7)),
        (b"{abc", "JSONDecodeError", "".into()),
        (b"{", "JSONDecodeError", "".into()),
        (b"{\"uid\": 7, \"service\": \"\xff\"}", "UnicodeDecodeError", 7.into()),
        (b"\xff\xfe", "UnicodeDecodeError", "".into()),
        (br#"{"uid": 7, "service": 1, "attribute": "echo"}"#, "TypeError", 7.into()),
        (br#"{"uid": 7, "service": "Echo", "service": "Echo", "attribute": "a"}"#, "ValueError", 7.into()),
        (br#"{"uid": 7, "service": "Echo"}"#, "KeyError: 'attribute'", 7.into()),
        (br#"{"uid": 7}"#, "KeyError: 'service'", 7.into()),
        (b"[1, 2]", "TypeError", "".into()),
        (b"12345", "TypeError", "".into()),
        (b"null", "TypeError", "".into()),
        (b"what", "JSONDecodeError: Expecting value: line 1 column 1 (char 0)", "".into()),
    ] {
        let mut world = World::new();
        let echo = world.service("Echo");
        let ann = world.client("Ann");
        world.send(ann, [line, b"\n"].concat());
        world.say(ann, &request("Echo", "echo", "8"));
        let errors = world.hear_errors(ann);
        let shown = String::from_utf8_lossy(line);
        assert!(errors[0].0.starts_with(exception), "{shown}: {errors:?}");
        assert_eq!((errors.len(), &errors[0].1), (1, &uid), "{shown}");
        assert_eq!(world.hear_uids(echo), [8], "{shown}");
    }
}

#[test]
fn an_object_that_is_nested_too_deeply_is_refused_under_its_uid() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    let nested = |depth: usize| {
        let args = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"uid": 7, "service": "Echo", "attribute": "echo", "args": {args}}}"#)
    };
    world.say(ann, &nested(511));
    assert_eq!(world.hear_text(echo).len(), 1, "512 levels with the object itself");
    world.say(ann, &nested(512));
    assert_eq!(world.hear_errors(ann)[0].1, 7);
}

#[test]
fn blank_lines_are_skipped_and_frames_may_share_a_packet_or_come_in_pieces() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    let lines = format!("\r\n  \n{}\n\n{}\r\n", request("Echo", "echo", "1"), request("Echo", "echo", "2"));
    world.send(ann, lines.clone());
    for byte in lines.bytes() {
        world.send(ann, Vec::from([byte]));
    }
    assert_eq!(world.hear_uids(echo), [1, 2, 1, 2]);
    assert_eq!(world.hear(ann).len(), 0);
}

#[test]
fn all_lines_of_a_piece_are_handled_in_one_call() {
    let lines = 3 * LINES_PER_TURN + 4;
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    let piece: String = (0..lines).map(|uid| request("Echo", "echo", &format!("{uid}")) + "\r\n").collect();
    world.hub.handle(ann, Input::Received(piece.into()), world.now, &mut Vec::new());
    assert_eq!(iter::from_fn(|| world.hub.next_lines(echo)).count(), lines);
}

#[test]
fn numbers_and_words_that_json_does_not_know_are_forwarded_as_they_are() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    let values = r#"[1.10, 1E5, -0, 1e400, 12345678901234567890123, NaN, -Infinity, "\u00e9\/"]"#;
    world.say(
        ann,
        &format!(r#"{{"service": "Echo", "attribute": "echo", "args": {values}, "kwargs": {{}}, "uid": 1, "error": false}}"#),
    );
    assert!(world.hear_text(echo)[0].contains(values));
    let answer = reply("Ann[lab:2]", "1", values);
    world.say(echo, &answer);
    assert_eq!(world.hear_text(ann), [answer]);
}

#[test]
fn a_person_at_a_terminal_is_understood() {
    let mut world = World::new();
    let ann = world.connect();
    world.say(ann, "client Ann");
    world.hear(ann);
    let echo = world.service("Echo");
    world.say(ann, "link Echo");
    assert_eq!(world.hear(ann)[0]["error"], false);
    world.say(ann, "Echo set 1.10 'a b' on=true");
    let heard = world.hear(echo);
    assert_eq!(heard[0]["requester"], "Ann[lab:1]");
    assert_eq!(
        (&heard[0]["args"], &heard[0]["kwargs"]),
        (&serde_json::json!([1.1, "a b"]), &serde_json::json!({"on": true}))
    );
    world.say(echo, &reply("Ann[lab:1]", "\"\"", "null"));
    assert_eq!(world.hear_uids(ann), [""]);
    world.say(ann, "client Bob");
    let message =
        "ValueError: this device has said already who it is; disconnect and connect again to be another one";
    assert_eq!(world.hear(ann), [error("Ann[lab:1]", message, "")]);
    world.say(ann, "EXIT");
    assert!(world.is_closed(ann));
}

#[test]
fn a_broken_line_is_noted() {
    let mut world = World::new();
    let ann = world.client("Ann");
    world.say(ann, "{");
    assert!(world.noted(ann, |note| matches!(note, Note::Broken(_))));
}
