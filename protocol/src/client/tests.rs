//! A client's machine against lines that a Manager says.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::*;
use crate::device::LEAVE;

const MANAGER_NAME: &str = "Manager[lab:1875]";

/// A client, with what it has said and learnt.
struct Device {
    machine: Machine,
    events: Vec<Event>,
}

impl Device {
    fn new(credentials: Credentials) -> Self {
        let description = Description { name: "Ann".into(), language: "Rust".into(), os: "any".into() };
        Self { machine: Machine::new(description, credentials, 1 << 16), events: Vec::new() }
    }

    fn connected() -> Self {
        let mut device = Self::new(Credentials::default());
        device.hear(&message::handshake_request("identity", None, MANAGER_NAME));
        device.hear(&message::answer_text("Ann[lab:50000]", "true", b"\"confirm\""));
        device.events.clear();
        device
    }

    fn hear(&mut self, line: &str) {
        self.machine.receive(Bytes::copy_from_slice(line.as_bytes()));
        while self.machine.advance(&mut self.events) {}
    }

    fn call(&mut self, service: &str, attribute: &str) -> CallId {
        self.machine.call(request(service, attribute), &mut self.events).unwrap()
    }

    /// What has happened since the last time, in short.
    fn happened(&mut self) -> Vec<String> {
        let short = |event: Event| match event {
            Event::Send(line) => String::from_utf8(line.to_bytes().to_vec()).unwrap().trim_end().to_string(),
            Event::Connected => "connected".to_string(),
            Event::Ask(prompt) => format!("{prompt:?}"),
            Event::Settled { call, outcome: Ok(result) } => {
                format!("{} = {}", call.0, String::from_utf8_lossy(&result))
            }
            Event::Settled { call, outcome: Err(error) } => {
                format!("{} {:?} {}", call.0, error.kind(), error.message())
            }
            Event::Notification { service, args, kwargs } => {
                format!("{service} {} {}", String::from_utf8_lossy(&args), String::from_utf8_lossy(&kwargs))
            }
            Event::Gone { call, service, .. } => format!("{} {service} is gone", call.0),
            Event::Ended(error) => format!("ended {:?} {}", error.kind(), error.message()),
        };
        core::mem::take(&mut self.events).into_iter().map(short).collect()
    }
}

fn request<'a>(service: &'a str, attribute: &'a str) -> Request<'a> {
    Request { service, attribute, args: "[1]".into(), kwargs: "{}".into(), deadline: None }
}

#[test]
fn it_is_connected_when_the_manager_has_answered_behind_the_identity() {
    let mut ann = Device::new(Credentials::default());
    ann.hear(&message::handshake_request("identity", None, MANAGER_NAME));
    assert_eq!(ann.happened().len(), 2, "the identity and a question");
    assert!(!ann.machine.is_connected());
    ann.hear(&message::answer_text("Ann[lab:50000]", "true", b"\"confirm\""));
    assert_eq!(ann.happened(), ["connected"]);
    assert_eq!((ann.machine.manager(), ann.machine.address()), (MANAGER_NAME, "lab:50000"));
}

#[test]
fn what_was_typed_is_remembered_only_when_it_was_right() {
    let mut ann = Device::connected();
    let answers = [
        ("\"error\": true, \"message\": \"ValueError: Wrong login password\"", "mistyped"),
        ("\"error\": false, \"result\": []", "engine"),
    ];
    for (answer, typed) in answers {
        let call = ann.call("Manager", "users_table.usernames");
        ann.events.clear();
        ann.hear(&message::handshake_request("password", Some("ada"), MANAGER_NAME));
        assert_eq!(ann.happened(), ["Password { username: \"ada\" }"], "asked again");
        ann.machine.answer(typed.into(), &mut ann.events);
        ann.hear(&format!("{{{answer}, \"requester\": \"Ann\", \"uid\": \"{}\"}}\n", call.0));
    }
    ann.events.clear();
    ann.hear(&message::handshake_request("password", Some("ada"), MANAGER_NAME));
    assert_eq!(ann.happened(), [message::answer_text(MANAGER_NAME, "\"engine\"", b"\"\"").trim_end()]);
}

#[test]
fn who_had_no_answer_is_asked_again() {
    let mut ann = Device::connected();
    let username = message::handshake_request("username", Some(MANAGER_NAME), MANAGER_NAME);
    for _ in 0..2 {
        ann.hear(&username);
        assert_eq!(ann.happened(), ["Username { manager: \"Manager[lab:1875]\" }"]);
        let prompt = Prompt::Username { manager: MANAGER_NAME.into() };
        ann.machine.refuse(&prompt, &mut ann.events);
        assert_eq!(ann.happened(), [message::answer_text(MANAGER_NAME, "\"\"", b"\"\"").trim_end()]);
    }
}

#[test]
fn a_manager_that_does_nothing_after_the_goodbye_is_not_waited_for() {
    let mut ann = Device::connected();
    let call = ann.call("Adder", "add");
    ann.machine.disconnect(&mut ann.events);
    ann.events.clear();
    ann.machine.handle_timeout(Instant::EPOCH, &mut ann.events);
    assert_eq!(ann.machine.deadline(), Some(Instant::EPOCH + LEAVE));
    ann.machine.handle_timeout(Instant::EPOCH + LEAVE / 2, &mut ann.events);
    assert_eq!(ann.happened(), [] as [String; 0]);

    ann.machine.handle_timeout(Instant::EPOCH + LEAVE, &mut ann.events);
    let failed = format!("{} Disconnected the Manager does not answer; Adder.add has no answer", call.0);
    assert_eq!(ann.happened(), [failed, "ended Disconnected disconnected".to_string()]);
    assert_eq!(ann.machine.deadline(), None);
}

#[test]
fn a_manager_that_takes_or_says_something_after_the_goodbye_has_its_time_again() {
    let does: [fn(&mut Device); 2] = [|ann| ann.machine.written(), |ann| ann.hear("\n")];
    for act in does {
        let mut ann = Device::connected();
        ann.machine.disconnect(&mut ann.events);
        ann.machine.handle_timeout(Instant::EPOCH, &mut ann.events);
        act(&mut ann);
        ann.events.clear();
        ann.machine.handle_timeout(Instant::EPOCH + LEAVE, &mut ann.events);
        assert_eq!(ann.happened(), [] as [String; 0]);
        assert_eq!(ann.machine.deadline(), Some(Instant::EPOCH + LEAVE + LEAVE));
    }
}

#[test]
fn a_request_that_is_withdrawn_has_no_answer_to_come() {
    let mut ann = Device::connected();
    let withdrawn = ann.call("Manager", "link");
    ann.machine.forget(withdrawn);
    ann.machine.withdraw(withdrawn);
    let call = ann.call("Manager", "users_table.usernames");
    ann.events.clear();
    ann.hear("{\"error\": true, \"message\": \"ValueError: no\", \"requester\": \"Ann\", \"uid\": \"\"}\n");
    assert_eq!(ann.happened(), [format!("{} Remote ValueError: no", call.0)]);
}

#[test]
fn a_refusal_is_the_end_whenever_it_comes() {
    let refusal = "{\"error\": true, \"message\": \"ValueError: no\", \"requester\": \"Manager[lab:1875]\", \"uid\": \"\"}\r\n";
    for asked_first in [false, true] {
        let mut ann = Device::new(Credentials::default());
        if asked_first {
            ann.hear(&message::handshake_request("identity", None, MANAGER_NAME));
        }
        ann.events.clear();
        ann.hear(refusal);
        assert_eq!(ann.happened(), ["ended Refused ValueError: no"]);
    }
}

#[test]
fn credentials_are_given_where_they_are_known_and_asked_for_where_not() {
    let known = Credentials { username: Some("ada".into()), ..Credentials::default() };
    let mut ann = Device::new(known);
    ann.hear(&message::handshake_request("username", Some(MANAGER_NAME), MANAGER_NAME));
    assert_eq!(ann.happened(), [message::answer_text(MANAGER_NAME, "\"ada\"", b"\"\"").trim_end()]);
    ann.hear(&message::handshake_request("password", Some("ada"), MANAGER_NAME));
    assert_eq!(ann.happened(), ["Password { username: \"ada\" }"]);
    ann.machine.answer("engine".into(), &mut ann.events);
    assert_eq!(ann.happened(), [message::answer_text(MANAGER_NAME, "\"engine\"", b"\"\"").trim_end()]);
    ann.hear(&message::handshake_request("password", Some(MANAGER_NAME), MANAGER_NAME));
    assert_eq!(ann.happened(), ["ManagerPassword { manager: \"Manager[lab:1875]\" }"]);
}

#[test]
fn on_the_next_connection_it_knows_its_login_and_no_call_has_an_old_number() {
    let mut ann = Device::connected();
    ann.call("Manager", "users_table.usernames");
    ann.hear(&message::handshake_request("password", Some("ada"), MANAGER_NAME));
    ann.machine.answer("engine".into(), &mut ann.events);
    ann.hear(&message::answer_text("Ann[lab:50000]", "[]", b"\"1\""));
    let old = ann.call("Adder", "add");
    ann.machine.receive(Bytes::from_static(b"half a line"));
    ann.machine.end("the network is down", &mut ann.events);

    ann.machine = ann.machine.again();
    ann.events.clear();
    ann.hear(&message::handshake_request("password", Some("ada"), MANAGER_NAME));
    assert_eq!(ann.happened(), [message::answer_text(MANAGER_NAME, "\"engine\"", b"\"\"").trim_end()]);
    ann.hear(&message::handshake_request("identity", None, MANAGER_NAME));
    ann.hear(&message::answer_text("Ann[lab:50001]", "true", b"\"confirm\""));
    assert_eq!(ann.happened().last().unwrap(), "connected");
    let new = ann.call("Adder", "add");

    assert!(new > old);
    ann.events.clear();
    ann.machine.forget(old);
    ann.hear(&message::answer_text("Ann[lab:50001]", "3", b"\"3\""));
    assert_eq!(ann.happened(), ["3 = 3"]);
    assert_eq!(ann.machine.address(), "lab:50001");
}

#[test]
fn answers_find_their_requests_in_any_order() {
    let mut ann = Device::connected();
    let (first, second) = (ann.call("Adder", "add"), ann.call("Adder", "add"));
    ann.events.clear();
    ann.hear(&message::answer_text("Ann", "22", format!("\"{}\"", second.0).as_bytes()));
    ann.hear(&message::answer_text("Ann", "11", format!("\"{}\"", first.0).as_bytes()));
    ann.hear(&message::answer_text("Ann", "33", b"\"99\""));
    assert_eq!(ann.happened(), [format!("{} = 22", second.0), format!("{} = 11", first.0)]);
}

#[test]
fn a_request_whose_time_is_over_fails_and_its_late_answer_is_dropped() {
    let mut ann = Device::connected();
    let call = ann.call("Adder", "add");
    let deadline = Instant::new(Duration::from_secs(3));
    ann.machine.set_deadline(call, Some(deadline));
    assert_eq!(ann.machine.deadline(), Some(deadline));
    ann.events.clear();
    ann.machine.handle_timeout(deadline, &mut ann.events);
    assert_eq!(ann.happened(), [format!("{} TimedOut Adder.add was not answered in time", call.0)]);
    assert_eq!(ann.machine.deadline(), None);
    ann.hear(&message::answer_text("Ann", "1", format!("\"{}\"", call.0).as_bytes()));
    assert_eq!(ann.happened(), [] as [String; 0]);
}

#[test]
fn the_end_fails_what_is_open_once() {
    let mut ann = Device::connected();
    let call = ann.call("Adder", "add");
    ann.events.clear();
    ann.machine.end("the Manager closed the connection", &mut ann.events);
    ann.machine.end("again", &mut ann.events);
    assert_eq!(
        ann.happened(),
        [
            format!("{} Disconnected the Manager closed the connection; Adder.add has no answer", call.0),
            "ended Disconnected the Manager closed the connection".to_string()
        ]
    );
    assert!(ann.machine.call(request("Adder", "add"), &mut ann.events).is_err());
}

#[test]
fn errors_have_kinds_that_a_program_can_decide_by() {
    for (service, attribute, message, kind) in [
        (
            "Manager",
            "link",
            "KeyError: \"the 'X' service does not exist, cannot link with Ann\"",
            ErrorKind::NoSuchService,
        ),
        ("Manager", "link", "PermissionError: 'X' service is locked", ErrorKind::Locked),
        (
            "Manager",
            "link",
            "PermissionError: The maximum number of Clients are already linked with 'X'",
            ErrorKind::Full,
        ),
        (
            "Manager",
            "unlink",
            "KeyError: \"cannot unlink Ann, it was not linked with 'X'\"",
            ErrorKind::NotLinked,
        ),
        (
            "X",
            "add",
            "KeyError: \"the 'X' Service is not connected to Manager[lab:1875]\"",
            ErrorKind::NoSuchService,
        ),
        ("X", "add", "ValueError: no", ErrorKind::Remote),
        ("Manager", "link", "TypeError: 1 is no text", ErrorKind::Remote),
        ("X", "add", "PermissionError: 'X' service is locked", ErrorKind::Locked),
        (
            "X",
            "add",
            "PermissionError: 'X' has all the links that it takes, and answers nobody else; try to link later",
            ErrorKind::Full,
        ),
        (
            "X",
            "add",
            "TimeoutError: the 'X' service does not take requests as fast as they come; this one was given up",
            ErrorKind::Remote,
        ),
        ("X", "add", LEFT, ErrorKind::Remote),
    ] {
        let mut ann = Device::connected();
        let call = ann.call(service, attribute);
        ann.events.clear();
        let quoted = json::quote(message);
        ann.hear(&format!(
            "{{\"error\": true, \"message\": {quoted}, \"traceback\": [], \"uid\": \"{}\"}}\n",
            call.0
        ));
        let Some(Event::Settled { outcome: Err(error), .. }) = ann.events.last() else { panic!() };
        assert_eq!((error.kind(), error.message()), (kind, message));
        assert_eq!(error.may_be_executed(), message == "ValueError: no" || message == LEFT, "{message}");
        let gone = ann.events.iter().any(|event| matches!(event, Event::Gone { .. }));
        assert_eq!(
            gone,
            service == "X" && (kind == ErrorKind::NoSuchService || message == LEFT),
            "{message}"
        );
    }
}

const LEFT: &str = "ConnectionError: the 'X' service has left before it answered";

#[test]
fn a_notification_comes_with_its_arguments_to_the_byte() {
    let mut ann = Device::connected();
    ann.hear("{\"error\": false, \"result\": [[1.10], {\"x\": NaN}], \"service\": \"Beat\", \"uid\": \"notification\"}\r\n");
    assert_eq!(ann.happened(), ["Beat [1.10] {\"x\": NaN}"]);
}

#[test]
fn what_is_no_message_changes_nothing() {
    let mut ann = Device::connected();
    ann.hear("hello\n\n{}\n[1]\n{\"result\": 1}\n{\"error\": true, \"uid\": 7}\n");
    assert_eq!(ann.happened(), [] as [String; 0]);
    assert!(ann.machine.is_connected());
}

#[test]
fn an_error_without_a_uid_about_a_lost_service_fails_all_calls_to_it_and_no_others() {
    let mut device = Device::connected();
    let calls = [("Echo", "a"), ("Other", "b"), ("Manager", "identity"), ("Echo", "c")];
    for (service, attribute) in calls {
        device.call(service, attribute);
    }
    device.events.clear();
    let line = |service: &str| {
        let message = format!("KeyError: \"the '{service}' Service is not connected to {MANAGER_NAME}\"");
        let message = json::quote(&message);
        format!(
            "{{\"error\": true, \"message\": {message}, \"requester\": \"Ann\", \"result\": null, \"traceback\": [], \"uid\": \"\"}}\n"
        )
    };

    device.hear(&line("Echo"));
    device.events.retain(|event| matches!(event, Event::Settled { .. }));
    let failed: Vec<_> = device.events.drain(..).collect();
    let ids: Vec<u64> = failed
        .iter()
        .map(|event| match event {
            Event::Settled { call, outcome: Err(error) } => {
                assert_eq!((error.kind(), error.may_be_executed()), (ErrorKind::NoSuchService, true));
                call.0
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [1, 4]);

    device.hear(&line("Echo"));
    assert!(device.events.is_empty(), "a call of somebody else failed");
    device.hear(&line("Other"));
    let [Event::Gone { .. }, Event::Settled { outcome: Err(error), .. }] = &device.events[..] else {
        panic!()
    };
    assert!(!error.may_be_executed(), "it was the only one");
}
