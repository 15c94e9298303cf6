//! Requests and the way back of their answers (docs/wire.md, sections 2 and 7).

use alloc::{format, vec};

use serde_json::json;

use crate::connection::Note;
use crate::testing::{World, ask, error, notification, reply, request};

/// A world with the service Echo at port 1 and the client Ann at port 2.
macro_rules! echo_and_ann {
    ($world:ident, $echo:ident, $ann:ident) => {
        let mut $world = World::new();
        let $echo = $world.service("Echo");
        let $ann = $world.client("Ann");
    };
}

#[test]
fn a_request_reaches_the_service_with_the_clients_name_and_its_reply_comes_back() {
    echo_and_ann!(world, echo, ann);
    world.say(ann, &request("Echo", "echo", "7"));
    let expected = json!({
        "service": "Echo", "attribute": "echo", "args": [], "kwargs": {}, "uid": 7, "error": false,
        "requester": "Ann[lab:2]",
    });
    assert_eq!(world.hear(echo), [expected]);
    let answer = reply("Ann[lab:2]", "7", "[1.10]");
    world.say(echo, &answer);
    assert_eq!(world.hear_text(ann), [answer], "to the byte");
}

#[test]
fn what_a_request_or_reply_lacks_is_added() {
    echo_and_ann!(world, echo, ann);
    world.say(ann, r#"{"service": "Echo", "attribute": "echo"}"#);
    let expected = json!({
        "service": "Echo", "attribute": "echo", "args": [], "kwargs": {}, "uid": "", "error": false,
        "requester": "Ann[lab:2]",
    });
    assert_eq!(world.hear(echo), [expected]);
    world.say(echo, r#"{"error": true, "requester": "Ann[lab:2]"}"#);
    let expected = json!({
        "error": true, "requester": "Ann[lab:2]", "message": "", "traceback": [], "uid": "",
    });
    let mut heard = world.hear(ann);
    heard[0].as_object_mut().unwrap().remove("result");
    assert_eq!(heard, [expected]);
}

#[test]
fn a_client_cannot_pretend_to_be_another_one() {
    echo_and_ann!(world, echo, ann);
    world.say(ann, r#"{"requester": "Bob[lab:3]", "service": "Echo", "attribute": "echo", "uid": 1}"#);
    assert_eq!(world.hear(echo)[0]["requester"], "Ann[lab:2]");
}

#[test]
fn requests_of_one_client_arrive_in_order_and_may_be_answered_in_any() {
    echo_and_ann!(world, echo, ann);
    for uid in ["1", "2", "3"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    assert_eq!(world.hear_uids(echo), [1, 2, 3]);
    for uid in ["3", "1", "2"] {
        world.say(echo, &reply("Ann[lab:2]", uid, "null"));
    }
    assert_eq!(world.hear_uids(ann), [3, 1, 2]);
}

#[test]
fn several_open_requests_may_have_the_same_uid_and_each_gets_an_answer() {
    echo_and_ann!(world, echo, ann);
    for _ in 0..3 {
        world.say(ann, &request("Echo", "echo", "\"u\""));
    }
    for _ in 0..3 {
        world.say(echo, &reply("Ann[lab:2]", "\"u\"", "null"));
    }
    assert_eq!(world.hear_uids(ann), ["u", "u", "u"]);
    // A fourth answers nothing.
    world.say(echo, &reply("Ann[lab:2]", "\"u\"", "null"));
    assert_eq!(world.hear_uids(ann).len(), 0);
}

#[test]
fn a_uid_that_the_service_writes_another_way_is_the_same_uid() {
    for (asked, answered) in [
        ("1.10", "1.1"),
        (r#""\u0061\/""#, r#""a/""#),
        (r#"{"a": 1, "b": [2]}"#, r#"{"a":1,"b":[2]}"#),
        ("1E2", "100.0"),
        ("[ ]", "[]"),
    ] {
        echo_and_ann!(world, echo, ann);
        world.say(ann, &request("Echo", "echo", asked));
        world.say(echo, &reply("Ann[lab:2]", answered, "null"));
        assert_eq!(world.hear_text(ann).len(), 1, "{asked} and {answered}");
    }
}

#[test]
fn an_error_of_the_manager_gives_the_uid_back_to_the_byte() {
    echo_and_ann!(world, echo, ann);
    world.say(ann, &request("Echo", "echo", "1.10"));
    world.lose(echo);
    assert!(world.hear_text(ann)[0].ends_with("\"uid\": 1.10}"));
    world.say(ann, &request("Nobody", "echo", "1.10"));
    assert!(world.hear_text(ann)[0].ends_with("\"uid\": 1.10}"));
    world.say(ann, r#"{"service": "Manager", "attribute": "identity", "uid": 1.10}"#);
    assert!(world.hear_text(ann)[0].ends_with("\"uid\": 1.10}"));
}

#[test]
fn a_request_to_nobody_is_refused() {
    let mut world = World::new();
    let ann = world.client("Ann");
    world.say(ann, &request("Echo", "echo", "7"));
    let message = "KeyError: \"the 'Echo' Service is not connected to Manager[lab:1875]\"";
    assert_eq!(world.hear(ann), [error("Ann[lab:1]", message, 7)]);
}

#[test]
fn an_answer_that_nobody_waits_for_reaches_nobody_and_is_noted() {
    echo_and_ann!(world, echo, ann);
    let bob = world.client("Bob");
    world.say(ann, &request("Echo", "echo", "7"));
    for forged in [
        reply("Ann[lab:2]", "8", "null"),
        reply("Bob[lab:3]", "7", "null"),
        reply("Nobody[lab:9]", "7", "null"),
        r#"{"result": null, "uid": 7}"#.into(),
        r#"{"error": true, "requester": null, "uid": 7}"#.into(),
    ] {
        world.say(echo, &forged);
        assert!(world.noted(echo, |note| matches!(note, Note::UnexpectedReply { .. })), "{forged}");
    }
    assert_eq!((world.hear(ann), world.hear(bob)), (vec![], vec![]));
}

#[test]
fn clients_can_neither_answer_nor_notify() {
    echo_and_ann!(world, echo, ann);
    let bob = world.linked("Bob", "Echo");
    world.say(bob, &request("Echo", "echo", "7"));
    world.acts(ann);
    world.say(ann, &reply("Bob[lab:3]", "7", "null"));
    assert!(world.noted(ann, |note| matches!(note, Note::UnexpectedReply { .. })));
    world.say(ann, &notification("Echo", "x"));
    assert!(world.noted(ann, |note| matches!(note, Note::UnexpectedNotification)));
    assert_eq!((world.hear(ann), world.hear(bob)), (vec![], vec![]), "not even an error");
    world.say(echo, &reply("Bob[lab:3]", "7", "null"));
    assert_eq!(world.hear_uids(bob), [7]);
}

#[test]
fn another_service_cannot_answer() {
    echo_and_ann!(world, _echo, ann);
    let other = world.service("Other");
    world.say(ann, &request("Echo", "echo", "7"));
    world.say(other, &reply("Ann[lab:2]", "7", "null"));
    assert!(world.noted(other, |note| matches!(note, Note::UnexpectedReply { .. })));
    assert_eq!(world.hear(ann).len(), 0);
}

#[test]
fn only_clients_send_requests_to_services() {
    echo_and_ann!(world, echo, _ann);
    world.service("Other");
    world.say(echo, &request("Other", "echo", "7"));
    let message = "PermissionError: only clients send requests to services";
    assert_eq!(world.hear(echo), [error("Echo[lab:1]", message, 7)]);
}

#[test]
fn a_service_may_ask_who_is_there() {
    echo_and_ann!(world, echo, _ann);
    world.say(echo, &ask("identity", "", "7"));
    let heard = world.hear(echo);
    assert_eq!(heard[0]["uid"], 7);
    assert!(heard[0]["result"]["clients"]["Ann[lab:2]"].is_object());
}

#[test]
fn the_uid_of_notifications_is_refused_for_requests() {
    echo_and_ann!(world, echo, ann);
    for uid in [r#""notification""#, r#""n\u006ftification""#] {
        world.say(ann, &request("Echo", "echo", uid));
        let message = "ValueError: the uid \"notification\" is reserved for notifications";
        assert_eq!(world.hear(ann), [error("Ann[lab:2]", message, "notification")]);
    }
    assert_eq!(world.hear(echo).len(), 0);
}

#[test]
fn links_and_locks_are_asked_of_the_manager_and_answered_under_the_uid() {
    echo_and_ann!(world, _echo, ann);
    world.say(ann, &ask("acquire_lock", "Echo", "1"));
    let message =
        "PermissionError: Ann[lab:2] cannot acquire a lock because it is not linked with the 'Echo' service";
    assert_eq!(world.hear(ann), [error("Ann[lab:2]", message, 1)]);
    for (attribute, result) in [
        (
            "link",
            json!({"attributes": {}, "address": "lab:1", "language": "unknown", "os": "unknown", "max_clients": -1}),
        ),
        ("acquire_lock", json!(["Ann[lab:2]"])),
        ("release_lock", json!([])),
        ("unlink", json!(true)),
    ] {
        world.say(ann, &ask(attribute, "Echo", "2"));
        let expected = json!({"error": false, "requester": "Ann[lab:2]", "result": result, "uid": 2});
        assert_eq!(world.hear(ann), [expected]);
    }
}

#[test]
fn shared_is_read_as_python_reads_it() {
    for (shared, is_shared) in [
        ("true", true),
        ("1", true),
        ("\"yes\"", true),
        ("false", false),
        ("0", false),
        ("0.0", false),
        ("null", false),
        ("[]", false),
    ] {
        echo_and_ann!(world, _echo, ann);
        world.linked("Bob", "Echo");
        world.say(ann, &ask("link", "Echo", "1"));
        world.hear(ann);
        world.say(
            ann,
            &format!(
                r#"{{"service": "Manager", "attribute": "acquire_lock", "args": ["Echo"], "kwargs": {{"shared": {shared}}}, "uid": 2}}"#
            ),
        );
        // Only a shared lock is given to one of two.
        assert_eq!(world.hear(ann)[0]["error"] == false, is_shared, "{shared}");
    }
}

#[test]
fn a_question_without_the_name_of_a_service_is_refused() {
    let mut world = World::new();
    let ann = world.client("Ann");
    for args in ["[]", "[7]", "[null]"] {
        world
            .say(ann, &format!(r#"{{"service": "Manager", "attribute": "link", "args": {args}, "uid": 3}}"#));
        let message = "TypeError: link needs the name of a service as its first argument";
        assert_eq!(world.hear(ann), [error("Ann[lab:1]", message, 3)]);
    }
}
