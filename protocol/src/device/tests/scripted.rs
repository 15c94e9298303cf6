//! A client and a service with nothing between them but a script that does a Manager's least: it asks who they are, and
//! says who asked.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use crate::client::{self, CallId};
use crate::device::{Credentials, ErrorKind};
use crate::message;
use crate::service::{self, Failure};

use super::laboratory::{new_client, new_service, request, text};

const MANAGER: &str = "Manager[lab:1875]";

/// The lines in these events, and the other events.
fn lines<E>(events: Vec<E>, line: impl Fn(&E) -> Option<String>) -> (Vec<String>, Vec<E>) {
    let said = events.iter().filter_map(&line).collect();
    (said, events.into_iter().filter(|event| line(event).is_none()).collect())
}

struct Pair {
    client: client::Machine,
    service: service::Machine,
}

impl Pair {
    fn new() -> Self {
        let mut pair =
            Self { client: new_client("Ann", Credentials::default()), service: new_service("Adder") };
        let identity = message::handshake_request("identity", None, MANAGER);
        let (_, none) = pair.tell_client(&identity);
        assert!(none.is_empty());
        let (_, connected) = pair.tell_client(&message::answer_text("Ann", "true", b"\"confirm\""));
        assert!(matches!(connected[..], [client::Event::Connected]));
        pair.tell_service(&identity);
        let (_, connected) = pair.tell_service(&message::answer_text("Adder", "true", b"\"confirm\""));
        assert!(matches!(connected[..], [service::Event::Connected]));
        pair
    }

    fn tell_client(&mut self, line: &str) -> (Vec<String>, Vec<client::Event>) {
        let mut events = Vec::new();
        self.client.receive(line.to_string().into());
        while self.client.advance(&mut events) {}
        lines(events, |event| match event {
            client::Event::Send(line) => Some(text(&line.to_bytes())),
            _ => None,
        })
    }

    fn tell_service(&mut self, line: &str) -> (Vec<String>, Vec<service::Event>) {
        let mut events = Vec::new();
        self.service.receive(line.to_string().into());
        while self.service.advance(&mut events) {}
        lines(events, service_line)
    }

    fn call(&mut self, service: &str, args: &str) -> (CallId, String) {
        let mut events = Vec::new();
        let call = self.client.call(request(service, "add", args, None), &mut events).unwrap();
        let [client::Event::Send(line)] = &events[..] else { panic!("{events:?}") };
        (call, text(&line.to_bytes()))
    }
}

fn service_line(event: &service::Event) -> Option<String> {
    match event {
        service::Event::Send(line) => Some(text(&line.to_bytes())),
        _ => None,
    }
}

#[test]
fn what_a_client_says_a_service_understands_and_the_reverse() {
    let mut pair = Pair::new();
    let args = "[1.10, NaN, \"\\u00e9漢\", 12345678901234567890123]";
    let (call, said) = pair.call("Adder", args);
    let forwarded = said.replacen('{', "{\"requester\": \"Ann[lab:1]\", ", 1);
    for fails in [false, true] {
        let (_, executions) = pair.tell_service(&forwarded);
        let [service::Event::Execute(execution)] = &executions[..] else { panic!("{executions:?}") };
        assert_eq!((&*execution.requester, &*execution.attribute), ("Ann[lab:1]", "add"));
        assert_eq!(text(&execution.args), args);

        let traceback = vec!["it's".to_string(), "\"here\"".to_string()];
        let failure = Failure { traceback: traceback.clone(), ..Failure::new("ValueError", "é\n") };
        let outcome = if fails { Err(failure) } else { Ok(args.to_string()) };
        let mut events = Vec::new();
        pair.service.finish(execution.id, outcome, &mut events);
        let line = service_line(&events[0]).unwrap();
        let (_, settled) = pair.tell_client(&line);
        match &settled[..] {
            // The second answer is for nobody: a call is settled once.
            [] => assert!(fails),
            [client::Event::Settled { call: settled, outcome: Ok(result) }] => {
                assert_eq!((*settled, &*text(result)), (call, args));
                assert!(!fails);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_notification_arrives_as_it_was_sent() {
    let mut pair = Pair::new();
    let mut events = Vec::new();
    assert!(pair.service.notify("[1.10, NaN]", "{\"é\": []}", &mut events));
    let line = service_line(&events[0]).unwrap();
    let (_, heard) = pair.tell_client(&line);
    let [client::Event::Notification { service, args, kwargs }] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!((&**service, &*text(args), &*text(kwargs)), ("Adder", "[1.10, NaN]", "{\"é\": []}"));
}

/// As the Python Manager answers when there is no such service: without a uid.
fn lost(service: &str) -> String {
    format!(
        "{{\"error\": true, \"message\": \"KeyError: \\\"the '{service}' Service is not connected to {MANAGER}\\\"\", \
         \"requester\": \"Ann[lab:1]\", \"result\": null, \"traceback\": [], \"uid\": \"\"}}\r\n"
    )
}

#[test]
fn an_error_without_a_uid_that_may_be_of_a_forgotten_call_does_not_promise_that_another_was_not_executed() {
    for forgotten in [false, true] {
        let mut pair = Pair::new();
        // The service executes this one and leaves; the next one comes too late.
        let (executed, _) = pair.call("Adder", "[1]");
        if forgotten {
            let (refused, _) = pair.call("Adder", "[2]");
            pair.client.forget(refused);
        }
        let (_, settled) = pair.tell_client(&lost("Adder"));
        let [client::Event::Gone { .. }, client::Event::Settled { call, outcome: Err(error) }] = &settled[..]
        else {
            panic!("{settled:?}")
        };
        assert_eq!((*call, error.kind()), (executed, ErrorKind::NoSuchService));
        assert_eq!(error.may_be_executed(), forgotten);
    }
}

#[test]
fn a_late_answer_without_a_uid_is_not_taken_for_that_to_another_request_of_the_manager() {
    let mut pair = Pair::new();
    let mut events = Vec::new();
    let administer = |attribute| request("Manager", attribute, "[]", None);
    let late = pair.client.call(administer("users_table.users"), &mut events).unwrap();
    let next = pair.client.call(administer("hostnames_table.hostnames"), &mut events).unwrap();
    pair.client.forget(late);

    let (_, none) = pair.tell_client(&message::answer_text("Ann", "\"users\"", b"\"\""));
    let (_, settled) = pair.tell_client(&message::answer_text("Ann", "\"hostnames\"", b"\"\""));

    assert!(none.is_empty(), "{none:?}");
    let [client::Event::Settled { call, outcome: Ok(result) }] = &settled[..] else { panic!("{settled:?}") };
    assert_eq!((*call, &*text(result)), (next, "\"hostnames\""));
}
