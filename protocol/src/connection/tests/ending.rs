//! The end of a connection in its order (docs/wire.md, section 9).

use super::*;
use crate::testing::{DISCONNECT, request};

#[test]
fn the_end_is_drain_then_linger_then_over() {
    let mut peer = Peer::client();
    assert_eq!(
        peer.says(DISCONNECT),
        ["note: is being disconnected: it asked to be disconnected", "leave", "close mailbox"]
    );
    assert_eq!(peer.flow(), Flow::Draining);
    peer.connection.sending_closed(peer.now);
    assert_eq!(peer.flow(), Flow::Lingering);
    assert_eq!(peer.says("whatever"), [""; 0]);
    assert_eq!(peer.ends(), [""; 0]);
    assert_eq!(peer.flow(), Flow::Ended);
    assert_eq!(peer.deadline(), None);
}

#[test]
fn what_comes_after_the_end_has_begun_is_thrown_away_unanswered() {
    // Given a client that waits for an answer, so that its connection is not closed yet.
    let mut peer = Peer::client();
    peer.connection.asked(ConnectionId(3), 3);
    peer.told(Notice::Disconnect);
    assert_eq!(peer.flow(), Flow::Open);
    assert!(peer.connection.wants_input());

    assert_eq!(peer.says(&request("Echo", "echo", "7")), [""; 0]);
    assert_eq!(peer.connection.held(), 0);
}

#[test]
fn what_came_too_late_to_be_done_is_answered_where_it_asks_for_something() {
    // Given a client that is not read, as it has as many open requests as it may.
    let limits = Limits { open_requests: 1, ..Limits::default() };
    let mut peer = Peer::identified(r#"{"type": "client", "name": "Ann"}"#, limits);
    peer.connection.asked(ConnectionId(3), 3);
    for line in
        [r#"{"uid": 7, "service": }"#, r#"{"service": }"#, "", "identity", &request("Echo", "echo", "8")]
    {
        assert_eq!(peer.says(line), [""; 0]);
    }
    let events = peer.told(Notice::Disconnect);
    // What cannot be read, and has no uid, gets nothing: a Python client would take that for the answer to another request.
    let text = "ConnectionError: this connection is being closed: an administrator disconnected it";
    let errors: Vec<_> = events.into_iter().filter(|event| event.starts_with("error")).collect();
    assert_eq!(errors, ["7", "\"\"", "8"].map(|uid| format!("error {text}, uid {uid}")));
}

#[test]
fn a_device_that_closed_first_is_not_lingered_for() {
    let mut peer = Peer::client();
    assert!(!peer.connection.has_ended_input());
    peer.ends();
    assert!(peer.connection.has_ended_input());
    assert_eq!(peer.flow(), Flow::Draining);
    peer.connection.sending_closed(peer.now);
    assert_eq!(peer.flow(), Flow::Ended);
}

#[test]
fn draining_takes_five_seconds_from_the_last_progress() {
    let linger = Limits::default().linger;
    let mut peer = Peer::client();
    peer.says(DISCONNECT);
    assert_eq!(peer.deadline(), Some((linger, Why::Linger)));
    peer.waits(linger.saturating_sub(SECOND));
    peer.connection.written(true, true, peer.now);
    assert_eq!(peer.deadline(), Some((linger, Why::Linger)));
    assert_eq!(peer.waits(linger), ["clear mailbox"]);
    assert_eq!(peer.flow(), Flow::Ended);
}

#[test]
fn draining_ends_however_slowly_bytes_go_out() {
    let limits = Limits::default();
    let step = just_before(limits.linger);
    let mut peer = Peer::client();
    peer.says(DISCONNECT);
    while peer.now + step < Instant::EPOCH + limits.write_timeout {
        assert_eq!(peer.waits(step), [""; 0]);
        assert_eq!(peer.flow(), Flow::Draining);
        peer.connection.written(true, true, peer.now);
    }
    let (left, why) = peer.deadline().unwrap();
    assert_eq!((peer.now + left, why), (Instant::EPOCH + limits.write_timeout, Why::Linger));
    assert_eq!(peer.waits(left), ["clear mailbox"]);
    assert_eq!(peer.flow(), Flow::Ended);
}

#[test]
fn a_socket_that_fails_ends_everything_at_once() {
    let mut peer = Peer::client();
    peer.connection.asked(ConnectionId(3), 3);
    let events = peer.causes(Connection::lost);
    assert_eq!(events[..2], ["note: is being disconnected: it closed the connection", "leave"]);
    assert!(events[2].starts_with("tell 3: Forget"), "{events:?}");
    assert_eq!(events[3..], ["close mailbox", "clear mailbox"]);
    assert_eq!(peer.flow(), Flow::Ended);
    assert!(!peer.connection.wants_input());
    // Once is enough.
    assert_eq!(peer.told(Notice::Shutdown), [""; 0]);
    assert_eq!(peer.told(Notice::Disconnect), [""; 0]);
}

#[test]
fn a_device_that_takes_no_byte_for_five_minutes_is_a_slow_consumer() {
    let timeout = Limits::default().write_timeout;
    let mut peer = Peer::client();
    peer.connection.written(false, true, peer.now);
    peer.waits(timeout.saturating_sub(SECOND));
    peer.connection.written(false, true, peer.now);
    assert_eq!(peer.deadline(), Some((SECOND, Why::Write)), "trying again is no progress");
    peer.connection.written(true, true, peer.now);
    assert_eq!(peer.deadline(), Some((timeout, Why::Write)));
    let events = peer.waits(timeout);
    assert_eq!(events[0], "clear mailbox");
    let note = "note: is being disconnected: slow consumer: it does not read what is sent to it";
    assert_eq!(events[1..3], [note, "leave"]);
}

#[test]
fn a_device_for_which_nothing_waits_is_not_blocked_and_has_no_deadline() {
    let mut peer = Peer::client();
    peer.connection.written(true, true, peer.now);
    assert!(peer.connection.is_blocked());
    peer.connection.written(true, false, peer.now);
    assert!(!peer.connection.is_blocked());
    assert_eq!(peer.deadline(), None);
}

#[test]
fn an_administrator_ends_a_handshake_too() {
    let mut peer = Peer::asked(Authentication::None);
    assert_eq!(
        peer.told(Notice::Disconnect),
        ["note: is being disconnected: an administrator disconnected it", "close mailbox"]
    );
}
