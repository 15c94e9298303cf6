//! The memory budget: what it counts, and what is given up when it is exceeded (docs/wire.md, section 10).

use alloc::format;
use alloc::string::String;

use crate::connection::Ending;
use crate::limits::Limits;
use crate::mailbox::ConnectionId;
use crate::testing::{DISCONNECT, SECOND, World, just_before, notification, reply, request};

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

#[test]
fn a_small_incomplete_line_is_never_given_up() {
    let mut world = tight();
    let (echo, other) = (world.service("Echo"), world.service("Other"));
    let (ann, bob) = (world.client("Ann"), world.client("Bob"));
    let line = request("Other", "echo", "1");
    let (first, second) = line.split_at(40);
    world.send(ann, String::from(first));
    // Given that all the memory is used for somebody else, who does not read.
    world.stop_reading(echo);
    for uid in ["2", "3"] {
        world.send(bob, beginning(uid, 90 * KIB) + END);
    }
    assert!(world.hub.held() > 128 * KIB);
    world.say(ann, second);
    assert_eq!(world.hear_uids(other), [1]);
    assert_eq!(world.hear(ann).len(), 0);
}

/// A service and two clients that are linked with it; notifications may fill the memory.
fn with_listeners() -> (World, [ConnectionId; 3]) {
    let limits = Limits { notifications: 1024 * KIB, client_mailbox: KIB, ..Limits::for_memory(128 * KIB) };
    let mut world = World::with(limits);
    let echo = world.service("Echo");
    let listeners = [world.linked("Ann", "Echo"), world.linked("Bob", "Echo")];
    (world, [echo, listeners[0], listeners[1]])
}

#[test]
fn when_memory_is_short_who_has_most_waiting_and_took_nothing_for_five_seconds_is_ended() {
    let (mut world, [echo, ann, bob]) = with_listeners();
    let large = notification("Echo", &"x".repeat(50 * KIB));
    world.stop_reading(ann);
    world.say(echo, &large);
    world.wait(just_before(Limits::default().linger));
    for _ in 0..2 {
        world.say(echo, &large);
    }
    assert!(world.hub.held() > 128 * KIB);
    assert_eq!(world.ending(ann), None, "it has a second left");
    world.wait(SECOND);
    world.say(echo, &notification("Echo", "x"));
    assert_eq!(world.ending(ann), Some(Ending::SlowConsumer));
    assert_eq!(world.ending(bob), None);
    assert_eq!(world.hear(bob).len(), 4);
    assert!(world.hub.held() < 128 * KIB);
}

#[test]
fn when_memory_is_short_who_reads_is_left_alone() {
    let (mut world, [echo, ann, bob]) = with_listeners();
    let large = notification("Echo", &"x".repeat(50 * KIB));
    for _ in 0..5 {
        world.stop_reading(ann);
        for _ in 0..3 {
            world.say(echo, &large);
        }
        assert!(world.hub.held() > 128 * KIB);
        world.wait(just_before(Limits::default().linger));
        world.say(echo, &large);
        world.read_again(ann);
    }
    for device in [ann, bob] {
        assert_eq!(world.ending(device), None);
        assert_eq!(world.hear(device).len(), 20);
    }
}

#[test]
fn when_memory_is_short_who_has_little_waiting_is_left_alone() {
    let (mut world, [echo, ann, bob]) = with_listeners();
    world.stop_reading(ann);
    world.say(echo, &notification("Echo", "x"));
    world.wait(2 * Limits::default().linger);
    world.send(bob, beginning("1", 60 * KIB));
    world.send(echo, beginning("2", 60 * KIB));
    let cem = world.client("Cem");
    world.send(cem, beginning("3", 60 * KIB));
    assert!(world.hub.held() > 128 * KIB);
    assert_eq!(world.ending(ann), None);
}

#[test]
fn a_request_that_waits_for_room_counts() {
    // Given a service that does not read, with a full mailbox.
    let mut world = World::with(Limits { service_mailbox: 100, ..Limits::default() });
    let echo = world.service("Echo");
    world.stop_reading(echo);
    let ann = world.client("Ann");
    world.say(ann, &request("Echo", "echo", "1"));
    let before = world.hub.held();
    // When a large request waits for room, then it is held; and no more when its sender has gone.
    let bob = world.client("Bob");
    world.say(bob, &request("Echo", &"x".repeat(8000), "2"));
    assert!(world.hub.held() > before + 8000);
    world.lose(bob);
    assert_eq!(world.hub.held(), before);
}
