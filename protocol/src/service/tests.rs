//! A service's machine against lines that a Manager says.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::device::LEAVE;
use crate::instant::Instant;

const MANAGER_NAME: &str = "Manager[lab:1875]";
const READ_LIMIT: usize = 1 << 12;

/// A service, with what it has said and learnt.
struct Device {
    machine: Machine,
    events: Vec<Event>,
}

impl Device {
    fn new(credentials: Credentials) -> Self {
        let description = Description { name: "Adder".into(), language: "Rust".into(), os: "any".into() };
        let offer = Offer {
            attributes: vec![("add".into(), "\"(x, y)\"".into()), ("pi".into(), "3.14".into())],
            max_clients: Some(2),
        };
        Self { machine: Machine::new(description, offer, credentials, READ_LIMIT), events: Vec::new() }
    }

    fn connected() -> Self {
        let mut device = Self::new(Credentials::default());
        device.hear(&message::handshake_request("identity", None, MANAGER_NAME));
        device.hear(&message::answer_text("Adder[lab:50000]", "true", b"\"confirm\""));
        device.events.clear();
        device
    }

    fn hear(&mut self, line: &str) {
        self.machine.receive(Bytes::copy_from_slice(line.as_bytes()));
        while self.machine.advance(&mut self.events) {}
    }

    /// A request as the Manager forwards it; the number of its execution.
    fn asked(&mut self, attribute: &str, uid: &str) -> ExecutionId {
        self.hear(&request(attribute, uid));
        match self.events.pop() {
            Some(Event::Execute(execution)) => execution.id,
            other => panic!("{attribute} is not executed: {other:?}"),
        }
    }

    fn finish(&mut self, id: ExecutionId, result: &str) {
        self.machine.finish(id, Ok(result.to_string()), &mut self.events);
    }

    /// What has happened since the last time, in short.
    fn happened(&mut self) -> Vec<String> {
        let short = |event: Event| match event {
            Event::Send(line) => String::from_utf8(line.to_bytes().to_vec()).unwrap().trim_end().to_string(),
            Event::Connected => "connected".to_string(),
            Event::Ask(prompt) => format!("{prompt:?}"),
            Event::Execute(Execution { requester, attribute, args, kwargs, .. }) => {
                let (args, kwargs) = (String::from_utf8_lossy(&args), String::from_utf8_lossy(&kwargs));
                format!("{requester} {attribute} {args} {kwargs}")
            }
            Event::Ended(error) => format!("ended {:?} {}", error.kind(), error.message()),
        };
        core::mem::take(&mut self.events).into_iter().map(short).collect()
    }
}

fn request(attribute: &str, uid: &str) -> String {
    format!(
        "{{\"service\": \"Adder\", \"attribute\": \"{attribute}\", \"args\": [1.10, NaN], \"kwargs\": {{\"y\": 2}}, \
         \"error\": false, \"uid\": {uid}, \"requester\": \"Ann[lab:1]\"}}\r\n"
    )
}

fn result(result: &str, uid: &str) -> String {
    format!("{{\"error\": false, \"requester\": \"Ann[lab:1]\", \"result\": {result}, \"uid\": {uid}}}")
}

fn error(message: &str, uid: &str) -> String {
    format!(
        "{{\"error\": true, \"message\": \"{message}\", \"requester\": \"Ann[lab:1]\", \
         \"result\": null, \"traceback\": [], \"uid\": {uid}}}"
    )
}

const GOODBYE: &str = r#"{"service": "Adder", "attribute": "__disconnect__", "args": [], "kwargs": {}, "error": false, "uid": ""}"#;

#[test]
fn it_is_connected_when_the_manager_has_answered_behind_the_identity() {
    let mut adder = Device::new(Credentials::default());
    adder.hear(&message::handshake_request("identity", None, MANAGER_NAME));
    let said = adder.happened();
    assert_eq!(
        said[0],
        "{\"error\": false, \"requester\": \"Manager[lab:1875]\", \"result\": {\"type\": \"service\", \
         \"name\": \"Adder\", \"language\": \"Rust\", \"os\": \"any\", \
         \"attributes\": {\"add\": \"(x, y)\", \"pi\": 3.14}, \"max_clients\": 2}, \"uid\": \"\"}"
    );
    assert_eq!(said.len(), 2, "the identity and a question");
    assert!(!adder.machine.is_connected());
    adder.hear(&message::answer_text("Adder[lab:50000]", "true", b"\"confirm\""));
    assert_eq!(adder.happened(), ["connected"]);
    assert_eq!(adder.machine.manager(), MANAGER_NAME);
    assert!(adder.machine.is_connected());
}

#[test]
fn without_a_limit_the_identity_says_minus_one() {
    let mut adder = Device::new(Credentials::default());
    adder.machine.role.offer.max_clients = None;
    adder.hear(&message::handshake_request("identity", None, MANAGER_NAME));
    assert!(adder.happened()[0].contains("\"max_clients\": -1}"));
}

#[test]
fn a_refusal_is_the_end_whenever_it_comes() {
    let refusal = "{\"error\": true, \"message\": \"ValueError: no\", \"requester\": \"Manager[lab:1875]\", \"uid\": \"\"}\r\n";
    for asked_first in [false, true] {
        let mut adder = Device::new(Credentials::default());
        if asked_first {
            adder.hear(&message::handshake_request("identity", None, MANAGER_NAME));
        }
        adder.events.clear();
        adder.hear(refusal);
        assert_eq!(adder.happened(), ["ended Refused ValueError: no"]);
        assert!(adder.machine.is_ended());
        adder.machine.end("the Manager closed the connection", &mut adder.events);
        assert_eq!(adder.happened(), [] as [String; 0]);
    }
}

#[test]
fn credentials_are_given_where_they_are_known_and_asked_for_where_not() {
    let known = Credentials { username: Some("ada".into()), ..Credentials::default() };
    let mut adder = Device::new(known);
    adder.hear(&message::handshake_request("username", Some(MANAGER_NAME), MANAGER_NAME));
    assert_eq!(adder.happened(), [message::answer_text(MANAGER_NAME, "\"ada\"", b"\"\"").trim_end()]);
    adder.hear(&message::handshake_request("password", Some("ada"), MANAGER_NAME));
    assert_eq!(adder.happened(), ["Password { username: \"ada\" }"]);
    adder.machine.answer("engine".into(), &mut adder.events);
    assert_eq!(adder.happened(), [message::answer_text(MANAGER_NAME, "\"engine\"", b"\"\"").trim_end()]);
    adder.hear(&message::handshake_request("password", Some(MANAGER_NAME), MANAGER_NAME));
    assert_eq!(adder.happened(), ["ManagerPassword { manager: \"Manager[lab:1875]\" }"]);
}

#[test]
fn what_began_on_the_connection_before_has_no_answer_on_the_next_one() {
    let mut adder = Device::connected();
    let old = adder.asked("add", "\"1\"");
    adder.machine.end("the network is down", &mut adder.events);

    adder.machine = adder.machine.again();
    adder.hear(&message::handshake_request("identity", None, MANAGER_NAME));
    adder.hear(&message::answer_text("Adder[lab:50001]", "true", b"\"confirm\""));
    let new = adder.asked("add", "\"1\"");
    adder.events.clear();

    adder.finish(old, "1");
    assert_eq!(adder.happened(), [""; 0]);
    adder.finish(new, "2");
    assert_eq!(adder.happened(), [result("2", "\"1\"")]);
}

#[test]
fn a_question_that_nobody_answers_is_the_end() {
    let mut adder = Device::new(Credentials::default());
    adder.hear(&message::handshake_request("password", Some(MANAGER_NAME), MANAGER_NAME));
    let Some(Event::Ask(prompt)) = adder.events.pop() else { panic!("it asks") };
    adder.machine.refuse(&prompt, &mut adder.events);
    assert_eq!(adder.happened(), ["ended Login Manager[lab:1875] asks for its password, and none was given"]);
    assert!(adder.machine.is_ended());
}

#[test]
fn an_answer_that_an_author_gives_after_the_end_is_not_sent() {
    let mut adder = Device::new(Credentials::default());
    adder.hear(&message::handshake_request("password", Some(MANAGER_NAME), MANAGER_NAME));
    adder.machine.end("gone", &mut adder.events);
    adder.events.clear();
    adder.machine.answer("secret".into(), &mut adder.events);
    assert_eq!(adder.happened(), [] as [String; 0]);
}

#[test]
fn a_request_is_executed_with_its_arguments_to_the_byte() {
    let mut adder = Device::connected();
    adder.hear(&request("add", "\"1\""));
    assert_eq!(adder.happened(), ["Ann[lab:1] add [1.10, NaN] {\"y\": 2}"]);
    assert_eq!(adder.machine.executing(), 1);
}

#[test]
fn what_a_request_lacks_is_empty() {
    let mut adder = Device::connected();
    adder.hear("{\"service\": \"Adder\", \"attribute\": \"pi\", \"requester\": \"Ann[lab:1]\"}\n");
    assert_eq!(adder.happened(), ["Ann[lab:1] pi [] {}"]);
}

#[test]
fn requests_may_be_finished_in_any_order_and_only_once() {
    let mut adder = Device::connected();
    let (first, second) = (adder.asked("add", "1"), adder.asked("add", "2"));
    adder.finish(second, "22");
    adder.finish(first, "11");
    adder.finish(first, "11");
    assert_eq!(adder.happened(), [result("22", "2"), result("11", "1")]);
    assert_eq!(adder.machine.executing(), 0);
}

#[test]
fn the_uid_comes_back_to_the_byte() {
    let mut adder = Device::connected();
    for uid in [
        "\"a\\u00b5\\/\"",
        "1.10",
        "{\"a\": [ 1E5,null]}",
        "-0",
        "\"\\ud800\"",
        "123456789012345678901234567890",
    ] {
        let id = adder.asked("add", uid);
        adder.finish(id, "NaN");
        assert_eq!(adder.happened(), [result("NaN", uid)]);
        let id = adder.asked("add", uid);
        adder.machine.finish(id, Err(Failure::new("ValueError", "no")), &mut adder.events);
        assert_eq!(adder.happened(), [error("ValueError: no", uid)]);
    }
}

#[test]
fn a_failure_is_sent_with_its_traceback() {
    let mut adder = Device::connected();
    let id = adder.asked("add", "1");
    let traceback = vec!["line \"1\"".to_string(), "line 2".to_string()];
    let failure = Failure { exception: "MyError".into(), text: "it's\nbad".into(), traceback };
    adder.machine.finish(id, Err(failure), &mut adder.events);
    assert_eq!(
        adder.happened(),
        [
            "{\"error\": true, \"message\": \"MyError: it's\\nbad\", \"requester\": \"Ann[lab:1]\", \"result\": null, \
          \"traceback\": [\"line \\\"1\\\"\", \"line 2\"], \"uid\": 1}"
        ]
    );
}

#[test]
fn a_private_attribute_is_refused() {
    let mut adder = Device::connected();
    adder.hear(&request("_add", "1"));
    adder.hear(&request("__init__", "2"));
    assert_eq!(
        adder.happened(),
        ["1", "2"].map(|uid| error("PermissionError: Cannot request a private attribute", uid))
    );
    assert_eq!(adder.machine.executing(), 0);
}

#[test]
fn an_error_in_place_of_a_request_is_not_answered() {
    let mut adder = Device::connected();
    adder.hear(&request("add", "1").replace("\"error\": false", "\"error\": true"));
    adder.hear("{\"error\": true, \"message\": \"ValueError: no\", \"uid\": \"\"}\r\n");
    assert_eq!(adder.happened(), [] as [String; 0]);
    assert!(adder.machine.is_connected());
}

#[test]
fn what_is_no_message_changes_nothing() {
    let mut adder = Device::connected();
    adder.hear("hello\n\n{}\n[1]\n{\"result\": 1}\n{\"uid\": 7}\n");
    assert_eq!(adder.happened(), [] as [String; 0]);
    assert!(adder.machine.is_connected());
}

#[test]
fn a_request_that_is_too_long_is_answered_and_the_next_one_is_read() {
    let mut adder = Device::connected();
    // The names of who asked come after what is too long, as the Manager writes them.
    let long = request("add", "1").replace("1.10", &"1, ".repeat(READ_LIMIT / 3)).replace(", , NaN", "");
    adder.hear(&long);
    adder.hear(&request("add", "2"));
    let happened = adder.happened();
    assert!(
        happened[0].starts_with("{\"error\": true, \"message\": \"ValueError: the request cannot be read: ")
    );
    assert!(happened[0].ends_with("\"uid\": 1}"), "{}", happened[0]);
    assert_eq!(happened[1..], ["Ann[lab:1] add [1.10, NaN] {\"y\": 2}"]);
}

#[test]
fn a_line_without_an_end_is_the_end() {
    let mut adder = Device::connected();
    adder.hear(&format!("{{\"args\": [{}", "1, ".repeat(READ_LIMIT)));
    assert_eq!(adder.happened(), ["ended Disconnected the Manager sent a line that does not end"]);
}

#[test]
fn notifications_are_sent_while_it_is_connected() {
    let mut adder = Device::new(Credentials::default());
    assert!(!adder.machine.notify("[]", "{}", &mut adder.events));
    assert_eq!(adder.happened(), [] as [String; 0]);

    let mut adder = Device::connected();
    assert!(adder.machine.notify("[1.10]", "{\"x\": NaN}", &mut adder.events));
    assert_eq!(
        adder.happened(),
        [
            "{\"error\": false, \"service\": \"Adder\", \"uid\": \"notification\", \"result\": [[1.10], {\"x\": NaN}]}"
        ]
    );

    adder.machine.end("gone", &mut adder.events);
    adder.events.clear();
    assert!(!adder.machine.notify("[]", "{}", &mut adder.events));
    assert_eq!(adder.happened(), [] as [String; 0]);
}

#[test]
fn it_says_goodbye_at_once_when_nothing_is_executed() {
    let mut adder = Device::connected();
    adder.machine.shut_down(&mut adder.events);
    adder.machine.shut_down(&mut adder.events);
    assert_eq!(adder.happened(), [GOODBYE]);
    assert!(!adder.machine.is_connected());
}

#[test]
fn it_finishes_what_it_executes_before_it_says_goodbye_and_takes_nothing_new() {
    let mut adder = Device::connected();
    let (first, second) = (adder.asked("add", "1"), adder.asked("add", "2"));
    adder.machine.shut_down(&mut adder.events);
    assert_eq!(adder.happened(), [] as [String; 0]);

    adder.hear(&request("add", "3"));
    assert_eq!(adder.happened(), [error("ConnectionError: Adder is shutting down", "3")]);

    adder.finish(second, "22");
    assert!(adder.machine.notify("[]", "{}", &mut adder.events), "what still runs may notify");
    assert_eq!(adder.happened().len(), 2);
    adder.finish(first, "11");
    assert_eq!(adder.happened(), [result("11", "1"), GOODBYE.to_string()]);

    adder.hear(&request("add", "4"));
    assert_eq!(adder.happened(), [error("ConnectionError: Adder is shutting down", "4")]);
}

#[test]
fn the_end_says_why_once_and_forgets_what_is_executed() {
    let mut adder = Device::connected();
    let id = adder.asked("add", "1");
    adder.machine.end("the Manager closed the connection", &mut adder.events);
    adder.machine.end("again", &mut adder.events);
    adder.finish(id, "11");
    assert_eq!(adder.happened(), ["ended Disconnected the Manager closed the connection"]);
    assert_eq!(adder.machine.executing(), 0);
}

#[test]
fn an_end_that_was_asked_for_is_no_failure() {
    let mut adder = Device::connected();
    adder.machine.shut_down(&mut adder.events);
    adder.events.clear();
    adder.machine.end("the Manager closed the connection", &mut adder.events);
    assert_eq!(adder.happened(), ["ended Disconnected disconnected"]);
}

#[test]
fn a_manager_that_does_nothing_after_the_goodbye_is_not_waited_for() {
    let mut adder = Device::connected();
    let id = adder.asked("add", "1");
    let begin = Instant::EPOCH + LEAVE;
    adder.machine.shut_down(&mut adder.events);
    adder.machine.handle_timeout(begin, &mut adder.events);
    assert_eq!(adder.machine.deadline(), None, "what is executed has all the time that it needs");

    adder.finish(id, "11");
    adder.events.clear();
    adder.machine.handle_timeout(begin, &mut adder.events);
    assert_eq!(adder.machine.deadline(), Some(begin + LEAVE));
    adder.machine.handle_timeout(begin + LEAVE / 2, &mut adder.events);
    assert_eq!(adder.happened(), [] as [String; 0]);

    adder.machine.handle_timeout(begin + LEAVE, &mut adder.events);
    assert_eq!(adder.happened(), ["ended Disconnected disconnected"]);
    assert_eq!(adder.machine.deadline(), None);
}

#[test]
fn a_manager_that_takes_or_says_something_after_the_goodbye_has_its_time_again() {
    let does: [fn(&mut Device); 2] =
        [|adder| adder.machine.written(), |adder| adder.hear(&request("add", "1"))];
    for act in does {
        let mut adder = Device::connected();
        adder.machine.shut_down(&mut adder.events);
        adder.machine.handle_timeout(Instant::EPOCH, &mut adder.events);
        act(&mut adder);
        adder.events.clear();
        adder.machine.handle_timeout(Instant::EPOCH + LEAVE, &mut adder.events);
        assert_eq!(adder.happened(), [] as [String; 0]);
        assert_eq!(adder.machine.deadline(), Some(Instant::EPOCH + LEAVE + LEAVE));
    }
}

#[test]
fn lines_in_any_pieces_give_the_same() {
    let mut adder = Device::connected();
    for byte in request("add", "1").bytes() {
        adder.machine.receive(Bytes::copy_from_slice(&[byte]));
        while adder.machine.advance(&mut adder.events) {}
    }
    assert_eq!(adder.happened(), ["Ann[lab:1] add [1.10, NaN] {\"y\": 2}"]);
}
