//! Python devices survive every way in which the Manager ends a connection or a call: each open call fails with an
//! exception, no thread spins, and a service's process comes to its end. (After a reset, a Python service would spin for
//! ever and a client's open calls would never return.)

use std::time::Duration;

use msl_network_tests::every_setup;
use msl_network_tests::program::Program;
use msl_network_tests::python::{Facts, Script, assert_error};
use msl_network_tests::setup::Setup;
use serde_json::{Value, json};

every_setup! {
    a_service_that_is_killed_answers_its_callers
    devices_survive_the_end_of_the_manager
    devices_survive_a_shutdown_by_an_administrator
    devices_survive_a_refusal
    devices_survive_frames_that_are_too_long
}

/// What half a second of idling may cost.
const IDLE: Duration = Duration::from_millis(250);

fn assert_nothing_spins(facts: &Facts) {
    let busy = facts.one("afterwards")["busy"].as_f64().expect("a number of seconds");
    assert!(busy < IDLE.as_secs_f64(), "{busy} s of processor time in half a second of waiting");
}

fn a_service_that_is_killed_answers_its_callers(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut service = Script::start("serve.py", &program, &["Waiter"]);
    let client = Script::start("waiting.py", &program, &[]);
    service.wait_for_many("called", 3);

    service.process().kill();

    let facts = client.finish();
    let failures = facts.all("failed");
    assert_eq!(failures.len(), 3);
    for failure in failures {
        assert_error(failure, "RuntimeError", &["ConnectionError: "]);
    }
    assert_nothing_spins(&facts);
    assert_error(
        facts.one("next call"),
        "RuntimeError",
        &["KeyError: ", "'Waiter' Service is not connected to"],
    );
    assert_eq!(facts.one("connected")["result"], true);
}

fn devices_survive_the_end_of_the_manager(setup: Setup) {
    let mut program = Program::start(setup, &[]);
    let service = Script::start("serve.py", &program, &["Waiter"]);
    let client = Script::start("waiting.py", &program, &[]);
    service.wait_for_many("called", 3);

    program.terminate();

    let facts = client.finish();
    let failures = facts.all("failed");
    assert_eq!(failures.len(), 3);
    for failure in failures {
        assert!(failure["text"].as_str().is_some_and(|text| !text.is_empty()), "{failure}");
        assert_ne!(failure["kind"], "TimeoutError", "the call did not end");
    }
    assert_nothing_spins(&facts);
    assert_ne!(facts.one("next call")["kind"], "TimeoutError");
    service.finish().one("ended");
    assert!(program.wait().success());
}

fn devices_survive_a_shutdown_by_an_administrator(setup: Setup) {
    let mut program = Program::with_users(setup, &["--shutdown", "1s"]);
    let service = Script::start("serve.py", &program, &["Waiter"]);
    let client = Script::start("waiting.py", &program, &[]);
    service.wait_for_many("called", 3);

    let facts = Script::run("administrator.py", &program, &[]);
    assert_eq!(facts.one("users")["result"], json!(["ada", "bob"]));
    assert_eq!(facts.one("shutdown")["result"], Value::Null);
    assert_eq!(facts.one("connected")["result"], false);
    assert_eq!(facts.all("failed").len(), 2);
    assert_nothing_spins(&facts);
    let others = client.finish();
    assert_eq!(others.all("failed").len(), 3);
    assert_nothing_spins(&others);
    for failure in [facts.all("failed"), others.all("failed")].concat() {
        assert_error(failure, "RuntimeError", &["ConnectionError: "]);
    }
    service.finish().one("ended");
    assert!(program.wait().success());
}

fn devices_survive_a_refusal(setup: Setup) {
    let program = Program::start(setup, &["--auth-password", "the", "secret"]);

    let facts = Script::run("refused.py", &program, &[]);
    assert_error(facts.one("refused"), "ValueError", &["ValueError: Wrong Manager password"]);
    assert!(facts.one("refused")["seconds"].as_f64().expect("a number of seconds") < 5.0);
    assert_eq!(facts.one("accepted")["connected"], true);

    let facts = Script::run("serve.py", &program, &["Echo", "a guess"]);
    assert_error(facts.one("refused"), "ValueError", &["ValueError: Wrong Manager password"]);
    facts.one("ended");
}

fn devices_survive_frames_that_are_too_long(setup: Setup) {
    const LIMIT: &str = "1048576";
    let program = Program::start(setup, &["--max-frame", LIMIT]);
    let big = Script::start("serve.py", &program, &["Big"]);
    let waiter = Script::start("serve.py", &program, &["Waiter"]);

    let facts = Script::run("limits.py", &program, &[LIMIT]);

    assert_error(facts.one("long reply"), "RuntimeError", &[]);
    assert_error(facts.one("long request"), "RuntimeError", &[]);
    assert_eq!(facts.one("goes on")["result"], "xxx");
    assert_error(facts.one("endless reply"), "RuntimeError", &[]);
    let endless = facts.all("endless request");
    assert_eq!(endless.len(), 2);
    for failure in endless {
        assert_ne!(failure["kind"], "TimeoutError", "the call did not end");
    }
    assert_nothing_spins(&facts);
    facts.one("bystander");
    // What sent without end was ended; what did not is still there.
    big.finish().one("ended");
    waiter.wait_for("called");
}
