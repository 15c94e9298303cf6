//! Any bytes from a Manager, read by a client and by a service.
//!
//! The rules: the same bytes cause the same however they are cut; whatever a device says is one valid line; every call of a
//! client is settled once; a service answers each execution once; and nothing comes after the end.

use bytes::Bytes;
use msl_network_protocol::client;
use msl_network_protocol::device::{Credentials, Description};
use msl_network_protocol::frame::{Frame, Rope};
use msl_network_protocol::service::{self, Failure, Offer};

use crate::cuts::same_in_every_cut;
use crate::lab::read;

/// Small, so that lines over the limit are found soon.
const READ_LIMIT: usize = 2048;

/// Any bytes from a Manager, read by a client.
pub fn client(data: &[u8]) {
    same_in_every_cut(data, play_client);
}

/// Any bytes from a Manager, read by a service.
pub fn service(data: &[u8]) {
    same_in_every_cut(data, play_service);
}

fn description(name: &str) -> Description {
    Description { name: name.into(), language: "any".into(), os: "any".into() }
}

/// What was said and what happened, in order.
#[derive(Default)]
struct Course {
    told: Vec<String>,
    ended: bool,
}

impl Course {
    fn add(&mut self, event: &impl std::fmt::Debug) {
        assert!(!self.ended, "after the end: {event:?}");
        self.told.push(format!("{event:?}"));
    }

    /// The device says a line.
    fn say(&mut self, line: &Rope) -> Frame {
        let line = line.to_bytes();
        self.add(&line);
        read(&line)
    }
}

/// A client that makes three calls when it is connected, and answers every prompt.
fn play_client(pieces: &[&[u8]]) -> Vec<String> {
    let mut machine = client::Machine::new(description("Ann"), Credentials::default(), READ_LIMIT);
    let (mut course, mut open, mut events) = (Course::default(), Vec::new(), Vec::new());
    let mut react = |machine: &mut client::Machine, events: &mut Vec<client::Event>| {
        while !events.is_empty() {
            for event in std::mem::take(events) {
                match &event {
                    client::Event::Send(line) => {
                        course.say(line);
                        continue;
                    }
                    client::Event::Connected => {
                        for (service, attribute) in [("Manager", "link"), ("Echo", "echo"), ("Tester", "add")]
                        {
                            let request = client::Request {
                                service,
                                attribute,
                                args: "[\"Echo\"]".into(),
                                kwargs: "{}".into(),
                                deadline: None,
                            };
                            // Fails only if the same line has ended the connection.
                            open.extend(machine.call(request, events));
                        }
                    }
                    client::Event::Ask(_) => machine.answer("engine".into(), events),
                    client::Event::Settled { call, .. } => {
                        let place = open.iter().position(|open| open == call);
                        open.swap_remove(
                            place.unwrap_or_else(|| panic!("settled twice, or never made: {call:?}")),
                        );
                    }
                    client::Event::Notification { .. }
                    | client::Event::Gone { .. }
                    | client::Event::Ended(_) => {}
                }
                course.add(&event);
                course.ended |= matches!(event, client::Event::Ended(_));
            }
        }
    };
    for piece in pieces {
        machine.receive(Bytes::copy_from_slice(piece));
        while machine.advance(&mut events) {
            react(&mut machine, &mut events);
        }
        react(&mut machine, &mut events);
    }
    machine.end("the end of the input", &mut events);
    react(&mut machine, &mut events);
    assert!(open.is_empty(), "never settled: {open:?}");
    assert!(course.ended);
    course.told
}

/// A service that executes at once, but for every third request, which is done when all has been read.
fn play_service(pieces: &[&[u8]]) -> Vec<String> {
    let offer = Offer { attributes: vec![("add".into(), "\"(x, y)\"".into())], max_clients: Some(1) };
    let mut machine = service::Machine::new(description("Tester"), offer, Credentials::default(), READ_LIMIT);
    let (mut course, mut late, mut events) = (Course::default(), Vec::new(), Vec::new());
    let mut executions = 0;
    let mut react = |machine: &mut service::Machine, events: &mut Vec<service::Event>, late: &mut Vec<_>| {
        while !events.is_empty() {
            for event in std::mem::take(events) {
                match &event {
                    service::Event::Send(line) => {
                        course.say(line);
                        continue;
                    }
                    service::Event::Ask(_) => machine.answer("engine".into(), events),
                    service::Event::Execute(execution) => {
                        executions += 1;
                        let failure = Failure::new("ValueError", "no such thing");
                        match executions % 3 {
                            0 => late.push(execution.id),
                            1 => machine.finish(execution.id, Ok("[1]".into()), events),
                            _ => machine.finish(execution.id, Err(failure.clone()), events),
                        }
                    }
                    service::Event::Connected | service::Event::Ended(_) => {}
                }
                course.add(&event);
                course.ended |= matches!(event, service::Event::Ended(_));
            }
        }
    };
    for piece in pieces {
        machine.receive(Bytes::copy_from_slice(piece));
        while machine.advance(&mut events) {
            react(&mut machine, &mut events, &mut late);
        }
        react(&mut machine, &mut events, &mut late);
    }
    machine.shut_down(&mut events);
    for id in std::mem::take(&mut late) {
        let awaited = machine.is_awaited(id);
        let before = events.len();
        machine.finish(id, Ok("2".into()), &mut events);
        assert_eq!(events.len() > before, awaited, "an answer is sent once, and only where it is awaited");
    }
    assert_eq!(machine.executing(), 0, "every execution has been finished");
    machine.end("the end of the input", &mut events);
    react(&mut machine, &mut events, &mut late);
    assert!(course.ended);
    course.told
}
