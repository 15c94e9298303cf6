//! From the first byte to a name (docs/wire.md, section 4).

use super::*;

const ANN: &str = r#"{"result": {"type": "client", "name": "Ann"}}"#;
const ASK_IDENTITY: &str = "ask identity []";
const WRONG_PASSWORD: &str = "ValueError: Wrong Manager password";
const WRONG_LOGIN: &str = "ValueError: Unregistered user, or Wrong login password";

#[test]
fn without_authentication_the_first_request_asks_for_the_identity() {
    let (mut peer, events) = Peer::opened(Authentication::None, Limits::default());
    assert_eq!(events, ["look up the host name", ASK_IDENTITY]);
    assert_eq!(peer.told(Notice::HostName("lab".into())), [""; 0]);
    assert_eq!(peer.says(ANN), ["join Ann"]);
    // There is no message on success.
    assert_eq!(peer.joined(), ["note: is a new Client connection"]);
    assert_eq!(peer.connection.name().unwrap().as_str(), "Ann[lab:5]");
    assert_eq!(peer.deadline(), None);
}

#[test]
fn a_requests_line_is_the_one_that_devices_know() {
    let settings = Arc::new(testing::settings(Authentication::ManagerPassword, Limits::default()));
    let mut connection = Connection::<u8>::new(ConnectionId(1), settings);
    let mut events = Vec::new();
    connection.open(Instant::EPOCH, &mut events);
    let [_, Event::Send(line)] = &events[..] else { panic!("{events:?}") };
    let expected = "{\"args\": [\"Manager[lab:1875]\"], \"attribute\": \"password\", \"error\": false, \
                    \"kwargs\": {}, \"requester\": \"Manager[lab:1875]\", \"uid\": \"\"}\r\n";
    assert_eq!(line.to_bytes(), expected);
}

#[test]
fn the_managers_password_is_asked_with_the_managers_name() {
    let (mut peer, events) = Peer::opened(Authentication::ManagerPassword, Limits::default());
    assert_eq!(events, ["look up the host name", "ask password [\"Manager[lab:1875]\"]"]);
    assert_eq!(peer.says(r#"{"result": "secret", "requester": null}"#), ["check secret"]);
    assert_eq!(peer.told(Notice::Checked(ACCEPTED)), [ASK_IDENTITY]);
}

#[test]
fn a_login_asks_for_the_username_with_the_managers_name_and_for_the_password_with_the_username() {
    let (mut peer, events) = Peer::opened(Authentication::Login, Limits::default());
    assert_eq!(events, ["look up the host name", "ask username [\"Manager[lab:1875]\"]"]);
    assert_eq!(peer.says(r#"{"result": "n.bohr"}"#), ["ask password [\"n.bohr\"]"]);
    assert_eq!(peer.says(r#"{"result": "secret"}"#), ["check n.bohr, secret"]);
    assert_eq!(peer.told(Notice::Checked(ACCEPTED)), [ASK_IDENTITY]);
}

#[test]
fn a_trusted_host_is_asked_for_nothing_but_its_identity() {
    let (mut peer, events) = Peer::opened(Authentication::HostNames, Limits::default());
    assert_eq!(events, ["look up the host name", "check the host name"]);
    assert_eq!(peer.deadline(), None, "nobody waits for the device");
    assert_eq!(peer.told(Notice::Checked(ACCEPTED)), [ASK_IDENTITY]);
}

#[test]
fn a_refusal_is_noted_with_the_place_where_the_handshake_failed() {
    for (authentication, answers, hurdle) in [
        (Authentication::ManagerPassword, &["secret"][..], Hurdle::ManagerPassword),
        (Authentication::Login, &["n.bohr", "secret"], Hurdle::Login),
        (Authentication::HostNames, &[], Hurdle::HostName),
    ] {
        let checking = || {
            let mut peer = Peer::asked(authentication);
            for answer in answers {
                peer.says(answer);
            }
            peer
        };
        let mut peer = checking();
        peer.told(Notice::Checked(Verdict::Refused(wrong_login())));
        assert_eq!(peer.failed_at, Some(hurdle));
        // What was checked is not where a device fails that gives no name.
        let mut peer = checking();
        peer.told(Notice::Checked(ACCEPTED));
        assert_eq!(peer.failed_at, None);
        peer.says(r#"{"result": {"type": "client"}}"#);
        assert_eq!(peer.failed_at, Some(Hurdle::Identity), "{authentication:?}");
    }
    for (authentication, hurdle) in [
        (Authentication::ManagerPassword, Hurdle::ManagerPassword),
        (Authentication::Login, Hurdle::Login),
        (Authentication::None, Hurdle::Identity),
    ] {
        let mut peer = Peer::asked(authentication);
        peer.says("  ");
        assert_eq!(peer.failed_at, Some(hurdle));
    }
}

#[test]
fn who_has_logged_in_is_known_and_who_has_tried_is_not() {
    let mut peer = Peer::asked(Authentication::Login);
    peer.says("n.bohr");
    peer.says("secret");
    assert_eq!(peer.connection.who().user, None, "it may be anybody yet");
    peer.told(Notice::Checked(ACCEPTED));
    assert_eq!(peer.connection.who(), Who { name: None, user: Some("n.bohr") });

    let mut peer = Peer::asked(Authentication::ManagerPassword);
    peer.says("secret");
    peer.told(Notice::Checked(ACCEPTED));
    assert_eq!(peer.connection.who().user, None, "there is no user");
}

#[test]
fn a_refusal_is_an_error_and_then_the_end() {
    let mut peer = Peer::asked(Authentication::ManagerPassword);
    peer.says("wrong");
    let refusal = Refusal::new(Exception::Value, "Wrong Manager password");
    assert_eq!(peer.told(Notice::Checked(Verdict::Refused(refusal))), refused(WRONG_PASSWORD));
    assert_eq!(peer.flow(), Flow::Draining);
    // Whatever comes now is thrown away, a verdict too.
    assert_eq!(peer.told(Notice::Checked(ACCEPTED)), [""; 0]);
    assert_eq!(peer.says(ANN), [""; 0]);
}

#[test]
fn a_password_may_look_like_anything() {
    for (line, password) in [
        ("{abc", "{abc"),
        ("12345", "12345"),
        ("null", "null"),
        ("\"quoted\"", "\"quoted\""),
        ("  between blanks ", "between blanks"),
        ("{\"password\": \"x\"}", "{\"password\": \"x\"}"),
        (r#"{"result": "12345"}"#, "12345"),
        (r#"{"result": "\u00fc"}"#, "ü"),
        (r#"{"result": "x", "error": false, "requester": "Manager[lab:1875]", "uid": ""}"#, "x"),
    ] {
        let mut peer = Peer::asked(Authentication::ManagerPassword);
        assert_eq!(peer.says(line), [format!("check {password}")], "{line}");
    }
}

#[test]
fn a_blank_line_is_an_empty_answer_and_refused() {
    for (authentication, message) in [
        (Authentication::ManagerPassword, WRONG_PASSWORD),
        (Authentication::Login, WRONG_LOGIN),
        (Authentication::None, "KeyError: 'name'"),
    ] {
        let mut peer = Peer::asked(authentication);
        assert_eq!(peer.says("  "), refused(message));
    }
    let mut peer = Peer::asked(Authentication::Login);
    peer.says("n.bohr");
    assert_eq!(peer.says(""), refused(WRONG_LOGIN));
}

#[test]
fn who_fails_to_log_in_learns_nothing_more() {
    // A username that could be taken for the Manager, and one of a size that nobody types.
    let long = "x".repeat(5000);
    for username in ["lab:1875", "Manager[lab:1875]", long.as_str()] {
        let mut peer = Peer::asked(Authentication::Login);
        assert_eq!(peer.says(username), refused(WRONG_LOGIN));
    }
    let mut peer = Peer::asked(Authentication::Login);
    peer.says("n.bohr");
    assert_eq!(peer.says(&long), refused(WRONG_LOGIN));
}

#[test]
fn a_password_has_at_most_4096_bytes_however_it_is_written() {
    let mut peer = Peer::asked(Authentication::ManagerPassword);
    let longest = "x".repeat(4096);
    assert_eq!(peer.says(&longest), [format!("check {longest}")]);
    // Each of its letters is escaped; it counts as the text that it means.
    let escaped = |length: usize| format!(r#"{{"result": "{}"}}"#, r"\u0078".repeat(length));
    let mut peer = Peer::asked(Authentication::ManagerPassword);
    assert_eq!(peer.says(&escaped(4096)), [format!("check {longest}")]);
    for line in [format!("{longest}x"), escaped(4097)] {
        let mut peer = Peer::asked(Authentication::ManagerPassword);
        assert_eq!(peer.says(&line), refused(WRONG_PASSWORD));
    }
}

#[test]
fn an_identity_that_is_not_acceptable_is_refused() {
    let name = |name: &str| format!(r#"{{"result": {{"type": "client", "name": "{name}"}}}}"#);
    for (line, message) in [
        (r#"{"result": null}"#.into(), "TypeError: an identity is a JSON object, not null"),
        ("hello there".into(), "KeyError: 'name'"),
        ("null".into(), "KeyError: 'name'"),
        (r#"{"type": "client", "name": "Ann"}"#.into(), "KeyError: 'name'"),
        (name(""), "ValueError: the name is empty, give the device a name"),
        (name("Manager"), "ValueError: the name 'Manager' is reserved, use another one"),
        (name(&"x".repeat(257)), "ValueError: the name is too long, use at most 256 characters"),
    ] {
        let mut peer = Peer::asked(Authentication::None);
        let events = peer.says(&line);
        assert_eq!(events[0], format!("error {message}, uid \"\""), "{line}");
        assert_eq!(events[2..], [REFUSED, "close mailbox"], "{line}");
    }
}

#[test]
fn a_name_that_misleads_is_refused_without_being_shown() {
    let mut peer = Peer::asked(Authentication::None);
    let events = peer.says(r#"{"result": {"type": "client", "name": "a\u001b[2Jb"}}"#);
    assert!(events[0].starts_with("error ValueError: the name contains U+001B"), "{events:?}");
}

#[test]
fn a_person_is_a_client() {
    let mut peer = Peer::asked(Authentication::None);
    peer.told(Notice::HostName("lab".into()));
    assert_eq!(peer.says("client My Name"), ["join My Name"]);
}

#[test]
fn a_service_whose_name_is_taken_is_refused() {
    let mut peer = Peer::asked(Authentication::None);
    peer.told(Notice::HostName("lab".into()));
    peer.says(r#"{"result": {"type": "service", "name": "Echo", "attributes": {}}}"#);
    let message = "NameError: A 'Echo' service is already running on the Manager";
    let events = peer.causes(|connection, now, out| connection.joined(Err(Denied::NameTaken), now, out));
    assert_eq!(events, refused(message));
}

#[test]
fn a_device_waits_for_its_host_name_two_seconds_and_then_has_none() {
    let mut peer = Peer::asked(Authentication::None);
    assert_eq!(peer.says(ANN), [""; 0]);
    let wait = Limits::default().name_wait;
    assert_eq!(peer.deadline(), Some((wait, Why::HostName)));
    assert_eq!(peer.waits(wait), ["join Ann"]);
    assert_eq!(peer.connection.host(), None, "its IP address takes that place");
    // A name that comes too late changes nothing.
    assert_eq!(peer.told(Notice::HostName("lab".into())), [""; 0]);
    assert_eq!(peer.connection.host(), None);
}

#[test]
fn a_handshake_is_over_when_the_device_is_identified_or_refused() {
    let mut peer = Peer::asked(Authentication::None);
    peer.told(Notice::HostName("lab".into()));
    peer.says(ANN);
    assert!(!peer.connection.is_past_handshake(), "it has no name yet");
    peer.joined();
    assert!(peer.connection.is_past_handshake());

    let mut peer = Peer::asked(Authentication::None);
    peer.says("");
    assert!(peer.connection.is_past_handshake());
}

#[test]
fn a_host_name_that_comes_while_a_person_types_is_in_time() {
    let mut peer = Peer::asked(Authentication::None);
    peer.waits(20 * SECOND);
    assert_eq!(peer.told(Notice::HostName("lab".into())), [""; 0]);
    assert_eq!(peer.says(ANN), ["join Ann"]);
    assert_eq!(&**peer.connection.host().unwrap(), "lab");
    // And one that has not come by then is waited for no more.
    let mut peer = Peer::asked(Authentication::None);
    peer.waits(20 * SECOND);
    peer.says(ANN);
    assert_eq!(peer.waits(Duration::ZERO), ["join Ann"]);
}

#[test]
fn a_program_has_thirty_seconds_for_its_identity_and_a_person_five_minutes_for_a_secret() {
    let limits = Limits::default();
    let message = "TimeoutError: the handshake was not finished in time: answer the Manager's request, or connect again";
    for (authentication, patience) in [
        (Authentication::None, limits.first_answer),
        (Authentication::ManagerPassword, limits.prompt),
        (Authentication::Login, limits.prompt),
    ] {
        let mut peer = Peer::asked(authentication);
        assert_eq!(peer.deadline(), Some((patience, Why::Handshake)));
        assert_eq!(peer.waits(just_before(patience)), [""; 0]);
        let events = peer.waits(SECOND);
        assert_eq!(events[0], format!("error {message}, uid \"\""));
        assert_eq!(events[2..], [REFUSED, "close mailbox"]);
    }
}

#[test]
fn every_answer_gives_new_time_and_a_check_takes_as_long_as_it_takes() {
    let limits = Limits::default();
    let mut peer = Peer::asked(Authentication::Login);
    peer.waits(just_before(limits.prompt));
    peer.says("n.bohr");
    assert_eq!(peer.deadline(), Some((limits.prompt, Why::Handshake)));
    peer.says("secret");
    assert_eq!(peer.deadline(), None);
    peer.told(Notice::Checked(ACCEPTED));
    assert_eq!(peer.deadline(), Some((limits.first_answer, Why::Handshake)));
}

#[test]
fn what_is_sent_during_a_check_waits_for_its_outcome() {
    let mut peer = Peer::asked(Authentication::ManagerPassword);
    peer.told(Notice::HostName("lab".into()));
    let all = format!("secret\n{ANN}\n{}\n", testing::request("Echo", "echo", "7"));
    assert_eq!(peer.sends(all.as_bytes()), ["check secret"]);
    assert_eq!(peer.told(Notice::Checked(ACCEPTED)), [ASK_IDENTITY, "join Ann"]);
    assert_eq!(peer.joined(), ["note: is a new Client connection", "request to Echo, uid 7"]);
}

#[test]
fn the_handshake_does_not_depend_on_how_its_bytes_are_cut() {
    let mut peer = Peer::asked(Authentication::ManagerPassword);
    peer.told(Notice::HostName("lab".into()));
    let mut events = Vec::new();
    for byte in b"secret\r\n" {
        events.extend(peer.sends(&[*byte]));
    }
    assert_eq!(events, ["check secret"]);
}

#[test]
fn a_device_that_closes_its_side_in_the_handshake_is_gone() {
    let mut peer = Peer::asked(Authentication::None);
    assert_eq!(peer.ends(), ["note: is being disconnected: it closed the connection", "close mailbox"]);
    // While something is looked up, the outcome is awaited, and then it leaves.
    let mut peer = Peer::asked(Authentication::None);
    peer.says(ANN);
    assert_eq!(peer.ends(), [""; 0]);
    assert_eq!(peer.told(Notice::HostName("lab".into())), ["join Ann"]);
    assert!(peer.joined().contains(&"leave".to_string()));
}

#[test]
fn tls_on_a_plain_port_gets_no_answer_but_a_note_that_says_what_to_do() {
    for hello in [&[0x16, 0x03, 0x01, 0x02, 0x00][..], &[0x16]] {
        let mut peer = Peer::asked(Authentication::ManagerPassword);
        let note = "note: is being disconnected: it speaks TLS, but TLS is disabled on this port (start without --disable-tls)";
        assert_eq!(peer.sends(hello), [note, "close mailbox"]);
    }
}

#[test]
fn a_line_that_is_too_long_before_identification_ends_the_connection() {
    let limits = Limits { max_handshake_frame: 100, ..Limits::default() };
    let message = "ValueError: the line is longer than 100 bytes";
    for authentication in [Authentication::None, Authentication::ManagerPassword] {
        let mut peer = Peer::opened(authentication, limits.clone()).0;
        // It is refused without waiting for its end.
        assert_eq!(peer.sends(&[b'x'; 102]), refused(message));
    }
}

#[test]
fn an_identified_device_may_send_longer_lines() {
    let limits = Limits { max_handshake_frame: 100, ..Limits::default() };
    let mut peer = Peer::identified(r#"{"type": "client", "name": "Ann"}"#, limits);
    let line = testing::request("Echo", &"x".repeat(200), "7");
    assert_eq!(peer.says(&line), ["request to Echo, uid 7"]);
}
