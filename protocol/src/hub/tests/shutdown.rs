//! The end of a Manager: answers within five seconds count, every connection ends in good order (docs/wire.md, section 9).

use alloc::format;
use alloc::string::String;

use serde_json::Value;

use crate::connection::{Action, Ending, Verdict, Why};
use crate::limits::Limits;
use crate::mailbox::{ConnectionId, Notice};
use crate::testing::{SECOND, World, ask, reply, request};

const ADMINISTRATOR: Verdict = Verdict::Accepted { administrator: true };

/// A client whose request for administrators has uid 9; its password is being checked.
fn checked(world: &mut World, attribute: &str) -> ConnectionId {
    let ann = world.client("Ann");
    world.say(ann, &ask(attribute, "", "9"));
    for answer in ["root", "secret"] {
        world.say(ann, &format!(r#"{{"result": "{answer}"}}"#));
    }
    world.hear(ann);
    ann
}

fn shutting_down(uid: i32) -> (String, Value) {
    (String::from("ConnectionError: the Manager is shutting down"), uid.into())
}

#[test]
fn answers_within_the_time_for_it_count_and_the_rest_is_answered_with_an_error() {
    // Given a time that is no other limit's.
    let shutdown = 3 * SECOND;
    let mut world = World::with(Limits { shutdown, ..Limits::default() });
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    for uid in ["1", "2"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    world.shut_down();
    world.say(echo, &reply("Ann[lab:2]", "1", "null"));
    assert_eq!(world.hear_uids(ann), [1]);
    assert_eq!(world.wait_for_deadline(), (shutdown, Why::Leave));
    assert_eq!(world.hear_errors(ann), [shutting_down(2)]);
    assert!(world.is_closed(echo) && world.is_closed(ann));
    assert_eq!(world.ending(echo), Some(Ending::Shutdown));
}

#[test]
fn the_reason_is_the_same_whoever_connected_first() {
    for client_first in [true, false] {
        let mut world = World::new();
        let early = client_first.then(|| world.client("Ann"));
        world.service("Echo");
        let ann = early.unwrap_or_else(|| world.client("Ann"));
        world.say(ann, &request("Echo", "echo", "1"));
        world.shut_down();
        world.wait(Limits::default().shutdown);
        assert_eq!(world.hear_errors(ann), [shutting_down(1)]);
    }
}

#[test]
fn it_is_over_as_soon_as_the_last_answer_is_there() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    world.say(ann, &request("Echo", "echo", "1"));
    world.shut_down();
    assert!(!world.is_closed(echo) && !world.is_closed(ann));
    world.say(echo, &reply("Ann[lab:2]", "1", "null"));
    assert!(world.is_closed(echo) && world.is_closed(ann));
    world.end(echo);
    world.end(ann);
    world.assert_empty();
}

#[test]
fn nothing_more_is_taken_from_clients() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    world.say(ann, &request("Echo", "echo", "1"));
    world.hear(echo);
    world.shut_down();
    world.say(ann, &request("Echo", "echo", "2"));
    assert_eq!(world.hear(echo).len(), 0);
}

#[test]
fn requests_that_have_not_left_yet_are_refused_at_once() {
    let mut world = World::with(Limits { service_mailbox: 200, ..Limits::default() });
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    world.stop_reading(echo);
    for uid in ["1", "2", "3"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    world.shut_down();
    // The first one is on its way, the third was still waiting for room.
    let mut errors = world.hear_errors(ann);
    errors.sort_by_key(|(_, uid)| uid.as_i64());
    assert_eq!(errors, [shutting_down(2), shutting_down(3)]);
}

#[test]
fn every_connection_ends_whatever_it_was_doing() {
    let mut world = World::with(Limits { service_mailbox: 200, ..Limits::default() });
    world.connect();
    let echo = world.service("Echo");
    let (ann, bob, cem) = (world.linked("Ann", "Echo"), world.client("Bob"), world.client("Cem"));
    world.stop_reading(echo);
    world.stop_reading(bob);
    for uid in ["1", "2", "3", "4"] {
        world.say(ann, &request("Echo", "echo", uid));
        world.say(bob, &request("Echo", "echo", uid));
    }
    world.end(bob);
    world.say(cem, &ask("users_table.usernames", "", "9"));
    world.hear(cem);
    world.shut_down();
    assert_eq!(world.hear_errors(cem), [shutting_down(9)], "nobody will log in any more");
    let limits = Limits::default();
    world.wait(limits.shutdown + 2 * limits.linger);
    world.assert_empty();
}

#[test]
fn who_is_in_the_middle_of_the_handshake_is_closed() {
    let mut world = World::new();
    let device = world.connect();
    world.shut_down();
    assert!(world.is_closed(device));
}

#[test]
fn what_an_administrator_asked_for_is_answered_if_it_is_done_in_time_and_gets_an_error_otherwise() {
    for in_time in [true, false] {
        for logged_in in [true, false] {
            let mut world = World::new();
            let ann = checked(&mut world, "users_table.usernames");
            if logged_in {
                world.tell(ann, Notice::Checked(ADMINISTRATOR));
            }
            world.shut_down();
            assert!(!world.is_closed(ann));
            if !logged_in {
                world.tell(ann, Notice::Checked(ADMINISTRATOR));
            }
            if in_time {
                world.tell(ann, Notice::Administered(Ok("[]".into())));
                let heard = world.hear(ann);
                assert_eq!(
                    (heard.len(), &heard[0]["uid"], &heard[0]["error"]),
                    (1, &9.into(), &false.into())
                );
            } else {
                assert_eq!(world.wait_for_deadline(), (Limits::default().shutdown, Why::Leave));
                assert_eq!(world.hear_errors(ann), [shutting_down(9)]);
            }
            assert!(world.is_closed(ann));
            world.tell(ann, Notice::Administered(Ok("[]".into())));
            assert_eq!(world.hear(ann).len(), 0, "one answer is enough");
        }
    }
}

#[test]
fn who_asked_for_the_shutdown_gets_the_end_for_an_answer() {
    for logged_in in [true, false] {
        let mut world = World::new();
        let ann = checked(&mut world, "shutdown_manager");
        if !logged_in {
            // Somebody else was quicker.
            world.shut_down();
        }
        world.tell(ann, Notice::Checked(ADMINISTRATOR));
        assert!(world.acts(ann).contains(&Action::ShutDown));
        world.shut_down();
        assert_eq!(world.hear(ann).len(), 0);
        assert!(world.is_closed(ann), "{logged_in}");
    }
}
