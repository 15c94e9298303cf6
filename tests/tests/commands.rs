//! The commands of the program that are clients: `call`, `identities`, `listen`.

use std::process::Output;

use msl_network_tests::process::Process;
use msl_network_tests::program::{Program, host_name};
use msl_network_tests::setup::Setup;
use msl_network_tests::{PATIENCE, Served, eventually, every_setup};
use serde_json::{Value, json};

every_setup! {
    the_result_of_a_call_is_shown
    a_call_that_fails_says_why_and_ends_with_status_one
    who_is_connected_is_shown
    notifications_are_shown_until_ctrl_c
}

fn the_result_of_a_call_is_shown(setup: Setup) {
    let program = Program::start(setup, &[]);
    for (flags, result, shown) in [
        (&[][..], json!("two words"), "two words\n"),
        (&["--json"][..], json!("two words"), "\"two words\"\n"),
        (&[][..], json!([1, 2.5]), "[1,2.5]\n"),
    ] {
        let (output, request) =
            call(&program, flags, &["1", "[1, 'x']", "a=b", "x=two words", "-1"], &result);
        assert_eq!(request["args"], json!([1, [1, "x"], -1]));
        assert_eq!(request["kwargs"], json!({"a": "b", "x": "two words"}));
        assert_eq!(String::from_utf8_lossy(&output.stdout), shown);
        assert!(output.status.success(), "{output:?}");
    }
}

/// Calls `echo` of a service that answers so; returns what the program did and what the service heard.
fn call(program: &Program, flags: &[&str], arguments: &[&str], result: &Value) -> (Output, Value) {
    let mut service = program.service("Echo");
    let mut command = program.command(&["call", "Echo", "echo"], flags, arguments);
    let (output, request) = std::thread::scope(|scope| {
        let running = scope.spawn(move || command.output().expect("the program can be started"));
        let request = service.receive();
        service.reply(&request, result);
        (running.join().expect("the program ends"), request)
    });
    service.send(&json!({"attribute": "__disconnect__", "service": "Echo"}));
    service.expect_end();
    (output, request)
}

fn a_call_that_fails_says_why_and_ends_with_status_one(setup: Setup) {
    let program = Program::start(setup, &[]);
    let output = program.command(&["call", "Nobody", "there"], &[], &[]).output().expect("it can be started");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.starts_with("KeyError: \"the 'Nobody' service does not exist"), "{error}");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
}

fn who_is_connected_is_shown(setup: Setup) {
    let program = Program::start(setup, &[]);
    let _echo = program.service("Echo");
    let shown = |flags| {
        let output = program.command(&["identities"], flags, &[]).output().expect("it can be started");
        String::from_utf8(output.stdout).expect("what it shows is text")
    };
    let text = shown(&["--name", "Ann"][..]);
    let manager = format!("Manager[{}:{}]", host_name(), program.port());
    assert_eq!(text.lines().next(), Some(manager.as_str()));
    assert!(text.contains("\n  Ann[") && text.contains("\n  Echo["), "{text}");
    let identities: Value = serde_json::from_str(&shown(&["--json"][..])).expect("it is JSON");
    assert_eq!(identities["port"], program.port());
    assert!(identities["services"]["Echo"].is_object());
}

fn notifications_are_shown_until_ctrl_c(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut service = program.service("Beat");
    let mut listener = Process::spawn("listen", program.command(&["listen", "Beat"], &[], &[]));
    eventually("the link", || program.log().contains("linked with 'Beat'"));
    let notification =
        json!({"uid": "notification", "service": "Beat", "result": [[7], {"x": "y"}], "error": false});
    // What comes right behind the link's answer may come before the command listens.
    eventually("a notification is shown", || {
        service.send(&notification);
        !listener.lines().is_empty()
    });
    assert_eq!(listener.lines()[0], "[7] {\"x\":\"y\"}");
    listener.interrupt();
    assert!(listener.wait(PATIENCE).success());
}
