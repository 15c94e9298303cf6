//! The memory budget between tasks: what is counted, and who is told when it is exceeded (docs/wire.md, section 10).

use super::lab::{Device, Lab};
use crate::connection::{Action, Ending, Note};
use crate::drive::lock;
use crate::instant::Instant;
use crate::limits::{Limits, READ_AHEAD};
use crate::mailbox::{ConnectionId, Mailbox, Notice};
use crate::testing::{DISCONNECT, SECOND, notification, reply, request};

const KIB: usize = 1024;

fn tight() -> Limits {
    Limits { max_frame: 400 * KIB, ..Limits::for_memory(512 * KIB) }
}

/// The service Echo at port 0 and the client Ann at port 1.
fn echo_and_ann(lab: &mut Lab) -> (Device, Device) {
    (lab.service("Echo"), lab.client("Ann"))
}

/// The beginning of a request with about this many bytes.
fn beginning(uid: &str, bytes: usize) -> String {
    format!(r#"{{"uid": {uid}, "service": "Echo", "attribute": "echo", "args": ["{}"#, "x".repeat(bytes))
}

const END: &str = "\"]}";

/// The names of those that were ended because they do not read.
fn slow_consumers(lab: &Lab) -> Vec<String> {
    let ended = Action::Note(Note::Ending(Ending::SlowConsumer));
    lab.acts().into_iter().filter(|(_, action)| *action == ended).map(|(caller, _)| caller).collect()
}

#[test]
fn the_largest_incomplete_line_is_given_up_when_memory_is_short() {
    let mut lab = Lab::with(tight());
    let (echo, ann) = echo_and_ann(&mut lab);
    let bob = lab.client("Bob");
    lab.begin(ann, &beginning("1", 300 * KIB));
    assert!(!lab.manager.is_short_of_memory());
    lab.begin(bob, &beginning("2", 250 * KIB));
    assert!(!lab.manager.is_short_of_memory());
    lab.say(ann, END);
    lab.say(bob, END);
    let heard = lab.hear(ann);
    assert_eq!((heard.len(), &heard[0]["error"], &heard[0]["uid"]), (1, &true.into(), &1.into()));
    assert_eq!(lab.hear_uids(echo), [2]);
    assert_eq!(lab.manager.budget.held(), 0);
}

#[test]
fn one_line_at_a_time_is_given_up() {
    let mut lab = Lab::with(tight());
    let (echo, ann) = echo_and_ann(&mut lab);
    let (bob, cem, dan) = (lab.client("Bob"), lab.client("Cem"), lab.client("Dan"));
    lab.begin(dan, &beginning("4", 200 * KIB));
    lab.begin(cem, &beginning("3", 150 * KIB));
    // Given that two go beyond the budget before the one with the largest line has its turn.
    lab.send(ann, &beginning("1", 120 * KIB));
    lab.send(bob, &beginning("2", 130 * KIB));
    lab.run();
    assert!(!lab.manager.is_short_of_memory());
    for client in [ann, bob, cem, dan] {
        lab.say(client, END);
    }
    assert_eq!(lab.hear_uids(echo), [1, 2, 3]);
    assert_eq!(lab.hear_uids(dan), [4]);
    // And its next line is taken.
    lab.say(dan, &request("Echo", "echo", "5"));
    assert_eq!(lab.hear_uids(echo), [5]);
    assert_eq!(lab.manager.budget.held(), 0);
}

#[test]
fn nobody_is_told_to_give_a_line_up_before_the_last_one_who_was_told_has_done_so() {
    let mut lab = Lab::with(tight());
    let (ann, bob) = (lab.client("Ann"), lab.client("Bob"));
    lab.begin(ann, &beginning("1", 200 * KIB));
    lab.begin(bob, &beginning("2", 100 * KIB));
    let notices = |lab: &Lab, client: Device| {
        let id = ConnectionId(u64::try_from(client).unwrap() + 1);
        lock(&lab.manager.connections)[&id].with(Mailbox::take_notices)
    };
    // Given that others want memory while Ann's task has not had its turn.
    for _ in 0..3 {
        lab.manager.relieve(Instant::EPOCH);
    }
    assert_eq!((notices(&lab, ann), notices(&lab, bob)), (vec![Notice::SkipLine], vec![]));
    // When the line has come to its end, or has gone, Bob's is the largest.
    lab.say(ann, END);
    lab.manager.relieve(Instant::EPOCH);
    assert_eq!((notices(&lab, ann), notices(&lab, bob)), (vec![], vec![Notice::SkipLine]));
}

#[test]
fn while_memory_stays_short_nobody_is_woken_over_and_over() {
    let mut lab = Lab::with(Limits { client_mailbox: KIB, ..tight() });
    let (echo, ann) = echo_and_ann(&mut lab);
    let (other, bob) = (lab.service("Other"), lab.client("Bob"));
    lab.give_room(echo, Some(0));
    for uid in 1..=10 {
        lab.say(ann, &(beginning(&format!("{uid}"), 60 * KIB) + END));
    }
    assert!(lab.manager.is_short_of_memory());
    let (polls, bobs) = (lab.polls(echo) + lab.polls(ann), lab.polls(bob));
    for uid in 0..100 {
        lab.say(bob, &request("Other", "echo", &format!("{uid}")));
        lab.say(other, &reply("Bob[lab:3]", &format!("{uid}"), "null"));
    }
    assert!(lab.manager.is_short_of_memory());
    assert_eq!(lab.hear(bob).len(), 100, "others are served");
    assert_eq!(lab.polls(bob) - bobs, 200, "once for each request, once for each reply");
    // Once in a second somebody is told.
    assert_eq!(lab.polls(echo) + lab.polls(ann) - polls, 0);
    lab.wait(SECOND);
    for _ in 0..10 {
        lab.say(bob, &request("Other", "echo", "7"));
    }
    assert_eq!(
        lab.polls(echo) + lab.polls(ann) - polls,
        2,
        "once, and a busy service lets the others go first"
    );
}

#[test]
fn when_memory_is_short_who_has_most_waiting_and_took_nothing_for_five_seconds_is_ended() {
    let limits = Limits { notifications: 1024 * KIB, client_mailbox: KIB, ..tight() };
    let mut lab = Lab::with(limits);
    let (echo, ann) = echo_and_ann(&mut lab);
    let bob = lab.client("Bob");
    for client in [ann, bob] {
        lab.say(client, "link Echo");
        lab.hear(client);
        lab.give_room(client, Some(0));
    }
    let large = notification("Echo", &"x".repeat(60 * KIB));
    for _ in 0..4 {
        lab.say(echo, &large);
    }
    assert!(!lab.manager.is_short_of_memory());
    lab.wait(Limits::default().linger);
    // Given that one of them has read just now.
    lab.give_room(bob, Some(1));
    lab.say(echo, &large);
    assert_eq!(slow_consumers(&lab), ["Ann[lab:1]"]);
    assert!(!lab.has_ended(bob));
    lab.give_room(bob, None);
    assert_eq!(lab.hear(bob).len(), 5);
}

#[test]
fn when_memory_is_short_who_has_little_waiting_is_left_alone() {
    let mut lab = Lab::with(tight());
    let (echo, ann) = echo_and_ann(&mut lab);
    lab.give_room(ann, Some(0));
    lab.say(ann, "identity");
    lab.wait(2 * Limits::default().linger);
    // Given many lines that are too small to be given up.
    for number in 0..10 {
        let device = lab.client(&format!("Client {number}"));
        lab.begin(device, &beginning("1", 60 * KIB));
    }
    assert!(lab.manager.is_short_of_memory());
    assert_eq!(slow_consumers(&lab), [""; 0]);
    lab.give_room(ann, None);
    assert_eq!(lab.hear(ann).len(), 1);
    assert!(!lab.has_ended(echo));
}

#[test]
fn bytes_that_come_one_by_one_while_a_connection_waits_are_counted_once_and_all_kept() {
    let limits = Limits { open_requests: 1, ..Limits::default() };
    let mut lab = Lab::with(limits);
    let (echo, ann) = echo_and_ann(&mut lab);
    lab.say(ann, &request("Echo", "echo", "0"));
    assert_eq!(lab.hear_uids(echo), [0]);
    lab.socket(ann).most_per_read = Some(1);
    let lines: String = (1..=1000).map(|uid| request("Echo", "echo", &format!("{uid}")) + "\r\n").collect();
    for portion in lines.as_bytes()[..READ_AHEAD + 100].chunks(1000) {
        lab.begin(ann, str::from_utf8(portion).unwrap());
    }
    assert_eq!(lab.manager.budget.held(), READ_AHEAD, "a little is read ahead, and no more");
    // The lines come out whole.
    lab.begin(ann, &lines[READ_AHEAD + 100..]);
    for uid in 0..1000 {
        lab.say(echo, &reply("Ann[lab:1]", &format!("{uid}"), "null"));
        assert_eq!(lab.hear_uids(echo), [uid + 1]);
    }
    lab.say(ann, DISCONNECT);
    lab.say(echo, &reply("Ann[lab:1]", "1000", "null"));
    assert_eq!(lab.hear(ann).len(), 1001);
    assert_eq!(lab.manager.budget.held(), 0);
}

#[test]
fn what_is_read_in_small_pieces_keeps_no_read_buffers() {
    let mut lab = Lab::with(Limits { open_requests: 1, ..Limits::default() });
    let (_, ann) = echo_and_ann(&mut lab);
    lab.say(ann, &request("Echo", "echo", "0"));
    {
        let mut socket = lab.socket(ann);
        socket.most_per_read = Some(5000);
        socket.read_to.clear();
    }
    lab.begin(ann, &" ".repeat(READ_AHEAD));
    assert_eq!(lab.manager.budget.held(), READ_AHEAD);
    // The pieces wait, and the one buffer has served for all of them.
    assert_eq!(lab.socket(ann).read_to.len(), 1);
}

#[test]
fn pieces_of_a_large_line_that_come_one_by_one_share_buffers() {
    // As records of TLS come.
    const PIECE: usize = 16 * KIB;
    let mut lab = Lab::new();
    let ann = lab.client("Ann");
    {
        let mut socket = lab.socket(ann);
        socket.most_per_read = Some(PIECE);
        socket.read_to.clear();
    }
    lab.begin(ann, &beginning("1", 1024 * KIB));
    let pieces = lab.socket(ann).read_to.clone();
    let buffers = pieces.iter().filter(|piece| !pieces.contains(&piece.wrapping_sub(PIECE))).count();
    assert!(pieces.len() >= 64 && buffers <= pieces.len() / 4 + 1, "{buffers} for {}", pieces.len());
}
