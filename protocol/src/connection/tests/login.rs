//! Administrators, and the login in the middle of a session (docs/wire.md, section 6).

use super::*;
use crate::testing::{MANAGER, ask, reply, request};

const ASK_USERNAME: &str = "ask username [\"Manager[lab:1875]\"]";
const USERS: &str = r#"{"service": "Manager", "attribute": "users_table.users", "uid": 7}"#;
const DO_USERS: &str = "do users_table.users [] {}";

/// A client that has been asked for its username because of [`USERS`].
fn asked_to_log_in() -> Peer {
    let mut peer = Peer::client();
    assert_eq!(peer.says(USERS), [ASK_USERNAME]);
    peer
}

/// An answer as a Python client gives it: its requester is the Manager.
fn python(result: &str) -> String {
    reply(MANAGER, "\"\"", &format!("\"{result}\""))
}

fn denied(message: &str) -> Vec<String> {
    let (kind, text) = message.split_once(": ").unwrap();
    Vec::from([format!("error {message}, uid 7"), format!("note: got {kind}: {text}")])
}

#[test]
fn a_request_for_administrators_asks_for_a_login_and_its_result_carries_the_uid() {
    for (username, password) in [
        (python("root"), python("secret")),
        (r#"{"result": "root", "requester": null}"#.into(), r#"{"result": "secret"}"#.into()),
        ("root".into(), "secret".into()),
    ] {
        let mut peer = asked_to_log_in();
        assert_eq!(peer.says(&username), ["ask password [\"root\"]"]);
        assert_eq!(peer.says(&password), ["check root, secret"]);
        assert_eq!(peer.connection.who().user, None);
        assert_eq!(peer.told(Notice::Checked(ADMINISTRATOR)), [DO_USERS]);
        assert_eq!(peer.connection.who().user, Some("root"));
        assert_eq!(peer.told(Notice::Administered(Ok("[]".into()))), ["answer [], uid 7"]);
    }
}

#[test]
fn arguments_are_handed_on_as_they_are() {
    let mut peer = Peer::client();
    peer.says(r#"{"service": "Manager", "attribute": "x", "args": [1.10], "kwargs": {"a":null}, "uid": 7}"#);
    peer.says("root");
    peer.says("secret");
    assert_eq!(peer.told(Notice::Checked(ADMINISTRATOR)), ["do x [1.10] {\"a\":null}"]);
}

#[test]
fn an_administrator_is_one_for_good() {
    let mut peer = asked_to_log_in();
    peer.says("root");
    peer.says("secret");
    peer.told(Notice::Checked(ADMINISTRATOR));
    peer.told(Notice::Administered(Ok("[]".into())));
    assert_eq!(peer.says(USERS), [DO_USERS]);
    let refusal = Refusal::new(Exception::Attribute, "there is no such attribute");
    let message = "AttributeError: there is no such attribute";
    assert_eq!(peer.told(Notice::Administered(Err(refusal))), denied(message));
}

#[test]
fn who_logged_in_as_an_administrator_is_not_asked_again() {
    let mut peer = Peer::asked(Authentication::Login);
    peer.told(Notice::HostName("lab".into()));
    peer.says("root");
    peer.says("secret");
    peer.told(Notice::Checked(ADMINISTRATOR));
    peer.says("client Ann");
    peer.joined();
    assert_eq!(peer.says(USERS), [DO_USERS]);
}

#[test]
fn what_is_sent_behind_the_request_waits_in_order_and_is_not_taken_for_an_answer() {
    let mut peer = asked_to_log_in();
    for line in [request("Echo", "echo", "8"), ask("link", "Echo", "9"), USERS.replace('7', "10")] {
        assert_eq!(peer.says(&line), [""; 0]);
    }
    peer.says(&python("root"));
    assert_eq!(peer.says(&request("Echo", "echo", "11")), [""; 0]);
    assert_eq!(peer.says(&python("secret")), ["check root, secret"]);
    // Nothing overtakes the request that everything waits for.
    assert_eq!(peer.told(Notice::Checked(ADMINISTRATOR)), [DO_USERS]);
    assert_eq!(
        peer.told(Notice::Administered(Ok("1".into()))),
        ["answer 1, uid 7", "request to Echo, uid 8", "Link(\"Echo\"), uid 9", DO_USERS]
    );
    let events = peer.told(Notice::Administered(Ok("2".into())));
    assert_eq!(events, ["answer 2, uid 10", "request to Echo, uid 11"]);
}

#[test]
fn a_login_that_fails_answers_the_request_and_the_session_goes_on() {
    let wrong = "ValueError: Unregistered user, or Wrong login password";
    let no_administrator = "ValueError: You must be an administrator to send this request to the Manager";
    for (verdict, message) in [(Verdict::Refused(wrong_login()), wrong), (ACCEPTED, no_administrator)] {
        let mut peer = asked_to_log_in();
        peer.says(&request("Echo", "echo", "8"));
        peer.says("root");
        peer.says("wrong");
        let mut expected = denied(message);
        expected.push("request to Echo, uid 8".to_string());
        assert_eq!(peer.told(Notice::Checked(verdict)), expected);
        assert_eq!(peer.says(USERS), [ASK_USERNAME], "and it may try again");
    }
}

#[test]
fn an_answer_that_is_no_text_or_no_username_fails_like_any_other() {
    let wrong = denied("ValueError: Unregistered user, or Wrong login password");
    for line in
        ["", r#"{"result": null}"#, r#"{"result": 5}"#, r#"{"result": ""}"#, r#"{"result": "lab:1875"}"#]
    {
        let mut peer = asked_to_log_in();
        assert_eq!(peer.says(line), wrong, "{line}");
    }
}

#[test]
fn a_username_may_be_escaped_from_the_first_letter_to_the_last() {
    let longest = "x".repeat(4096);
    for (letters, events) in [
        (4096, vec![format!("ask password [\"{longest}\"]")]),
        (4097, denied("ValueError: Unregistered user, or Wrong login password")),
    ] {
        let mut peer = asked_to_log_in();
        assert_eq!(peer.says(&python(&r"\u0078".repeat(letters))), events);
    }
}

#[test]
fn a_login_has_five_minutes_for_each_answer() {
    let prompt = Limits::default().prompt;
    let message = "TimeoutError: no answer to the Manager's request for a username and a password";
    let mut peer = asked_to_log_in();
    peer.waits(just_before(prompt));
    peer.says("root");
    assert_eq!(peer.deadline(), Some((prompt, Why::Login)));
    assert_eq!(peer.waits(prompt), denied(message));
    assert_eq!(peer.deadline(), None);
    assert_eq!(peer.says(&request("Echo", "echo", "8")), ["request to Echo, uid 8"]);
}

#[test]
fn a_check_that_comes_too_late_makes_no_administrator() {
    let mut peer = asked_to_log_in();
    peer.waits(Limits::default().prompt);
    assert_eq!(peer.told(Notice::Checked(ADMINISTRATOR)), [""; 0]);
    assert_eq!(peer.told(Notice::Administered(Ok("1".into()))), [""; 0]);
    assert_eq!(peer.says(USERS), [ASK_USERNAME]);
}

#[test]
fn a_verdict_that_was_not_asked_for_changes_nothing() {
    for verdict in [ADMINISTRATOR, Verdict::Refused(wrong_login())] {
        // Given a device whose handshake checks nothing.
        let mut peer = Peer::asked(Authentication::None);
        assert_eq!(peer.told(Notice::Checked(verdict)), [""; 0]);
        peer.told(Notice::HostName("lab".into()));
        peer.says("client Ann");
        peer.joined();
        assert_eq!(peer.says(USERS), [ASK_USERNAME], "it is no administrator");
    }
}

#[test]
fn a_device_that_closes_its_side_during_a_login_still_gets_an_answer_to_its_request() {
    let mut peer = asked_to_log_in();
    peer.says(&request("Echo", "echo", "8"));
    let events = peer.ends();
    assert_eq!(events[..2], ["note: is being disconnected: it closed the connection", "leave"]);
    assert_eq!(events[2..4], denied("ConnectionError: the answer to the login did not come"));
    assert_eq!(events[4], "request to Echo, uid 8");
}

#[test]
fn shutting_down_is_asked_of_the_world_and_answered_by_the_end() {
    let mut peer = asked_to_log_in();
    peer.says("root");
    peer.says("secret");
    peer.told(Notice::Checked(ADMINISTRATOR));
    peer.told(Notice::Administered(Ok("1".into())));
    assert_eq!(
        peer.says(r#"{"service": "Manager", "attribute": "shutdown_manager", "uid": 8}"#),
        ["shut down"]
    );
    let events = peer.told(Notice::Shutdown);
    assert_eq!(
        events,
        ["note: is being disconnected: the Manager is shutting down", "leave", "close mailbox"]
    );
    assert_eq!(peer.flow(), Flow::Draining);
}

#[test]
fn a_service_goes_on_answering_its_clients_while_it_logs_in() {
    let mut peer = Peer::service();
    peer.says(USERS);
    let events = peer.says(&reply("Bob[lab:9]", "1", "null"));
    assert_eq!(events, ["note: sent a reply that Bob[lab:9] does not wait for; dropped"]);
    assert_eq!(peer.says(&testing::notification("Ann", "x")), ["notify"]);
    assert_eq!(peer.says(&python("root")), ["ask password [\"root\"]"]);
    // Also while the password is being checked; and it may leave.
    peer.says(&python("secret"));
    assert_eq!(peer.says(&testing::notification("Ann", "x")), ["notify"]);
    assert!(peer.says(testing::DISCONNECT).contains(&"leave".into()));
}

#[test]
fn a_blank_line_means_nothing_while_a_password_is_being_checked() {
    // Given a service, which is read meanwhile.
    let mut peer = Peer::service();
    for line in [USERS, "root", "secret"] {
        peer.says(line);
    }
    assert_eq!(peer.says(""), [""; 0]);
    assert_eq!(peer.told(Notice::Checked(ADMINISTRATOR)), [DO_USERS]);
}

#[test]
fn a_large_request_may_wait_for_a_login() {
    let limits = Limits { client_mailbox: 200, ..Limits::default() };
    let mut peer = Peer::identified(r#"{"type": "client", "name": "Ann"}"#, limits);
    peer.says(USERS);
    assert_eq!(peer.says(&request("Echo", &"x".repeat(500), "8")), [""; 0]);
    peer.says("root");
    peer.says("secret");
    peer.told(Notice::Checked(ADMINISTRATOR));
    let events = peer.told(Notice::Administered(Ok("1".into())));
    assert_eq!(events, ["answer 1, uid 7", "request to Echo, uid 8"]);
}

#[test]
fn a_login_is_given_up_when_too_much_comes_in_place_of_the_answer() {
    let limits = Limits { client_mailbox: 200, ..Limits::default() };
    for identity in
        [r#"{"type": "client", "name": "Ann"}"#, r#"{"type": "service", "name": "Ann", "attributes": {}}"#]
    {
        let mut peer = Peer::identified(identity, limits.clone());
        peer.says(USERS);
        let mut events = Vec::new();
        for uid in 8..20 {
            events.extend(peer.says(&ask("link", "Echo", &format!("{uid}"))));
        }
        let message = "RuntimeError: the answer to the login did not come: too much else was sent";
        assert_eq!(events[..2], denied(message));
        let links: Vec<_> = (8..20).map(|uid| format!("Link(\"Echo\"), uid {uid}")).collect();
        assert_eq!(events[2..], links);
        assert_eq!(peer.connection.held(), 0);
    }
}

#[test]
fn a_device_may_leave_in_the_middle_of_a_login() {
    for answers in [&[][..], &["root"]] {
        for mut peer in [Peer::client(), Peer::service()] {
            // Given that more administrators' requests wait.
            for line in [USERS, USERS].iter().chain(answers) {
                peer.says(line);
            }
            let events = peer.says(testing::DISCONNECT);
            assert_eq!(events[..2], ["note: is being disconnected: it asked to be disconnected", "leave"]);
            assert_eq!(peer.flow(), Flow::Draining, "{events:?}");
        }
    }
}

#[test]
fn what_waits_for_a_login_counts_with_the_room_that_it_takes() {
    let mut peer = asked_to_log_in();
    let frames = 1000;
    peer.sends("{}\r\n".repeat(frames).as_bytes());
    assert_eq!(peer.connection.held(), frames * ("{}".len() + size_of::<Frame>()));
    peer.waits(Limits::default().prompt);
    assert_eq!(peer.connection.held(), 0);

    // What has had its turn counts no more, and what is behind the next login does.
    let last = request("Echo", "echo", "9");
    for line in [USERS, &request("Echo", "echo", "8"), USERS, &last] {
        peer.says(line);
    }
    peer.waits(Limits::default().prompt);
    assert_eq!(peer.connection.held(), last.len() + size_of::<Frame>());
}

#[test]
fn what_is_handed_on_shows_no_password_to_who_logs_it() {
    let login = Credentials::Login { username: "root".into(), password: "hush".into() };
    let administer = Action::Administer {
        attribute: "users_table.insert".into(),
        args: Bytes::from_static(br#"["bob", "hush", false]"#),
        kwargs: Bytes::from_static(br#"{"password": "hush"}"#),
    };
    for (action, rest) in [
        (Action::Check(login), "Check(Login { username: \"root\", .. })"),
        (administer, "Administer { attribute: \"users_table.insert\", .. }"),
        (Action::Check(Credentials::ManagerPassword("hush".into())), "Check(ManagerPassword)"),
    ] {
        assert_eq!(format!("{action:?}"), rest);
    }
}
