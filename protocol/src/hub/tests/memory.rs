//! The memory budget: what it counts, and what is given up when it is exceeded (docs/wire.md, section 10).

use alloc::format;
use alloc::string::String;

use crate::limits::Limits;
use crate::testing::{DISCONNECT, World, notification, reply, request};

const KIB: usize = 1024;

/// The beginning of a request, of this many bytes.
fn beginning(uid: &str, bytes: usize) -> String {
    let head = format!(r#"{{"uid": {uid}, "service": "Echo", "attribute": "echo", "args": [""#);
    let padding = bytes - head.len();
    head + &"x".repeat(padding)
}

const END: &str = "\"]}\r\n";

fn tight() -> World {
    World::with(Limits { max_frame: 100 * KIB, ..Limits::for_memory(128 * KIB) })
}

#[test]
fn the_largest_incomplete_line_is_given_up_and_answered_at_its_end() {
    let mut world = tight();
    let echo = world.service("Echo");
    let (ann, bob) = (world.client("Ann"), world.client("Bob"));
    world.send(ann, beginning("1", 60 * KIB));
    world.send(bob, beginning("2", 40 * KIB));
    assert!(world.hub.held() >= 100 * KIB);
    world.send(bob, "x".repeat(30 * KIB));
    // Bob's is the largest now.
    assert!(world.hub.held() < 80 * KIB, "{}", world.hub.held());
    world.send(bob, END);
    let errors = world.hear_errors(bob);
    assert_eq!((errors.len(), &errors[0].1), (1, &2.into()), "{errors:?}");
    assert!(errors[0].0.starts_with("ValueError: "), "{errors:?}");
    world.send(ann, END);
    assert_eq!(world.hear_uids(echo), [1]);
    assert_eq!(world.hear(ann).len(), 0);
    assert_eq!(world.hub.held(), 0);
}

#[test]
fn an_answer_that_is_given_up_is_an_error_for_its_caller() {
    let mut world = tight();
    let echo = world.service("Echo");
    let (ann, bob) = (world.client("Ann"), world.client("Bob"));
    world.say(ann, &request("Echo", "echo", "7"));
    let answer = reply("Ann[lab:2]", "7", &format!("\"{}\"", "x".repeat(90 * KIB)));
    let (first, second) = answer.split_at(80 * KIB);
    world.send(echo, String::from(first));
    world.send(bob, beginning("1", 60 * KIB));
    world.send(echo, format!("{second}\r\n"));
    assert_eq!(world.hear_errors(ann)[0].1, 7);
}

#[test]
fn what_waits_for_a_device_counts_until_it_has_taken_it() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.linked("Ann", "Echo");
    assert_eq!(world.hub.held(), 0);
    world.stop_reading(echo);
    world.stop_reading(ann);
    for uid in ["1", "2"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    let line = notification("Echo", "x");
    world.say(echo, &line);
    assert!(world.hub.held() > 2 * line.len());
    world.read_again(echo);
    assert_eq!(world.hub.held(), line.len() + 2);
    world.read_again(ann);
    assert_eq!(world.hub.held(), 0);
}

#[test]
fn nothing_is_held_when_everybody_has_gone_whatever_was_going_on() {
    let narrow = Limits { service_mailbox: 200, ..Limits::default() };
    for lost in [true, false] {
        let mut world = World::with(narrow.clone());
        let echo = world.service("Echo");
        let (ann, bob) = (world.linked("Ann", "Echo"), world.linked("Bob", "Echo"));
        // Given open, queued and stalled requests, half a line of each, and notifications that nobody reads.
        world.stop_reading(echo);
        world.stop_reading(bob);
        for _ in 0..10 {
            world.say(ann, &request("Echo", "echo", "1"));
            world.say(bob, &request("Echo", "echo", "1"));
            world.say(echo, &notification("Echo", "x"));
        }
        for device in [echo, ann, bob] {
            world.send(device, "{\"half\": ");
        }
        assert!(world.hub.held() > 0);
        for device in [echo, ann, bob] {
            if lost {
                world.lose(device);
            } else {
                world.end(device);
            }
        }
        world.wait(4 * narrow.leave + narrow.service_wait);
        world.assert_empty();
    }
}

#[test]
fn nothing_is_held_of_a_device_that_is_ending() {
    let mut world = World::new();
    let ann = world.client("Ann");
    world.send(ann, beginning("1", 60 * KIB));
    world.say(ann, "");
    world.say(ann, DISCONNECT);
    world.send(ann, beginning("1", 60 * KIB));
    world.end(ann);
    world.assert_empty();
}
