//! What becomes of links, names and open requests when a device leaves (docs/wire.md, section 7).

use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use crate::connection::{Ending, Flow, Note, Verdict, Why};
use crate::limits::Limits;
use crate::mailbox::{ConnectionId, Notice};
use crate::testing::{DISCONNECT, SECOND, World, ask, just_before, left, reply, request};

fn names(world: &mut World, observer: ConnectionId, kind: &str) -> Vec<String> {
    world.say(observer, r#"{"service": "Manager", "attribute": "identity", "uid": 0}"#);
    let identity = world.hear(observer).pop().unwrap();
    identity["result"][kind].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn a_service_that_is_lost_leaves_each_client_an_error_under_each_uid() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let (ann, bob) = (world.client("Ann"), world.client("Bob"));
    for (client, uid) in [(ann, "1"), (bob, "1"), (ann, "2"), (ann, "2")] {
        world.say(client, &request("Echo", "echo", uid));
    }
    world.lose(echo);
    let gone = |uid: i32| (left("Echo"), Value::from(uid));
    assert_eq!(world.hear_errors(ann), [gone(1), gone(2), gone(2)]);
    assert_eq!(world.hear_errors(bob), [gone(1)]);
    assert!(world.is_gone(echo));
}

#[test]
fn requests_that_a_lost_service_never_got_are_answered_too() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    world.stop_reading(echo);
    for uid in ["1", "2", "3"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    world.lose(echo);
    let gone = |uid: i32| (left("Echo"), Value::from(uid));
    assert_eq!(world.hear_errors(ann), [gone(2), gone(3), gone(1)]);
}

#[test]
fn a_service_that_closes_its_sending_side_can_answer_no_more() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    world.say(ann, &request("Echo", "echo", "1"));
    world.end(echo);
    assert_eq!(world.hear_errors(ann), [(left("Echo"), 1.into())]);
    assert!(world.is_gone(echo));
    assert_eq!(world.ending(echo), Some(Ending::Closed));
}

#[test]
fn a_service_that_asks_to_be_disconnected_has_a_free_name_at_once_and_ten_seconds_for_its_answers() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    for uid in ["1", "2", "3"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    world.say(echo, DISCONNECT);
    assert_eq!(names(&mut world, ann, "services"), [""; 0]);
    let next = world.service("Echo");
    // Given two answers, one at once and one just in time, both count.
    world.say(echo, &reply("Ann[lab:2]", "1", "null"));
    world.wait(just_before(Limits::default().leave));
    world.say(echo, &reply("Ann[lab:2]", "3", "null"));
    assert_eq!(world.hear_uids(ann), [1, 3]);
    assert!(!world.is_closed(echo));
    // When the time is over, the third request gets an error, and the old connection ends.
    assert_eq!(world.wait_for_deadline(), (SECOND, Why::Leave));
    assert_eq!(world.hear_errors(ann), [(left("Echo"), 2.into())]);
    assert!(world.is_closed(echo));
    world.say(ann, &request("Echo", "echo", "4"));
    assert_eq!(world.hear_uids(next), [4]);
}

#[test]
fn a_service_that_owes_nothing_is_closed_as_soon_as_it_asks_for_it() {
    let mut world = World::new();
    let echo = world.service("Echo");
    world.say(echo, DISCONNECT);
    assert!(world.is_closed(echo));
    assert_eq!(world.hub.flow(echo), Flow::Lingering);
    world.end(echo);
    assert!(world.is_gone(echo));
}

#[test]
fn requests_that_a_leaving_service_has_not_got_are_refused_at_once() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    world.stop_reading(echo);
    for uid in ["1", "2"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    world.say(echo, DISCONNECT);
    assert_eq!(world.hear_errors(ann), [(left("Echo"), 2.into())], "the first one is on its way already");
    world.say(echo, &reply("Ann[lab:2]", "1", "null"));
    assert_eq!(world.hear_uids(ann), [1]);
}

#[test]
fn a_leaving_service_that_closes_its_side_can_answer_no_more() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    for uid in ["1", "2"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    world.say(echo, DISCONNECT);
    world.say(echo, &reply("Ann[lab:2]", "1", "null"));
    world.end(echo);
    let heard = world.hear(ann);
    assert_eq!((&heard[0]["uid"], &heard[0]["error"]), (&1.into(), &false.into()));
    assert_eq!((&heard[1]["uid"], &heard[1]["error"]), (&2.into(), &true.into()), "nothing more can come");
    assert!(world.is_gone(echo));
}

#[test]
fn a_client_that_asks_to_be_disconnected_is_forgotten() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.linked("Ann", "Echo");
    world.say(ann, &request("Echo", "echo", "1"));
    world.say(ann, DISCONNECT);
    assert!(world.is_closed(ann));
    world.say(echo, &reply("Ann[lab:2]", "1", "null"));
    assert!(world.noted(echo, |note| matches!(note, Note::UnexpectedReply { .. })));
    assert_eq!(world.hear(ann).len(), 0);
    assert_eq!(names(&mut world, echo, "clients"), [""; 0]);
}

#[test]
fn the_answer_for_a_client_that_was_lost_is_dropped() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    world.say(ann, &request("Echo", "echo", "1"));
    world.lose(ann);
    world.say(echo, &reply("Ann[lab:2]", "1", "null"));
    assert!(world.noted(echo, |note| matches!(note, Note::UnexpectedReply { .. })));
}

#[test]
fn requests_of_a_lost_client_that_have_not_left_yet_are_taken_back() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let (ann, bob) = (world.client("Ann"), world.client("Bob"));
    world.stop_reading(echo);
    for (client, uid) in [(bob, "1"), (ann, "2"), (bob, "3")] {
        world.say(client, &request("Echo", "echo", uid));
    }
    world.lose(ann);
    world.read_again(echo);
    assert_eq!(world.hear_uids(echo), [1, 3]);
}

#[test]
fn a_new_client_with_the_same_network_name_does_not_get_the_old_ones_answer() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    world.say(ann, &request("Echo", "echo", "\"old\""));
    world.lose(ann);
    let again = world.connect_from(2);
    world.say(again, r#"{"result": {"type": "client", "name": "Ann"}}"#);
    world.hear(again);
    world.say(again, &request("Echo", "echo", "\"new\""));
    world.say(echo, &reply("Ann[lab:2]", "\"old\"", "null"));
    assert_eq!(world.hear(again).len(), 0);
    world.say(echo, &reply("Ann[lab:2]", "\"new\"", "null"));
    assert_eq!(world.hear_uids(again), ["new"]);
}

#[test]
fn a_client_that_closes_its_sending_side_leaves_at_once_and_still_gets_its_answers() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let (ann, bob) = (world.linked("Ann", "Echo"), world.client("Bob"));
    world.say(ann, &ask("acquire_lock", "Echo", "1"));
    world.hear(ann);
    for uid in ["2", "3"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    world.end(ann);
    assert_eq!(names(&mut world, bob, "clients"), ["Bob[lab:3]"]);
    world.say(bob, &ask("link", "Echo", "1"));
    assert_eq!(world.hear(bob)[0]["error"], false, "its lock is gone");
    for uid in ["2", "3"] {
        assert!(!world.is_closed(ann));
        world.say(echo, &reply("Ann[lab:2]", uid, "null"));
    }
    assert_eq!(world.hear_uids(ann), [2, 3]);
    assert!(world.is_gone(ann), "nothing more to wait for");
}

#[test]
fn a_client_that_only_listens_waits_ten_seconds_for_its_answers() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    for uid in ["1", "2"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    world.end(ann);
    assert_eq!(world.wait_for_deadline(), (Limits::default().leave, Why::Leave));
    let errors = world.hear_errors(ann);
    assert_eq!(errors.iter().map(|(_, uid)| uid.clone()).collect::<Vec<_>>(), [1, 2]);
    assert!(errors[0].0.starts_with("ConnectionError: "), "{errors:?}");
    assert!(world.is_gone(ann));
    world.say(echo, &reply("Ann[lab:2]", "1", "null"));
    assert!(world.noted(echo, |note| matches!(note, Note::UnexpectedReply { .. })));
}

#[test]
fn what_a_client_sent_before_it_closed_its_side_counts() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.connect();
    let handshake = r#"{"result": {"type": "client", "name": "Ann"}}"#;
    let all = [handshake, &ask("link", "Echo", "1"), &request("Echo", "echo", "2"), ""].join("\n");
    world.send(ann, all.into_bytes());
    world.end(ann);
    world.say(echo, &reply("Ann[lab:2]", "2", "null"));
    assert_eq!(world.hear_uids(ann)[1..], [1, 2]);
    assert!(world.is_gone(ann));
}

#[test]
fn an_administrators_answer_reaches_a_client_that_only_listens() {
    let mut world = World::new();
    let ann = world.client("Ann");
    world.say(ann, &ask("users_table.usernames", "", "1"));
    world.say(ann, r#"{"result": "root"}"#);
    world.say(ann, r#"{"result": "secret"}"#);
    world.end(ann);
    world.tell(ann, Notice::Checked(Verdict::Accepted { administrator: true }));
    world.tell(ann, Notice::Administered(Ok("[]".into())));
    assert_eq!(world.hear(ann).pop().unwrap()["uid"], 1);
    assert!(world.is_gone(ann));
}

#[test]
fn who_an_administrator_disconnects_gets_an_error_for_each_open_request_and_then_the_end() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let (ann, bob) = (world.client("Ann"), world.client("Bob"));
    for uid in ["1", "2"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    world.tell(ann, Notice::Disconnect);
    let errors = world.hear_errors(ann);
    assert_eq!(errors.iter().map(|(_, uid)| uid.clone()).collect::<Vec<_>>(), [1, 2]);
    assert!(errors[0].0.starts_with("ConnectionError: "), "{errors:?}");
    assert!(world.is_closed(ann));
    // The same for a service: its clients get the errors.
    world.say(bob, &request("Echo", "echo", "3"));
    world.tell(echo, Notice::Disconnect);
    assert_eq!(world.hear_errors(bob), [(left("Echo"), 3.into())]);
    assert!(world.is_closed(echo));
}

#[test]
fn an_ended_connection_is_read_until_the_device_closes_it_at_most_five_seconds() {
    for closes in [true, false] {
        let mut world = World::new();
        let ann = world.client("Ann");
        world.tell(ann, Notice::Disconnect);
        assert_eq!(world.hub.flow(ann), Flow::Lingering);
        world.say(ann, "what comes now is thrown away");
        assert_eq!(world.unread(ann), 0);
        if closes {
            world.end(ann);
        } else {
            assert_eq!(world.wait_for_deadline(), (Limits::default().linger, Why::Linger));
        }
        assert!(world.is_gone(ann));
        world.assert_empty();
    }
}
