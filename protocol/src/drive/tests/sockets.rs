//! What happens between sockets.

use super::lab::{Device, Lab};
use crate::connection::{Action, Ending, Note};
use crate::limits::{LINES_PER_TURN, Limits};
use crate::testing::{DISCONNECT, SECOND, just_before, left, notification, reply, request};

/// The service Echo at port 0 and the client Ann at port 1.
fn echo_and_ann(lab: &mut Lab) -> (Device, Device) {
    (lab.service("Echo"), lab.client("Ann"))
}

fn noted(lab: &Lab, note: &Note) -> bool {
    lab.acts().iter().any(|(_, action)| *action == Action::Note(note.clone()))
}

#[test]
fn a_request_and_its_reply_travel_between_two_tasks() {
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    lab.say(ann, &request("Echo", "echo", "7"));
    assert_eq!(lab.hear(echo)[0]["requester"], "Ann[lab:1]");
    lab.say(echo, &reply("Ann[lab:1]", "7", "[1]"));
    assert_eq!(lab.hear(ann)[0]["result"], serde_json::json!([1]));
}

#[test]
fn nobody_is_woken_but_those_whom_it_concerns() {
    let mut lab = Lab::new();
    let (_, ann) = echo_and_ann(&mut lab);
    let bob = lab.client("Bob");
    let polls = lab.polls(bob);
    lab.say(ann, &request("Echo", "echo", "7"));
    assert_eq!(lab.polls(bob), polls);
    // And a task that has nothing to do comes to rest at once.
    lab.run();
    assert_eq!(lab.polls(bob), polls);
}

#[test]
fn a_notification_wakes_every_client_that_is_linked() {
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    let bob = lab.client("Bob");
    for client in [ann, bob] {
        lab.say(client, "link Echo");
        lab.hear(client);
    }
    lab.say(echo, &notification("Echo", "x"));
    assert_eq!(lab.hear_uids(ann), ["notification"]);
    assert_eq!(lab.hear_uids(bob), ["notification"]);
}

#[test]
fn a_socket_that_takes_few_bytes_at_a_time_gets_every_byte_in_order() {
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    lab.give_room(echo, Some(0));
    for uid in ["1", "2", "3"] {
        lab.say(ann, &request("Echo", "echo", uid));
    }
    let mut heard = Vec::new();
    while memchr::memchr_iter(b'\n', &heard).count() < 3 {
        lab.give_room(echo, Some(7));
        let portion = lab.hear_bytes(echo);
        assert!((1..=7).contains(&portion.len()), "{}", String::from_utf8_lossy(&heard));
        heard.extend(portion);
    }
    let lines = std::str::from_utf8(&heard).unwrap().lines();
    let uids = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["uid"].clone());
    assert_eq!(uids.collect::<Vec<_>>(), [1, 2, 3]);
    lab.give_room(echo, None);
    assert_eq!(lab.manager.budget.held(), 0);
}

#[test]
fn a_full_service_holds_its_client_up_and_the_client_is_woken_when_there_is_room() {
    let mut lab = Lab::with(Limits { service_mailbox: 200, ..Limits::default() });
    let (echo, ann) = echo_and_ann(&mut lab);
    lab.give_room(echo, Some(0));
    for uid in 1..=6 {
        lab.say(ann, &request("Echo", "echo", &format!("{uid}")));
    }
    // When the service reads, everything comes, though nobody touches the client's socket.
    lab.give_room(echo, None);
    assert_eq!(lab.hear_uids(echo), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_request_that_finds_no_room_in_time_is_refused() {
    let limits = Limits { service_mailbox: 1, ..Limits::default() };
    let mut lab = Lab::with(limits.clone());
    let (echo, ann) = echo_and_ann(&mut lab);
    lab.give_room(echo, Some(0));
    for uid in ["1", "2"] {
        lab.say(ann, &request("Echo", "echo", uid));
    }
    lab.wait(limits.service_wait);
    let heard = lab.hear(ann);
    assert_eq!((heard.len(), &heard[0]["uid"]), (1, &2.into()));
    assert!(heard[0]["message"].as_str().unwrap().starts_with("TimeoutError: "));
}

#[test]
fn the_sending_side_is_closed_when_all_is_written_and_the_rest_is_read_to_its_end() {
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    lab.say(ann, &request("Echo", "echo", "7"));
    lab.give_room(ann, Some(10));
    lab.say(echo, &reply("Ann[lab:1]", "7", "null"));
    lab.say(ann, DISCONNECT);
    assert!(!lab.socket(ann).manager_closed, "half an answer is on its way");
    lab.give_room(ann, None);
    assert!(lab.socket(ann).manager_closed);
    assert_eq!(lab.hear_uids(ann), [7]);
    // What the device still sends is read, so that the end is no reset.
    assert!(!lab.has_ended(ann));
    lab.say(ann, "something");
    lab.end(ann);
    assert!(lab.socket(ann).end_was_read && lab.has_ended(ann));
}

#[test]
fn a_device_that_does_not_close_its_side_is_waited_for_five_seconds() {
    let mut lab = Lab::new();
    let ann = lab.client("Ann");
    lab.say(ann, DISCONNECT);
    let linger = Limits::default().linger;
    lab.wait(just_before(linger));
    assert!(!lab.has_ended(ann));
    lab.wait(SECOND);
    assert!(lab.has_ended(ann));
    lab.assert_empty();
}

#[test]
fn a_client_that_closes_its_side_still_gets_its_answers() {
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    lab.say(ann, &request("Echo", "echo", "7"));
    lab.end(ann);
    assert!(!lab.socket(ann).manager_closed);
    lab.say(echo, &reply("Ann[lab:1]", "7", "null"));
    assert_eq!(lab.hear_uids(ann), [7]);
    assert!(lab.has_ended(ann));
}

#[test]
fn a_socket_that_fails_leaves_nobody_waiting() {
    for dropped in [true, false] {
        let mut lab = Lab::new();
        let (echo, ann) = echo_and_ann(&mut lab);
        let bob = lab.client("Bob");
        lab.give_room(echo, Some(0));
        for (client, uid) in [(ann, "1"), (bob, "2"), (ann, "3")] {
            lab.say(client, &request("Echo", "echo", uid));
        }
        // A driver that is dropped leaves like one whose socket has failed.
        if dropped {
            lab.drop_task(echo);
        } else {
            lab.lose(echo);
        }
        assert!(lab.has_ended(echo));
        for (client, uids) in [(ann, &[1, 3][..]), (bob, &[2])] {
            let heard = lab.hear(client);
            assert!(heard.iter().all(|error| error["message"] == left("Echo")), "{heard:?}");
            let mut answered: Vec<_> = heard.iter().map(|error| error["uid"].as_i64().unwrap()).collect();
            answered.sort_unstable();
            assert_eq!(answered, uids);
        }
        // Its name is free, and nothing of it is left.
        lab.service("Echo");
        lab.hear(ann);
        assert_eq!(lab.manager.budget.held(), 0);
        for device in [ann, bob, 3] {
            lab.lose(device);
        }
        lab.assert_empty();
    }
}

#[test]
fn who_does_something_for_a_connection_can_see_that_it_has_ended() {
    for dropped in [true, false] {
        let mut lab = Lab::new();
        let device = lab.connect();
        let handle = lab.manager.connections.lock().unwrap().values().next().cloned().unwrap();
        assert!(!handle.has_ended());
        if dropped {
            lab.drop_task(device);
        } else {
            lab.lose(device);
        }
        assert!(handle.has_ended());
    }
}

#[test]
fn what_a_device_said_before_its_socket_failed_is_not_lost() {
    // One answer, or more than one read gives.
    for answers in [1, 30] {
        let mut lab = Lab::new();
        // In this order Ann's task has its turn first.
        let (ann, echo) = (lab.client("Ann"), lab.service("Echo"));
        for uid in 0..answers {
            lab.say(ann, &request("Echo", "echo", &format!("{uid}")));
        }
        lab.hear(echo);
        lab.socket(echo).refuses_bytes = true;
        let result = format!("\"{}\"", "x".repeat(10_000));
        for uid in 0..answers {
            lab.send(echo, &(reply("Ann[lab:0]", &format!("{uid}"), &result) + "\r\n"));
        }
        // Given that in the same turn there is something to be written.
        lab.say(ann, &request("Echo", "echo", "99"));
        assert!(lab.has_ended(echo));
        let heard = lab.hear(ann);
        let answered: Vec<_> = heard.iter().filter(|line| line["error"] == false).collect();
        assert_eq!(answered.len(), answers);
        let errors: Vec<_> = heard.iter().filter(|line| line["error"] == true).collect();
        assert_eq!((errors.len(), &errors[0]["uid"]), (1, &99.into()));
        assert_eq!(errors[0]["message"], left("Echo"));
    }
}

#[test]
fn what_a_client_said_before_its_socket_failed_is_not_lost_though_its_turn_is_not_over() {
    // Given a device that has gone: what it said is still there, nothing else.
    let mut lab = Lab::new();
    let ann = lab.client("Ann");
    lab.acts();
    {
        let mut socket = lab.socket(ann);
        socket.refuses_bytes = true;
        socket.resets_at_the_end = true;
    }
    // When there is something to be written, and more behind it than a turn takes.
    let lines = LINES_PER_TURN + 8;
    let unexpected = vec!["{\"result\": 1}"; lines].join("\n");
    lab.say(ann, &format!("identity\n{unexpected}"));
    assert!(lab.has_ended(ann));
    let acts = lab.acts();
    let noted =
        acts.iter().filter(|(_, action)| matches!(action, Action::Note(Note::UnexpectedReply { .. })));
    assert_eq!(noted.count(), lines);
    lab.assert_empty();
}

#[test]
fn what_a_dead_service_had_not_taken_is_not_counted_while_its_client_waits_elsewhere() {
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    let other = lab.service("Other");
    lab.say(ann, &request("Other", "echo", "1"));
    lab.give_room(echo, Some(0));
    lab.say(ann, &request("Echo", "echo", "2"));
    lab.lose(echo);
    assert_eq!(lab.manager.budget.held(), 0);
    lab.say(other, &reply("Ann[lab:1]", "1", "null"));
    assert_eq!(lab.hear_uids(ann), [2, 1]);
}

#[test]
fn a_shutdown_waits_for_answers_and_ends_every_task() {
    let limits = Limits::default();
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    let stranger = lab.connect();
    for uid in ["1", "2"] {
        lab.say(ann, &request("Echo", "echo", uid));
    }
    let manager = lab.manager.clone();
    let all_gone = lab.spawn(async move { manager.admission().all_gone().await });
    lab.manager.shut_down();
    lab.run();
    assert!(lab.socket(stranger).manager_closed);
    lab.say(echo, &reply("Ann[lab:1]", "1", "null"));
    assert_eq!(lab.hear_uids(ann), [1]);
    lab.wait(limits.shutdown);
    let heard = lab.hear(ann);
    assert_eq!((heard.len(), &heard[0]["uid"]), (1, &2.into()));
    assert_eq!(heard[0]["message"], "ConnectionError: the Manager is shutting down");
    assert!(lab.socket(echo).manager_closed && lab.socket(ann).manager_closed);
    assert!(!lab.has_ended(all_gone));
    // Whoever does not close is not waited for.
    lab.wait(2 * limits.linger);
    assert!(lab.has_ended(all_gone));
    lab.assert_empty();
}

#[test]
fn who_reads_slowly_does_not_hold_a_shutdown_up() {
    // Given one device that was leaving before, and one that is not.
    let limits = Limits::default();
    let mut lab = Lab::new();
    let (ann, bob) = (lab.client("Ann"), lab.client("Bob"));
    for client in [ann, bob] {
        lab.give_room(client, Some(0));
        lab.say(client, "identity");
    }
    lab.say(ann, DISCONNECT);
    // When they take a byte now and then.
    lab.manager.shut_down();
    lab.run();
    for _ in 0..(limits.shutdown + limits.linger).as_secs() {
        assert!(!lab.has_ended(ann));
        lab.give_room(ann, Some(1));
        lab.give_room(bob, Some(1));
        lab.wait(SECOND);
    }
    // Then what they have not taken is given up, though each of them makes progress.
    assert!(lab.has_ended(ann) && lab.has_ended(bob));
    lab.assert_empty();
}

#[test]
fn who_comes_in_while_the_manager_shuts_down_is_closed_at_once() {
    let mut lab = Lab::new();
    lab.manager.shut_down();
    let late = lab.connect();
    assert!(lab.socket(late).manager_closed);
}

#[test]
fn an_administrator_ends_the_connection_of_a_network_name() {
    let mut lab = Lab::new();
    let ann = lab.client("Ann");
    assert!(!lab.manager.disconnect("Ann"));
    assert!(lab.manager.disconnect("Ann[lab:0]"));
    lab.run();
    assert!(lab.socket(ann).manager_closed);
    assert!(noted(&lab, &Note::Ending(Ending::Administrator)));
}

#[test]
fn a_device_is_known_by_its_name_to_the_end() {
    for lost in [true, false] {
        let mut lab = Lab::new();
        let ann = lab.connect();
        assert!(lab.acts().is_empty());
        lab.say(ann, r#"{"result": {"type": "client", "name": "Ann"}}"#);
        if lost {
            lab.lose(ann);
        } else {
            lab.say(ann, DISCONNECT);
        }
        let acts = lab.acts();
        assert_eq!(acts.len(), 2, "{acts:?}");
        assert!(acts.iter().all(|(caller, _)| caller == "Ann[lab:0]"), "{acts:?}");
    }
    // One that has no name is known by its address.
    let mut lab = Lab::new();
    let stranger = lab.connect();
    lab.lose(stranger);
    assert_eq!(lab.acts()[0].0, "10.0.0.7:0");
}

#[test]
fn a_device_that_takes_nothing_is_ended_as_a_slow_consumer() {
    // Either its socket takes nothing, or what it took does not leave it.
    for stuck in [true, false] {
        let mut lab = Lab::new();
        let (echo, ann) = echo_and_ann(&mut lab);
        if stuck {
            lab.socket(echo).stuck = true;
        } else {
            lab.give_room(echo, Some(0));
        }
        lab.say(ann, &request("Echo", "echo", "7"));
        lab.wait(Limits::default().write_timeout);
        assert!(noted(&lab, &Note::Ending(Ending::SlowConsumer)), "{stuck}");
        assert_eq!(lab.hear_uids(ann), [7]);
        lab.wait(4 * Limits::default().linger);
        assert!(lab.has_ended(echo), "{stuck}");
        assert_eq!(lab.manager.budget.held(), 0);
    }
}

#[test]
fn notifications_that_come_at_once_end_nobody_who_reads() {
    let mut lab = Lab::with(Limits { notifications: 1000, ..Limits::default() });
    let (echo, ann) = echo_and_ann(&mut lab);
    lab.say(ann, "link Echo");
    lab.hear(ann);
    // Given that it could not write for a while, and has done so since.
    lab.give_room(ann, Some(10));
    lab.say(echo, &notification("Echo", "x"));
    lab.give_room(ann, None);

    lab.say(echo, &vec![notification("Echo", "x"); 100].join("\n"));

    assert_eq!(lab.hear(ann).len(), 101);
    assert!(!lab.has_ended(ann));
}
