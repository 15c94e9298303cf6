//! The Python package as client and as service, plain and over TLS, with Managers on either runtime: what works with the
//! Python Manager works with ours.

use std::f64::consts::{E, PI};

use msl_network_tests::embedded::Start;
use msl_network_tests::laboratory::Laboratory;
use msl_network_tests::python::{Script, assert_error};
use msl_network_tests::{every_laboratory, every_setup};
use serde_json::{Value, json};

every_setup! {
    calls_are_answered_and_errors_are_raised
    notifications_arrive_in_order
    identities_can_be_read_and_names_are_unique
    twenty_megabytes_travel_there_and_back
    a_service_shuts_down_and_comes_back
}

every_laboratory! {
    with_something_of_ours:
    locks_and_client_limits_exclude
}

/// The whole Manager in one thread, in an event loop of its own.
mod in_one_thread {
    macro_rules! tests {
        ($($test:ident)*) => {
            $(#[test]
            fn $test() {
                super::$test("manager_on_mio");
            })*
        };
    }

    tests! {
        calls_are_answered_and_errors_are_raised
        notifications_arrive_in_order
        identities_can_be_read_and_names_are_unique
        twenty_megabytes_travel_there_and_back
        a_service_shuts_down_and_comes_back
    }
}

fn calls_are_answered_and_errors_are_raised(manager: impl Start) {
    let facts = Script::run("calls.py", &manager.start(), &[]);

    assert_eq!(
        facts.one("echo")["result"],
        serde_json::from_str::<Value>(
            r#"[[1, "é漢\n", [null, 0.1]], {"x": {"a": [[], {}]}, "big": 12345678901234567890123}]"#
        )
        .expect("it is JSON")
    );
    assert_eq!(facts.one("nothing")["result"], json!([[], {}]));
    assert_eq!(facts.one("not finite")["result"], "[[nan, inf, -inf], {}]");
    assert_eq!(facts.one("linspace")["result"], json!([0.0, 0.25, 0.5, 0.75, 1.0]));
    assert_eq!(facts.one("scaled")["result"], json!([2, 4, 6]));
    let attributes = facts.one("attributes");
    assert_eq!(attributes["pi"], json!(PI));
    assert_eq!(attributes["euler"], json!(E));
    assert_eq!(attributes["sum"], 3);

    let six = facts.one("six calls");
    assert_eq!(six["results"], json!([3, -1, 6, 0.5, true, 9]));
    let seconds = |member: &str| six[member].as_f64().expect("a number of seconds");
    assert!(seconds("together") < seconds("separate") / 2.0, "the calls do not overlap: {six}");

    assert_error(facts.one("error of a method"), "RuntimeError", &["ZeroDivisionError: "]);
    assert_error(facts.one("another error of a method"), "RuntimeError", &["ValueError: The value is < 0"]);
    assert_error(facts.one("wrong arguments"), "RuntimeError", &["TypeError: ", "positional argument"]);
    assert_error(facts.one("unknown attribute"), "RuntimeError", &["AttributeError: ", "nothing"]);
    assert_error(facts.one("private attribute"), "RuntimeError", &["PermissionError: "]);
    assert_error(
        facts.one("error with a traceback"),
        "RuntimeError",
        &["Traceback (most recent call last)", "TypeError: Object of type object is not JSON serializable"],
    );
    assert_error(
        facts.one("unknown service"),
        "RuntimeError",
        &["KeyError: ", "'Nope' service does not exist"],
    );
    assert_error(facts.one("after unlink"), "AttributeError", &["the link has been broken"]);
    assert_error(facts.one("disconnected"), "ConnectionError", &[]);
    assert_eq!(facts.one("disconnected")["connected"], false);
}

fn notifications_arrive_in_order(manager: impl Start) {
    let facts = Script::run("notifications.py", &manager.start(), &[]);

    let beats = facts.one("beats");
    for name in ["ann", "bob"] {
        let counters: Vec<u64> = beats[name]
            .as_array()
            .expect("a list")
            .iter()
            .map(|beat| beat.as_u64().expect("a count"))
            .collect();
        assert!(counters.len() > 100);
        let first = counters[0];
        assert!(
            counters.iter().zip(first..).all(|(&counter, expected)| counter == expected),
            "{name}: {counters:?}"
        );
    }
    assert_eq!(beats["dan"], json!([]));
}

fn locks_and_client_limits_exclude(mut laboratory: Laboratory) {
    let facts = laboratory.run("locks.py", &["Echo", "Single"]);

    assert_eq!(facts.one("exclusive")["result"], json!(["Ann"]));
    assert_error(facts.one("locked"), "RuntimeError", &["PermissionError: 'Echo' service is locked"]);
    assert_eq!(facts.one("released")["result"], json!([]));
    assert_error(
        facts.one("exclusive refused"),
        "RuntimeError",
        &[
            "PermissionError: Ann[",
            "cannot acquire an exclusive lock, there are 2 links with the 'Echo' service",
        ],
    );
    assert_eq!(facts.one("shared")["ann"], json!(["Ann", "Bob"]));
    assert_eq!(facts.one("shared")["bob"], json!(["Ann", "Bob"]));
    assert_error(facts.one("shared locked"), "RuntimeError", &["PermissionError: 'Echo' service is locked"]);
    assert_eq!(facts.one("one released")["result"], json!(["Bob"]));
    assert_eq!(facts.one("freed by unlinking")["result"], json!([[1], {}]));
    assert_error(
        facts.one("full"),
        "RuntimeError",
        &["PermissionError: The maximum number of Clients are already linked with 'Single'", "\n  Ann["],
    );
    assert_eq!(facts.one("free again")["result"], 7);
    assert_eq!(facts.one("free again")["max_clients"], 1);
}

fn identities_can_be_read_and_names_are_unique(manager: impl Start) {
    let facts = Script::run("identities.py", &manager.start(), &[]);

    let text = facts.one("text");
    let lines: Vec<&str> = text["lines"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|line| line.as_str().expect("a string"))
        .collect();
    assert!(lines[0].starts_with("Manager["), "{lines:?}");
    for line in ["Clients [1]:", "Services [2]:", "      echo(*args, **kwargs)", "    max_clients: -1"] {
        assert!(lines.contains(&line), "{line:?} is not in {lines:?}");
    }
    assert_eq!(facts.one("spawned")["result"], json!([[1], {}]));
    assert_eq!(facts.one("spawned")["name"], "Bob");
    assert_eq!(facts.one("identity")["clients"], json!(["Ann", "Bob"]));
    assert_eq!(facts.one("the first goes on")["result"], json!([[2], {}]));
}

fn twenty_megabytes_travel_there_and_back(manager: impl Start) {
    let facts = Script::run("big_array.py", &manager.start(), &[]);

    let array = facts.one("array");
    assert_eq!(array["equal"], true);
    assert!(array["size"].as_u64().expect("a size") > 20_000_000, "{array}");
}

fn a_service_shuts_down_and_comes_back(manager: impl Start) {
    let facts = Script::run("shutdown.py", &manager.start(), &[]);

    for (name, result) in [("value", json!(7)), ("answer", json!("bye")), ("ended", json!(true))] {
        let results: Vec<&Value> = facts.all(name).iter().map(|fact| &fact["result"]).collect();
        assert_eq!(results, [&result, &result], "{name}");
    }
    assert_error(facts.one("gone"), "RuntimeError", &["KeyError: ", "'Stoppable' service does not exist"]);
}
