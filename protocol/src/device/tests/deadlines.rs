//! A call's deadline, while the clock stands, ticks and jumps.

use alloc::vec::Vec;

use super::laboratory::{ALL, HOUR, Laboratory, SECOND, STILL, TICK, almost};
use crate::client::CallId;
use crate::device::ErrorKind;
use crate::instant::Instant;

fn timed_out(lab: &mut Laboratory) -> Vec<CallId> {
    let calls = lab.settled().into_iter().map(|(call, outcome)| {
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.may_be_executed()), (ErrorKind::TimedOut, true));
        call
    });
    calls.collect()
}

#[test]
fn a_call_fails_at_its_deadline_once_and_not_a_tick_earlier() {
    let mut lab = Laboratory::pair();
    let call = lab.call("add", Some(lab.now() + SECOND));

    lab.jump(almost(SECOND));
    assert_eq!(timed_out(&mut lab), []);
    lab.jump(TICK);
    assert_eq!(timed_out(&mut lab), [call]);
    assert_eq!(lab.clients[0].machine.deadline(), None);

    lab.jump(STILL);
    lab.jump(HOUR);
    assert_eq!(timed_out(&mut lab), []);
}

#[test]
fn a_moment_that_is_earlier_than_the_last_changes_nothing() {
    let mut lab = Laboratory::pair();
    let call = lab.call("add", Some(lab.now() + SECOND));
    lab.jump(almost(SECOND));
    lab.clients[0].act(|machine, out| machine.handle_timeout(Instant::EPOCH, out));
    assert_eq!(timed_out(&mut lab), []);
    lab.jump(TICK);
    assert_eq!(timed_out(&mut lab), [call]);
}

#[test]
fn a_jump_over_many_deadlines_fails_those_in_their_order_and_no_others() {
    let mut lab = Laboratory::pair();
    let after = [3, 1, 4, 2].map(|hours| Some(lab.now() + HOUR * hours));
    let calls = after.map(|deadline| lab.call("add", deadline));
    let patient = lab.call("add", None);

    lab.jump(HOUR * 3);
    assert_eq!(timed_out(&mut lab), [calls[1], calls[3], calls[0]]);

    lab.settle();
    let executions = lab.executions();
    lab.finish(&executions);
    lab.settle();
    let answered: Vec<CallId> = lab.settled().into_iter().map(|(call, _)| call).collect();
    assert_eq!(answered, [calls[2], patient]);
}

#[test]
fn a_deadline_that_passes_while_its_answer_is_half_there_is_kept_and_the_rest_goes_to_nobody() {
    let mut lab = Laboratory::pair();
    let late = lab.call("late", Some(lab.now() + SECOND));
    let next = lab.call("next", None);
    lab.settle();
    let executions = lab.executions();
    lab.finish(&executions);
    lab.services[0].carry_up(&mut lab.world, ALL);
    let half = lab.clients[0].coming(&mut lab.world) / 4;
    lab.clients[0].carry_down(&mut lab.world, half);

    lab.jump(HOUR);
    assert_eq!(timed_out(&mut lab), [late]);

    lab.settle();
    assert_eq!(lab.settled(), [(next, Ok("\"next\"".into()))]);
}

#[test]
fn an_answer_that_is_hours_late_is_given_to_no_other_call() {
    let mut lab = Laboratory::pair();
    let late = lab.call("late", Some(lab.now() + SECOND));
    lab.settle();
    let held = lab.executions();
    lab.jump(HOUR);
    assert_eq!(timed_out(&mut lab), [late]);

    let next = lab.call("next", Some(lab.now() + SECOND));
    lab.finish(&held);
    lab.settle();
    assert_eq!(lab.settled(), []);

    let executions = lab.executions();
    lab.finish(&executions);
    lab.settle();
    assert_eq!(lab.settled(), [(next, Ok("\"next\"".into()))]);
}

#[test]
fn an_answer_that_has_arrived_counts_if_it_is_looked_at_before_the_clock() {
    let mut lab = Laboratory::pair();
    let call = lab.call("add", Some(lab.now() + SECOND));
    lab.settle();
    let executions = lab.executions();
    lab.finish(&executions);
    lab.world.jump(HOUR);

    lab.settle();
    lab.jump(TICK);

    assert_eq!(lab.settled(), [(call, Ok("\"add\"".into()))]);
}

#[test]
fn a_call_whose_deadline_is_over_already_is_sent_and_fails_at_once() {
    let mut lab = Laboratory::pair();
    lab.jump(HOUR);
    let call = lab.call("add", Some(lab.now()));
    lab.jump(STILL);
    assert_eq!(timed_out(&mut lab), [call]);
    lab.settle();
    assert_eq!(lab.executions().len(), 1, "a call is sent when it is made");
}

#[test]
fn a_deadline_may_be_moved_and_taken_away() {
    let mut lab = Laboratory::pair();
    let [moved, none] = [1, 2].map(|seconds| lab.call("add", Some(lab.now() + SECOND * seconds)));
    let later = lab.now() + HOUR;
    lab.clients[0].machine.set_deadline(moved, Some(later));
    lab.clients[0].machine.set_deadline(none, None);

    lab.jump(almost(HOUR));
    assert_eq!(timed_out(&mut lab), []);
    lab.jump(TICK);
    assert_eq!(timed_out(&mut lab), [moved]);
}

#[test]
fn a_call_that_is_forgotten_leaves_no_deadline_and_its_answer_goes_to_nobody() {
    let mut lab = Laboratory::pair();
    let call = lab.call("add", Some(lab.now() + SECOND));
    lab.clients[0].machine.forget(call);
    assert_eq!(lab.clients[0].machine.deadline(), None);
    lab.settle();
    let executions = lab.executions();
    lab.finish(&executions);
    lab.jump(HOUR);
    lab.settle();
    assert_eq!(lab.settled(), []);
}
