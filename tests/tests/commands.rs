//! The commands of the program that are clients: `call`, `identities`, `listen`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::thread;

use msl_network_tests::process::Process;
use msl_network_tests::program::{self, Program, host_name};
use msl_network_tests::setup::{Setup, Tls};
use msl_network_tests::{PATIENCE, Served, eventually, every_setup};
use serde_json::{Value, json};

every_setup! {
    the_result_of_a_call_is_shown
    a_call_that_fails_says_why_and_ends_with_status_one
    who_is_connected_is_shown
    notifications_are_shown_until_ctrl_c
    listening_ends_when_nobody_reads_any_further
    listening_ends_when_its_service_has_gone
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

fn listening_ends_when_nobody_reads_any_further(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut service = program.service("Beat");
    let mut command = program.command(&["listen", "Beat"], &[], &[]);
    let mut listener =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    eventually("the link", || program.log().contains("linked with 'Beat'"));
    let beat = json!({"uid": "notification", "service": "Beat", "result": [[7], {}], "error": false});
    let mut reader = BufReader::new(listener.stdout.take().expect("it is piped"));
    let reading = thread::spawn(move || {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a notification");
        (line, reader)
    });
    // What comes right behind the link's answer may come before the command listens.
    eventually("a notification is shown", || {
        service.send(&beat);
        reading.is_finished()
    });
    let (line, reader) = reading.join().expect("it has read");
    assert_eq!(line, "[7] {}\n");

    drop(reader);

    eventually("the end", || {
        service.send(&beat);
        listener.try_wait().expect("it is a child").is_some()
    });
    let output = listener.wait_with_output().expect("it has ended");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

fn listening_ends_when_its_service_has_gone(setup: Setup) {
    let program = Program::start(setup, &[]);
    let service = program.service("Beat");
    let mut listener = Process::spawn("listen", program.command(&["listen", "Beat"], &[], &[]));
    eventually("the link", || program.log().contains("linked with 'Beat'"));

    drop(service);

    assert_eq!(listener.wait(PATIENCE).code(), Some(1));
    assert!(listener.log().contains("the service 'Beat' has gone"), "{}", listener.log());
}

#[test]
fn the_time_that_is_given_counts_for_each_step() {
    // A Manager that lets a client in, and then says nothing more.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it has one").port().to_string();
    let silent = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let hello = r#"{"attribute": "identity", "args": [], "kwargs": {}, "requester": "Manager[lab:1]", "uid": "", "error": false}"#;
        stream.write_all(format!("{hello}\r\n").as_bytes()).expect("it reads");
        let mut lines = BufReader::new(&stream);
        lines.read_line(&mut String::new()).expect("its identity");
        let welcome = r#"{"result": true, "requester": "Ann[lab:2]", "uid": "confirm", "error": false}"#;
        (&stream).write_all(format!("{welcome}\r\n").as_bytes()).expect("it reads");
        let _ = lines.read_to_end(&mut Vec::new());
    });
    let mut command = Command::new(program::built("msl-network"));
    command.args([
        "call",
        "Echo",
        "echo",
        "--disable-tls",
        "--timeout",
        "200ms",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
    ]);

    let output = command.stdin(Stdio::null()).output().expect("it can be started");

    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("Manager.link was not answered in time"), "{error}");
    assert_eq!(output.status.code(), Some(1));
    silent.join().expect("it has left");
}

#[test]
fn who_cannot_be_asked_is_told_how_to_trust_a_certificate() {
    let program = Program::start(Tls::Enabled, &[]);
    let home = tempfile::tempdir().expect("a folder");
    let mut command = program.command(&["identities"], &[], &[]);
    let output = command.env("MSL_NETWORK_HOME", home.path()).output().expect("it can be started");
    let error = String::from_utf8_lossy(&output.stderr);
    for part in ["is not known", "SHA-256", "--auto-save", "--cert-file"] {
        assert!(error.contains(part), "{part:?} is not in {error}");
    }
    assert_eq!(output.status.code(), Some(1));
}
