//! How much of what a device says is looked at before others have their turn, and that the rest is not forgotten.

use super::lab::{Device, Lab};
use crate::limits::{LINES_PER_TURN, Limits, TURN};
use crate::testing::{notification, reply, request};

/// So many lines come in one piece: three turns are not enough for them.
const LINES: usize = 3 * LINES_PER_TURN + 4;

/// The service Echo at port 0 and the client Ann at port 1.
fn echo_and_ann(lab: &mut Lab) -> (Device, Device) {
    (lab.service("Echo"), lab.client("Ann"))
}

/// A request with the uid 7, of six turns.
fn long_request() -> String {
    request("Echo", "echo", "7").replace("[]", &format!("[\"{}\"]", "x".repeat(6 * TURN)))
}

/// Requests in one piece, with uids from 0 on.
fn requests() -> String {
    (0..LINES).map(|uid| request("Echo", "echo", &format!("{uid}")) + "\r\n").collect()
}

/// The answers to them.
fn replies() -> String {
    (0..LINES).map(|uid| reply("Ann[lab:1]", &format!("{uid}"), "null") + "\r\n").collect()
}

/// Whether each of the requests has got one answer, in whatever order.
fn all_answered(lab: &mut Lab, client: Device) -> bool {
    let mut uids: Vec<_> = lab.hear_uids(client).iter().map(|uid| uid.as_u64().unwrap()).collect();
    uids.sort_unstable();
    uids.into_iter().eq(0..LINES as u64)
}

#[test]
fn a_turn_reads_so_much_and_then_others_have_theirs() {
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    let polls = lab.polls(ann);
    lab.say(ann, &long_request());
    assert!(lab.polls(ann) - polls >= 6);
    let most = lab.socket(ann).most_read_in_a_turn;
    assert!(most <= TURN + 64 * 1024, "{most}");
    assert_eq!(lab.hear_uids(echo), [7]);
    assert_eq!(lab.manager.budget.held(), 0);
}

#[test]
fn no_write_is_so_long_that_it_holds_others_up() {
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    let polls = lab.polls(echo);
    lab.say(ann, &long_request());
    let longest = lab.socket(echo).longest_write;
    assert_eq!(longest, 2 * TURN);
    assert!(lab.polls(echo) - polls >= 2);
    assert_eq!(lab.hear_uids(echo), [7]);
}

#[test]
fn a_client_has_a_turn_of_so_many_lines_and_goes_on_by_itself() {
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    let polls = lab.polls(ann);
    // When nothing more comes that could wake it.
    lab.begin(ann, &requests());
    assert_eq!(lab.hear_uids(echo), (0..LINES).collect::<Vec<_>>());
    assert!(lab.polls(ann) - polls >= 4, "{}", lab.polls(ann) - polls);
}

#[test]
fn a_service_has_its_first_requests_before_the_manager_has_seen_the_last() {
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    lab.send(ann, &requests());
    while lab.hear_bytes(echo).is_empty() {
        assert!(lab.run_one());
    }
    let before = lab.polls(ann);
    lab.run();
    assert!(lab.polls(ann) > before);
}

#[test]
fn what_is_queued_counts_although_the_device_has_closed_its_side() {
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    lab.send(ann, &requests());
    lab.end(ann);
    assert_eq!(lab.hear_uids(echo), (0..LINES).collect::<Vec<_>>());
    lab.begin(echo, &replies());
    assert!(all_answered(&mut lab, ann));
    assert!(lab.has_ended(ann));
}

#[test]
fn who_is_disconnected_with_lines_queued_gets_an_answer_for_each() {
    for shutdown in [true, false] {
        let mut lab = Lab::new();
        let (echo, ann) = echo_and_ann(&mut lab);
        // Given a client that has had one turn, and needs more.
        lab.send(ann, &requests());
        assert!(lab.run_one());
        // When it is told to go before the next.
        if shutdown {
            lab.manager.shut_down();
        } else {
            assert!(lab.manager.disconnect("Ann[lab:1]"));
        }
        lab.run();
        // Then the service gets none but those of the first turn, and the client an answer to each.
        let asked = lab.hear(echo).len();
        assert!(asked <= LINES_PER_TURN, "{asked}");
        lab.begin(echo, &replies());
        lab.wait(Limits::default().shutdown);
        assert!(all_answered(&mut lab, ann), "{shutdown}");
        assert!(lab.socket(ann).manager_closed);
    }
}

#[test]
fn a_service_has_no_limit_of_lines() {
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    lab.say(ann, "link Echo");
    lab.hear(ann);
    let polls = lab.polls(echo);
    lab.begin(echo, &(notification("Echo", "x") + "\n").repeat(LINES));
    assert_eq!(lab.polls(echo) - polls, 1);
    assert_eq!(lab.hear(ann).len(), LINES);
}

#[test]
fn a_busy_service_is_written_to_once_for_all_who_are_ready() {
    let mut lab = Lab::new();
    let (echo, ann) = echo_and_ann(&mut lab);
    let clients = ["Bob", "Cem", "Dan", "Eve"].map(|name| lab.client(name));
    lab.say(ann, &request("Echo", "echo", "1"));
    lab.hear(echo);
    for client in clients {
        lab.send(client, &format!("{}\r\n", request("Echo", "echo", "2")));
    }
    let polls = lab.polls(echo);
    lab.run();
    assert_eq!(lab.hear_uids(echo), [2; 4]);
    // It lets the others go first, and is woken by none of them meanwhile.
    assert_eq!(lab.polls(echo) - polls, 2);
}

#[test]
fn a_host_name_that_is_known_at_once_takes_no_further_turn() {
    let mut lab = Lab::new();
    let device = lab.connect();
    assert_eq!(lab.polls(device), 1);
    lab.say(device, r#"{"result": {"type": "client", "name": "Ann"}}"#);
    lab.say(device, &request("Manager", "identity", "1"));
    assert_eq!(lab.hear_uids(device).last().unwrap(), 1);
    // The name has it from there.
    assert!(lab.manager.disconnect("Ann[lab:0]"));
}
