//! What an identified device says becomes events (docs/wire.md, sections 2, 5 and 8).

use super::*;
use crate::mailbox::Uid;
use crate::testing::{DISCONNECT, ask, notification, reply, request};

/// A request of Bob, whose mailbox is 9.
fn from_bob(uid: &str) -> Parcel<u8> {
    let address = Address { host: "lab".into(), port: 9 };
    Parcel::Request(Request {
        client: ConnectionId(9),
        requester: NetworkName::new(&DeviceName::new("Bob").unwrap(), &address),
        reply_to: 9,
        uid: Uid { raw: uid.as_bytes().into(), canonical: uid.as_bytes().into() },
        line: Rope::from("a line\r\n"),
    })
}

/// So much waits for the device itself.
fn backlog(bytes: usize) -> Pressure {
    Pressure { backlog: bytes, own: 0 }
}

#[test]
fn a_line_becomes_what_it_asks_for() {
    let mut peer = Peer::client();
    for (line, event) in [
        (request("Echo", "echo", "1"), "request to Echo, uid 1"),
        (ask("identity", "", "2"), "Identity, uid 2"),
        (ask("link", "Echo", "3"), "Link(\"Echo\"), uid 3"),
        (ask("unlink", "Echo", "4"), "Unlink(\"Echo\"), uid 4"),
        (ask("acquire_lock", "Echo", "5"), "AcquireLock { service: \"Echo\", shared: false }, uid 5"),
        (ask("release_lock", "Echo", "6"), "ReleaseLock(\"Echo\"), uid 6"),
        ("identity".into(), "Identity, uid \"\""),
        ("LINK Echo".into(), "Link(\"Echo\"), uid \"\""),
        ("linker Echo".into(), "request to linker, uid \"\""),
        ("Manager link Echo".into(), "Link(\"Echo\"), uid \"\""),
    ] {
        assert_eq!(peer.says(&line), [event], "{line}");
    }
}

#[test]
fn several_lines_in_one_packet_are_taken_in_order() {
    let mut peer = Peer::client();
    let lines =
        [request("Echo", "a", "1"), "identity".into(), request("Echo", "b", "2"), String::new()].join("\n");
    assert_eq!(
        peer.sends(lines.as_bytes()),
        ["request to Echo, uid 1", "Identity, uid \"\"", "request to Echo, uid 2"]
    );
}

#[test]
fn a_service_owes_what_is_being_written_to_it_and_nothing_else() {
    let mut peer = Peer::service();
    let answer = reply("Bob[lab:9]", "7", "null");
    assert_eq!(peer.says(&answer), ["note: sent a reply that Bob[lab:9] does not wait for; dropped"]);
    peer.connection.outgoing(from_bob("7"));
    assert_eq!(peer.says(&answer), ["to 9: answer null, uid 7"]);
    assert_eq!(peer.says(&answer), ["note: sent a reply that Bob[lab:9] does not wait for; dropped"]);
}

#[test]
fn a_service_is_busy_until_it_has_answered_everything() {
    let mut peer = Peer::service();
    assert!(!peer.connection.is_busy());
    for uid in ["7", "8"] {
        peer.connection.outgoing(from_bob(uid));
    }
    peer.says(&reply("Bob[lab:9]", "7", "null"));
    assert!(peer.connection.is_busy());
    peer.says(&reply("Bob[lab:9]", "8", "null"));
    assert!(!peer.connection.is_busy());
}

#[test]
fn a_service_forgets_a_client_or_answers_for_what_it_owes() {
    for answer in [true, false] {
        let mut peer = Peer::service();
        peer.connection.outgoing(from_bob("7"));
        let Parcel::Request(request) = from_bob("8") else { unreachable!() };
        let notice = Notice::Forget { client: ConnectionId(9), requester: request.requester, answer };
        let error = "to 9: error ConnectionError: this connection is being closed; the 'Ann' service has not \
                     answered, uid 7";
        assert_eq!(peer.told(notice), Vec::from_iter(answer.then_some(error)));
        let answer = peer.says(&reply("Bob[lab:9]", "7", "null"));
        assert_eq!(answer, ["note: sent a reply that Bob[lab:9] does not wait for; dropped"]);
    }
}

#[test]
fn a_client_with_open_requests_tells_their_services_when_it_leaves() {
    let mut peer = Peer::client();
    peer.connection.asked(ConnectionId(3), 3);
    peer.connection.asked(ConnectionId(3), 3);
    peer.connection.asked(ConnectionId(4), 4);
    let events = peer.says(DISCONNECT);
    let tells: Vec<_> = events.iter().filter(|event| event.starts_with("tell ")).collect();
    assert_eq!(tells.len(), 2, "once each: {events:?}");
    assert!(tells.iter().all(|tell| tell.contains("answer: false")), "{events:?}");
}

#[test]
fn a_client_that_has_all_its_answers_has_nobody_to_tell() {
    let mut peer = Peer::client();
    peer.connection.asked(ConnectionId(3), 3);
    peer.connection.outgoing(Parcel::answer(Rope::from("an answer\r\n")));
    let events = peer.says(DISCONNECT);
    assert!(!events.iter().any(|event| event.starts_with("tell ")), "{events:?}");
}

#[test]
fn a_client_that_has_one_of_two_answers_still_tells_their_services() {
    let mut peer = Peer::client();
    peer.connection.asked(ConnectionId(3), 3);
    peer.connection.asked(ConnectionId(4), 4);
    peer.connection.outgoing(Parcel::answer(Rope::from("an answer\r\n")));
    // It does not know which of them has answered.
    let events = peer.says(DISCONNECT);
    assert_eq!(events.iter().filter(|event| event.starts_with("tell ")).count(), 2, "{events:?}");
}

#[test]
fn nothing_is_taken_from_a_client_that_is_above_its_high_water_mark() {
    let limits = Limits::default();
    let mut peer = Peer::client();
    let mut events = Vec::new();
    let line = format!("{}\n", request("Echo", "echo", "7"));
    peer.connection.receive(Bytes::from(line), peer.now, &mut events);
    assert!(!peer.connection.advance(peer.now, backlog(limits.client_mailbox), &mut events));
    assert!(events.is_empty());
    assert!(peer.connection.advance(peer.now, backlog(limits.client_mailbox - 1), &mut events));
    assert_eq!(events.len(), 1);
}

#[test]
fn a_service_is_read_however_much_waits_for_it() {
    let mut peer = Peer::service();
    let mut events = Vec::new();
    peer.connection.receive(Bytes::from(notification("Ann", "x") + "\n"), peer.now, &mut events);
    assert!(peer.connection.advance(peer.now, backlog(usize::MAX), &mut events));
}

#[test]
fn a_service_that_does_not_read_the_answers_to_its_own_questions_can_ask_no_more() {
    let limits = Limits::default();
    let mut peer = Peer::service();
    let mut events = Vec::new();
    peer.connection.receive(Bytes::from(ask("identity", "", "7") + "\n"), peer.now, &mut events);
    let answers = |bytes| Pressure { backlog: bytes, own: bytes };
    assert!(!peer.connection.advance(peer.now, answers(limits.client_mailbox), &mut events));
    assert!(peer.connection.advance(peer.now, answers(limits.client_mailbox - 1), &mut events));
}

#[test]
fn a_uid_is_at_most_a_kibibyte() {
    let mut peer = Peer::client();
    let uid = format!("\"{}\"", "x".repeat(1022));
    assert_eq!(peer.says(&request("Echo", "echo", &uid)), [format!("request to Echo, uid {uid}")]);
    let uid = format!("\"{}\"", "x".repeat(1023));
    let events = peer.says(&request("Echo", "echo", &uid));
    // It is not kept, and so not given back either.
    assert_eq!(events[0], "error ValueError: a uid has at most 1024 bytes, uid \"\"");
}

#[test]
fn a_request_to_the_manager_has_at_most_a_mebibyte() {
    let mut peer = Peer::client();
    let padding = (1 << 20) - ask("identity", "", "7").len();
    let longest = ask("identity", &"x".repeat(padding), "7");
    assert_eq!(peer.says(&longest), ["Identity, uid 7"]);
    let events = peer.says(&ask("identity", &"x".repeat(padding + 1), "7"));
    assert_eq!(events[0], "error ValueError: a request to the Manager has at most 1048576 bytes, uid 7");
}

#[test]
fn a_name_in_a_message_has_at_most_eight_kibibytes() {
    // The quotation marks count.
    let name = |bytes: usize| "x".repeat(bytes - 2);
    let mut peer = Peer::client();
    let longest = name(8 * 1024);
    assert_eq!(peer.says(&request(&longest, "echo", "7")), [format!("request to {longest}, uid 7")]);
    let too_long = name(8 * 1024 + 1);
    for (line, text) in [
        (request(&too_long, "echo", "7"), "ValueError: the service has at most 8192 bytes"),
        (request("Echo", &too_long, "7"), "ValueError: the attribute has at most 8192 bytes"),
        (ask("link", &too_long, "7"), "TypeError: link needs the name of a service as its first argument"),
    ] {
        assert_eq!(peer.says(&line)[0], format!("error {text}, uid 7"));
    }
    assert_eq!(peer.says(&request("Echo", "echo", "8")), ["request to Echo, uid 8"], "nothing else is lost");
}

#[test]
fn what_is_read_ahead_of_a_client_that_waits_has_at_most_64_kibibytes() {
    let mut peer = Peer::client();
    // Given input that nobody looks at, since it has to wait.
    for (bytes, more) in [(READ_AHEAD - 1, true), (1, false)] {
        peer.connection.receive(Bytes::from("x".repeat(bytes)), peer.now, &mut Vec::new());
        assert_eq!(peer.connection.wants_input(), more);
    }
}

#[test]
fn an_incomplete_line_is_given_up_from_64_kibibytes_on_however_it_came() {
    // Small pieces are gathered, where there is room to spare.
    for piece in [WORTH_GIVING_UP, 20 * 1024, 1000, 1] {
        for (bytes, given_up) in [(WORTH_GIVING_UP - 1, false), (WORTH_GIVING_UP, true)] {
            let mut peer = Peer::client();
            let mut beginning = String::from(r#"{"service": ""#);
            beginning.push_str(&"x".repeat(bytes - beginning.len()));
            for piece in beginning.as_bytes().chunks(piece) {
                assert_eq!(peer.sends(piece), [""; 0]);
            }
            assert_eq!(peer.connection.incomplete(), bytes);
            peer.told(Notice::SkipLine);
            assert_eq!(peer.connection.incomplete() == 0, given_up, "{bytes} in pieces of {piece}");
        }
    }
}
