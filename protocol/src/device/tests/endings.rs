//! Services, connections and Managers that end while calls are open, and the Manager's own timers in the same jump.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::laboratory::{ALL, HOUR, Laboratory, SECOND, TICK, almost, request};
use crate::client::{self, CallId};
use crate::device::{Error, ErrorKind};
use crate::limits::Limits;
use crate::service;
use crate::testing::World;

/// How a call failed: kind, text, and whether it may be executed nevertheless.
fn failures(lab: &mut Laboratory) -> Vec<(CallId, ErrorKind, String, bool)> {
    let failure = |error: Error| (error.kind(), error.message().to_string(), error.may_be_executed());
    let settled = lab.settled().into_iter().map(|(call, outcome)| {
        let (kind, message, may_be_executed) = failure(outcome.unwrap_err());
        (call, kind, message, may_be_executed)
    });
    settled.collect()
}

#[test]
fn a_service_that_shuts_down_has_all_the_time_for_what_it_executes_and_takes_nothing_new() {
    let mut lab = Laboratory::pair();
    let begun = lab.call("begun", None);
    lab.settle();
    let executions = lab.executions();
    lab.services[0].act(service::Machine::shut_down);
    let refused = lab.call("refused", None);
    lab.settle();
    lab.jump(HOUR);
    lab.settle();
    let shutting_down = "ConnectionError: Adder is shutting down".to_string();
    assert_eq!(failures(&mut lab), [(refused, ErrorKind::Remote, shutting_down, true)]);
    assert!(!lab.services[0].machine.is_ended());

    lab.finish(&executions);
    lab.jump(HOUR);
    lab.settle();

    assert_eq!(lab.settled(), [(begun, Ok("\"begun\"".into()))]);
    assert!(lab.services[0].machine.is_ended());
    let gone = lab.call("gone", None);
    lab.settle();
    let [(call, kind, _, may_be_executed)] = &failures(&mut lab)[..] else { panic!() };
    assert_eq!((*call, *kind, *may_be_executed), (gone, ErrorKind::NoSuchService, false));
}

#[test]
fn a_service_that_is_lost_in_the_middle_of_an_answer_fails_its_calls() {
    let mut lab = Laboratory::pair();
    let call = lab.call("add", None);
    lab.settle();
    let executions = lab.executions();
    lab.finish(&executions);
    let half = lab.services[0].up.len() / 2;
    lab.services[0].carry_up(&mut lab.world, half);

    lab.services[0].cut(&mut lab.world);
    lab.settle();

    let left = "ConnectionError: the 'Adder' service has left before it answered".to_string();
    assert_eq!(failures(&mut lab), [(call, ErrorKind::Remote, left, true)]);
    assert_eq!(lab.services[0].machine.executing(), 0);
}

#[test]
fn a_connection_that_is_lost_in_the_middle_of_an_answer_fails_its_calls() {
    let mut lab = Laboratory::pair();
    let call = lab.call("add", Some(lab.now() + SECOND));
    lab.settle();
    let executions = lab.executions();
    lab.finish(&executions);
    lab.services[0].carry_up(&mut lab.world, ALL);
    let half = lab.clients[0].coming(&mut lab.world) / 2;
    lab.clients[0].carry_down(&mut lab.world, half);

    lab.clients[0].cut(&mut lab.world);
    lab.jump(HOUR);
    lab.settle();

    let down = "the network is down; Adder.add has no answer".to_string();
    assert_eq!(failures(&mut lab), [(call, ErrorKind::Disconnected, down, true)]);
    assert_eq!(lab.clients[0].machine.deadline(), None);
}

#[test]
fn a_manager_that_shuts_down_in_the_jump_in_which_a_deadline_passes_settles_each_call_once() {
    let mut lab = Laboratory::pair();
    let limits = Limits::default();
    let patient = lab.call("patient", None);
    let hasty = lab.call("hasty", Some(lab.now() + limits.shutdown));
    lab.settle();
    lab.world.shut_down();
    lab.jump(almost(limits.shutdown));
    lab.settle();
    assert_eq!(failures(&mut lab), []);

    lab.jump(TICK);
    lab.settle();

    let late = "Adder.hasty was not answered in time".to_string();
    let shut_down = "ConnectionError: the Manager is shutting down".to_string();
    assert_eq!(
        failures(&mut lab),
        [(hasty, ErrorKind::TimedOut, late, true), (patient, ErrorKind::Remote, shut_down, true)]
    );
    assert!(lab.clients[0].machine.is_ended() && lab.services[0].machine.is_ended());
    lab.jump(HOUR);
    lab.world.assert_empty();
}

#[test]
fn a_service_that_does_not_read_costs_a_call_its_time_and_the_client_nothing_else() {
    let limits = Limits { service_mailbox: 10, ..Limits::default() };
    let mut lab = Laboratory::new(World::with(limits.clone()), &["Ann"], &["Adder"]);
    lab.world.stop_reading(lab.services[0].id);
    // One is being written, and one waits for room.
    let [written, patient] = [(); 2].map(|()| lab.call("add", None));
    let hasty = lab.call("add", Some(lab.now() + limits.service_wait));
    lab.settle();

    lab.jump(almost(limits.service_wait));
    lab.settle();
    assert_eq!(failures(&mut lab), []);
    lab.jump(TICK);
    lab.settle();

    let failed = failures(&mut lab);
    assert_eq!((failed[0].0, failed[0].1), (hasty, ErrorKind::TimedOut));
    assert_eq!((failed[1].0, failed[1].1), (patient, ErrorKind::Remote));
    assert!(failed[1].2.starts_with("TimeoutError: the 'Adder' service "), "{failed:?}");
    assert_eq!(failed.len(), 2);

    lab.world.read_again(lab.services[0].id);
    lab.settle();
    let executions = lab.executions();
    lab.finish(&executions[..1]);
    lab.settle();
    assert_eq!(lab.settled(), [(written, Ok("\"add\"".into()))]);
}

#[test]
fn a_client_that_asks_to_be_disconnected_settles_what_is_open_once() {
    let mut lab = Laboratory::pair();
    let call = lab.call("add", None);
    lab.settle();
    let executions = lab.executions();
    lab.clients[0].act(client::Machine::disconnect);
    let request = request("Adder", "add", "[]", None);
    let refused = lab.clients[0].act(|machine, out| machine.call(request, out)).unwrap_err();
    assert_eq!((refused.kind(), refused.may_be_executed()), (ErrorKind::Disconnected, false));

    lab.settle();
    lab.finish(&executions);
    lab.jump(HOUR);
    lab.settle();

    let closed = "the Manager closed the connection; Adder.add has no answer";
    assert_eq!(failures(&mut lab), [(call, ErrorKind::Disconnected, closed.to_string(), true)]);
}
