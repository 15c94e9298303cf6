//! Who waits for whom: clients for services, never the other way round (docs/wire.md, section 10).

use alloc::format;
use alloc::vec::Vec;

use crate::connection::{Ending, Why};
use crate::limits::{Limits, READ_AHEAD};
use crate::mailbox::ConnectionId;
use crate::testing::{SECOND, World, ask, just_before, left, reply, request};

/// Two requests fill a service's mailbox, two replies a client's.
fn narrow() -> Limits {
    Limits { service_mailbox: 200, client_mailbox: 200, ..Limits::default() }
}

/// A service that does not read, with requests 1 and 2 in its mailbox and 3 waiting for room.
fn stalled(world: &mut World) -> (ConnectionId, ConnectionId) {
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    world.stop_reading(echo);
    for uid in ["1", "2", "3"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    (echo, ann)
}

#[test]
fn a_full_service_holds_its_client_up_until_there_is_room_and_the_order_stays() {
    let mut world = World::with(narrow());
    let (echo, ann) = stalled(&mut world);
    for uid in 4..8 {
        world.say(ann, &request("Echo", "echo", &format!("{uid}")));
    }
    assert_eq!(world.hear(ann).len(), 0);
    world.read_again(echo);
    assert_eq!(world.hear_uids(echo), (1..8).collect::<Vec<_>>());
}

#[test]
fn a_client_that_is_held_up_is_read_a_little_ahead_and_no_more() {
    let mut world = World::with(narrow());
    let (echo, ann) = stalled(&mut world);
    let line = format!("{}\r\n", request("Echo", "echo", "4"));
    let many = line.repeat(READ_AHEAD / line.len() + 1);
    world.send(ann, many);
    world.send(ann, line.clone());
    assert_eq!(world.unread(ann), line.len());
    world.read_again(echo);
    assert_eq!(world.unread(ann), 0);
}

#[test]
fn a_request_that_finds_no_room_in_time_is_refused_and_the_next_one_waits_anew() {
    let mut world = World::with(narrow());
    let (_, ann) = stalled(&mut world);
    world.say(ann, &request("Echo", "echo", "4"));
    for uid in [3, 4] {
        assert_eq!(world.wait_for_deadline(), (Limits::default().service_wait, Why::ServiceWait));
        let errors = world.hear_errors(ann);
        assert!(errors[0].0.starts_with("TimeoutError: the 'Echo' service "), "{errors:?}");
        assert_eq!((errors.len(), &errors[0].1), (1, &uid.into()));
    }
}

#[test]
fn other_clients_and_services_are_not_held_up_by_a_full_service() {
    let mut world = World::with(narrow());
    stalled(&mut world);
    let other = world.service("Other");
    let bob = world.client("Bob");
    world.say(bob, &request("Other", "echo", "1"));
    world.say(other, &reply("Bob[lab:4]", "1", "null"));
    assert_eq!(world.hear_uids(bob), [1]);
}

#[test]
fn all_clients_that_wait_for_room_go_on_when_there_is_some() {
    let mut world = World::with(narrow());
    let (echo, _) = stalled(&mut world);
    let (bob, cem) = (world.client("Bob"), world.client("Cem"));
    world.say(bob, &request("Echo", "echo", "4"));
    world.say(cem, &request("Echo", "echo", "5"));
    world.read_again(echo);
    let mut uids: Vec<_> = world.hear_uids(echo).iter().map(|uid| uid.as_i64().unwrap()).collect();
    uids.sort_unstable();
    assert_eq!(uids, [1, 2, 3, 4, 5]);
    assert_eq!(world.hub.deadline(), None);
}

#[test]
fn it_is_noticed_that_a_client_that_is_held_up_has_gone() {
    for fails in [true, false] {
        let mut world = World::with(narrow());
        let (echo, ann) = stalled(&mut world);
        if fails {
            world.lose(ann);
            assert!(world.is_gone(ann));
        } else {
            world.end(ann);
            assert_eq!(world.ending(ann), Some(Ending::Closed));
        }
        let again = world.connect_from(2);
        world.say(again, r#"{"result": {"type": "client", "name": "Ann"}}"#);
        assert_eq!(world.hub.connection(again).unwrap().name().unwrap().as_str(), "Ann[lab:2]");
        // Who only listens still gets its request through.
        world.read_again(echo);
        assert_eq!(world.hear_uids(echo).len(), if fails { 1 } else { 3 });
    }
}

#[test]
fn a_client_that_waits_for_room_gets_an_error_when_the_service_leaves() {
    let mut world = World::with(narrow());
    let (echo, ann) = stalled(&mut world);
    // Nothing else of Bob's is there that could call his attention to it.
    let bob = world.client("Bob");
    world.say(bob, &request("Echo", "echo", "4"));
    world.lose(echo);
    let gone = |uid: i32| (left("Echo"), uid.into());
    assert_eq!(world.hear_errors(ann), [gone(2), gone(1), gone(3)]);
    assert_eq!(world.hear_errors(bob), [gone(4)]);
}

#[test]
fn who_does_not_read_its_answers_cannot_ask_for_more() {
    let mut world = World::with(narrow());
    let echo = world.service("Echo");
    let (ann, bob) = (world.client("Ann"), world.client("Bob"));
    for uid in ["1", "2", "3"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    world.stop_reading(ann);
    for uid in ["1", "2", "3"] {
        world.say(echo, &reply("Ann[lab:2]", uid, "[1, 2, 3, 4, 5]"));
    }
    world.hear(echo);
    world.say(ann, &request("Echo", "echo", "4"));
    world.say(bob, &request("Echo", "echo", "5"));
    assert_eq!(world.hear_uids(echo), [5], "the service is read all the time, and others are served");
    world.read_again(ann);
    assert_eq!(world.hear_uids(ann), [1, 2, 3]);
    assert_eq!(world.hear_uids(echo), [4]);
}

#[test]
fn a_service_that_does_not_read_its_own_answers_can_ask_no_more_and_answers_its_clients_when_it_reads() {
    const QUESTIONS: usize = 1200;
    let mut world = World::with(narrow());
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    world.say(ann, &request("Echo", "echo", "7"));
    world.hear(echo);
    world.stop_reading(echo);
    let questions = format!("{}\r\n", ask("identity", "", "1")).repeat(QUESTIONS);
    for _ in 0..3 {
        world.send(echo, questions.clone());
    }
    world.say(echo, &reply("Ann[lab:2]", "7", "null"));
    // One packet ahead, and a few answers.
    let most = READ_AHEAD + questions.len() + 4096;
    assert!(world.hub.held() < most, "{} of {most}", world.hub.held());
    assert!(world.unread(echo) > questions.len());
    assert_eq!(world.hear(ann).len(), 0);
    world.read_again(echo);
    assert_eq!(world.hear_uids(ann), [7]);
    assert_eq!(world.hear(echo).len(), 3 * QUESTIONS);
    assert_eq!(world.hub.held(), 0);
}

#[test]
fn no_request_is_lost_when_a_client_that_reads_slowly_closes_its_side() {
    let mut world = World::with(narrow());
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    world.say(ann, &request("Echo", "echo", "1"));
    world.stop_reading(ann);
    world.say(echo, &reply("Ann[lab:2]", "1", &format!("\"{}\"", "x".repeat(200))));
    world.hear(echo);
    // Given a request that is not looked at, since the answer before it has not been read.
    world.say(ann, &request("Echo", "echo", "2"));
    world.end(ann);
    assert_eq!(world.hear(echo).len(), 0);
    world.read_again(ann);
    assert_eq!(world.hear_uids(echo), [2]);
    world.say(echo, &reply("Ann[lab:2]", "2", "null"));
    assert_eq!(world.hear_uids(ann), [1, 2]);
}

#[test]
fn a_client_with_too_many_open_requests_is_not_read() {
    let mut world = World::with(Limits { open_requests: 2, ..Limits::default() });
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    for uid in ["1", "2", "3", "4"] {
        world.say(ann, &request("Echo", "echo", uid));
    }
    assert_eq!(world.hear_uids(echo), [1, 2]);
    world.say(echo, &reply("Ann[lab:2]", "2", "null"));
    assert_eq!(world.hear_uids(echo), [3]);
}

#[test]
fn a_device_that_takes_nothing_for_too_long_is_ended_as_a_slow_consumer() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let (ann, bob) = (world.client("Ann"), world.client("Bob"));
    world.stop_reading(echo);
    for (client, uid) in [(ann, "1"), (bob, "2")] {
        world.say(client, &request("Echo", "echo", uid));
    }
    world.wait(just_before(Limits::default().write_timeout));
    assert_eq!(world.hear(ann).len(), 0);
    assert_eq!(world.wait_for_deadline(), (SECOND, Why::Write));
    assert_eq!(world.hear_errors(ann), [(left("Echo"), 1.into())]);
    assert_eq!(world.hear_errors(bob), [(left("Echo"), 2.into())]);
    assert_eq!(world.ending(echo), Some(Ending::SlowConsumer));
    world.service("Echo");
    // It takes no more; the connection is closed all the same.
    world.wait(4 * Limits::default().linger);
    assert!(world.is_gone(echo));
}

#[test]
fn a_client_that_takes_nothing_for_too_long_harms_nobody_else() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let (ann, bob) = (world.client("Ann"), world.client("Bob"));
    world.stop_reading(ann);
    for (client, uid) in [(ann, "1"), (ann, "2"), (bob, "3")] {
        world.say(client, &request("Echo", "echo", uid));
    }
    world.say(echo, &reply("Ann[lab:2]", "1", "null"));
    world.wait(Limits::default().write_timeout);
    assert_eq!(world.ending(ann), Some(Ending::SlowConsumer));
    world.say(echo, &reply("Bob[lab:3]", "3", "null"));
    assert_eq!(world.hear_uids(bob), [3]);
    world.wait(4 * Limits::default().linger);
    assert!(world.is_gone(ann));
}

#[test]
fn progress_gives_a_device_new_time() {
    let mut world = World::new();
    let echo = world.service("Echo");
    let ann = world.client("Ann");
    for round in 0..3 {
        world.stop_reading(echo);
        world.say(ann, &request("Echo", "echo", &format!("{round}")));
        world.wait(just_before(Limits::default().write_timeout));
        world.read_again(echo);
    }
    assert_eq!(world.hear_uids(echo), [0, 1, 2]);
    assert_eq!(world.hub.deadline(), None);
}
