//! Notifications: to whom, how many, and until when (docs/wire.md, sections 7 and 10).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::iter;

use crate::connection::{Ending, Note};
use crate::limits::{Limits, TURN};
use crate::mailbox::ConnectionId;
use crate::testing::{DISCONNECT, World, ask, notification, reply, request};

#[test]
fn a_notification_reaches_those_that_are_linked_and_nobody_else() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let (ann, bob) = (world.linked("Ann", "Echo"), world.client("Bob"));
    let other = world.service("Other");
    let cem = world.linked("Cem", "Other");
    let line = notification("Echo", "x");
    world.say(echo, &line);
    assert_eq!(world.hear_text(ann), [line]);
    for device in [bob, cem, echo, other] {
        assert_eq!(world.hear(device).len(), 0);
    }
}

#[test]
fn what_a_notification_lacks_is_added() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.linked("Ann", "Echo");
    world.say(echo, r#"{"result": [[], {}], "service": "Echo", "uid": "notification"}"#);
    assert_eq!(world.hear(ann)[0]["error"], false);
}

#[test]
fn a_service_notifies_in_its_own_name_only() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.linked("Ann", "Echo");
    world.say(echo, &notification("Other", "x"));
    assert_eq!(world.hear(ann).len(), 0);
    assert!(world.noted(echo, |note| *note == Note::UnexpectedNotification));
}

#[test]
fn no_notification_follows_the_reply_to_an_unlink() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.linked("Ann", "Echo");
    world.stop_reading(ann);
    world.say(echo, &notification("Echo", "before"));
    world.say(ann, &ask("unlink", "Echo", "7"));
    world.say(echo, &notification("Echo", "after"));
    world.read_again(ann);
    assert_eq!(world.hear_uids(ann), ["notification".into(), serde_json::Value::from(7)]);
}

#[test]
fn a_service_that_has_left_notifies_nobody() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.linked("Ann", "Echo");
    world.say(ann, &request("Echo", "echo", "7"));
    world.say(echo, DISCONNECT);
    let next = world.service("Echo");
    world.say(ann, &ask("link", "Echo", "8"));
    world.hear(ann);
    world.say(echo, &notification("Echo", "from the old one"));
    assert_eq!(world.hear(ann).len(), 0);
    world.say(next, &notification("Echo", "from the new one"));
    assert_eq!(world.hear(ann)[0]["result"][0][0], "from the new one");
}

#[test]
fn a_client_that_does_not_read_its_notifications_is_ended_and_the_others_get_theirs() {
    let line = notification("Echo", "x");
    let bytes = line.len() + 2;
    // Given room for three, behind the one that is on its way.
    let mut world = World::with(Limits { notifications: 3 * bytes, ..Limits::default() });
    let echo = world.service("Echo");
    let (ann, bob) = (world.linked("Ann", "Echo"), world.linked("Bob", "Echo"));
    world.stop_reading(ann);
    world.say(ann, &request("Echo", "echo", "7"));
    for _ in 0..4 {
        world.say(echo, &line);
    }
    assert_eq!(world.ending(ann), None);
    world.say(echo, &line);
    assert_eq!(world.ending(ann), Some(Ending::SlowConsumer));
    world.say(echo, &line);
    assert_eq!(world.hear_uids(bob), ["notification"; 6]);
    // Whatever it still reads: an answer to the open request, and no hole in between that it could not see.
    world.read_again(ann);
    let heard = world.hear(ann);
    assert_eq!(heard[0]["uid"], "notification");
    assert_eq!((&heard[1]["uid"], &heard[1]["error"]), (&7.into(), &true.into()));
    assert!(world.is_closed(ann));
}

#[test]
fn notifications_do_not_count_against_the_replies() {
    // Given a client that is at the limit of what may wait for it, then it still gets every reply.
    let line = notification("Echo", "x");
    let mut world =
        World::with(Limits { notifications: 100 * line.len(), client_mailbox: 1, ..Limits::default() });
    let echo = world.service("Echo");
    let ann = world.linked("Ann", "Echo");
    world.say(ann, &request("Echo", "echo", "7"));
    world.stop_reading(ann);
    for _ in 0..50 {
        world.say(echo, &line);
    }
    world.say(echo, &reply("Ann[lab:2]", "7", "null"));
    world.read_again(ann);
    let uids = world.hear_uids(ann);
    assert_eq!((uids.len(), &uids[50]), (51, &7.into()));
}

#[test]
fn one_large_notification_ends_nobody_who_reads() {
    let mut world = World::with(Limits { notifications: 100, ..Limits::default() });
    let echo = world.service("Echo");
    let (ann, bob) = (world.linked("Ann", "Echo"), world.linked("Bob", "Echo"));
    let large = notification("Echo", &"x".repeat(1000));
    for _ in 0..3 {
        world.say(echo, &large);
        assert_eq!(world.hear_uids(ann), ["notification"]);
    }
    // But a client that does not read has room for one only, beside the one on its way.
    world.stop_reading(bob);
    world.say(echo, &large);
    world.say(echo, &large);
    assert_eq!(world.ending(bob), None);
    world.say(echo, &large);
    assert_eq!(world.ending(bob), Some(Ending::SlowConsumer));
    assert_eq!(world.ending(ann), None);
}

#[test]
fn notifications_that_come_at_once_end_nobody_who_reads() {
    let line = notification("Echo", "x");
    let mut world = World::with(Limits { notifications: 2 * line.len(), ..Limits::default() });
    let echo = world.service("Echo");
    let (ann, bob) = (world.linked("Ann", "Echo"), world.linked("Bob", "Echo"));
    world.stop_reading(bob);
    world.say(echo, &line);
    // Given that Ann's socket had taken everything before, and that there is always something between them.
    let between = format!("\n{}\n", reply("Nobody[lab:9]", "7", "null"));
    world.say(echo, &[line.as_str(); 20].join(&between));
    assert_eq!(world.hear_uids(ann), ["notification"; 21]);
    assert_eq!((world.ending(ann), world.ending(bob)), (None, Some(Ending::SlowConsumer)));
}

/// What waits for a device, as it will be handed over.
fn waiting(world: &mut World, device: ConnectionId) -> Vec<String> {
    let lines = iter::from_fn(|| world.hub.next_lines(device));
    lines.map(|lines| String::from_utf8(lines.to_bytes().into()).unwrap()).collect()
}

#[test]
fn notifications_that_come_together_go_out_together_and_everything_in_its_order() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let (ann, bob) = (world.linked("Ann", "Echo"), world.linked("Bob", "Echo"));
    world.say(ann, &request("Echo", "echo", "7"));
    let line = notification("Echo", "x");
    // Given that both have something on its way already.
    world.stop_reading(ann);
    world.stop_reading(bob);
    world.say(echo, &line);
    let answer = reply("Ann[lab:2]", "7", "null");
    world.say(echo, &[&line, &line, &line, &answer, &line, &line].map(String::as_str).join("\n"));
    let (two, three) = (format!("{line}\r\n").repeat(2), format!("{line}\r\n").repeat(3));
    assert_eq!(waiting(&mut world, bob), [&three[..], &two]);
    assert_eq!(waiting(&mut world, ann), [&three[..], &format!("{answer}\r\n"), &two]);
}

#[test]
fn what_goes_out_together_is_no_longer_than_a_turn() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.linked("Ann", "Echo");
    let large = notification("Echo", &"x".repeat(TURN / 3));
    world.stop_reading(ann);
    world.say(echo, &large);
    world.say(echo, &[large.as_str(); 5].join("\n"));
    let counts: Vec<_> = waiting(&mut world, ann).iter().map(|lines| lines.matches('\n').count()).collect();
    assert_eq!(counts, [2, 2, 1]);
}
