//! What a rude device sends harms nobody but itself: it costs one error answer, or its own connection, which then ends in
//! order. A service and a client beside it go on working after each.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use msl_network_tests::bystanders::{Bystanders, notification};
use msl_network_tests::peer::Peer;
use msl_network_tests::program::Program;
use msl_network_tests::setup::Setup;
use msl_network_tests::{Served, every_setup};
use serde_json::{Value, json};

every_setup! {
    a_broken_line_costs_one_error
    an_odd_line_is_no_broken_line
    an_answer_that_is_refused_at_the_handshake_ends_the_connection_and_takes_no_name
    a_line_that_is_too_long_before_identification_ends_the_connection
    a_frame_over_the_limit_is_skipped_and_answered
    a_frame_without_end_ends_the_connection_in_order
    what_a_client_makes_up_reaches_nobody
    what_another_service_makes_up_reaches_nobody
    a_reply_counts_once_and_only_where_something_was_asked
    a_service_may_not_ask_a_service
    a_reply_that_is_broken_or_too_long_becomes_an_error_for_its_caller
    a_service_that_leaves_in_mid_reply_answers_its_caller_and_harms_nobody
}

// They leave before TLS has begun, or fill the socket beneath it.
every_setup! {
    plain:
    a_device_that_leaves_in_the_handshake_takes_no_name
    one_reader_that_stops_harms_nobody_else
}

/// A small limit, so that a test need not send much to reach it.
const MAX_FRAME: usize = 1024 * 1024;

/// Checks an error answer in all its members; `kinds` are the exceptions that its message may begin with.
fn assert_error(answer: &Value, uid: &Value, kinds: &[&str]) {
    assert_eq!(answer["error"], true, "{answer}");
    assert_eq!(answer["result"], Value::Null, "{answer}");
    assert_eq!(&answer["uid"], uid, "{answer}");
    assert!(answer["requester"].is_string() && answer["traceback"].is_array(), "{answer}");
    let (kind, text) =
        answer["message"].as_str().and_then(|text| text.split_once(": ")).expect("a kind and a text");
    assert!(kinds.contains(&kind) && !text.is_empty(), "{answer} should be one of {kinds:?}");
}

/// The device is known, and the next line that it gets is the answer to what it asks.
fn assert_still_served(device: &mut Peer) {
    assert_eq!(device.ask("Manager", "identity", &json!([]), "still here")["error"], false);
}

fn deep(levels: usize) -> String {
    let (open, close) = ("[".repeat(levels), "]".repeat(levels));
    format!(
        r#"{{"service": "Adder", "attribute": "add", "args": [{open}{close}], "kwargs": {{}}, "uid": "r"}}"#
    )
}

fn a_broken_line_costs_one_error(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut bystanders = Bystanders::new(&program);
    let mut rude = program.client("Rude");
    let unknown = json!("");
    let known = json!("r");
    let deep = deep(100_000);
    let cases: &[(&[u8], &Value, &[&str])] = &[
        (b"\xff\xfe\xfd", &unknown, &["UnicodeDecodeError"]),
        (br#"{"service": "Adder", "attribute": "add", "args": ["#, &unknown, &["JSONDecodeError"]),
        (b"{\"service\": \"Adder\", \"attribute\": \"\xff\"}", &unknown, &["UnicodeDecodeError"]),
        (b"{", &unknown, &["JSONDecodeError"]),
        (b"{}", &unknown, &["KeyError"]),
        (b"[1, 2]", &unknown, &["TypeError", "ValueError"]),
        (b"12345", &unknown, &["TypeError", "ValueError"]),
        (b"null", &unknown, &["TypeError", "ValueError"]),
        (br#""a string""#, &unknown, &["TypeError", "ValueError"]),
        (br#"{"attribute": "add", "uid": "r"}"#, &known, &["KeyError"]),
        (br#"{"service": "Adder", "uid": "r"}"#, &known, &["KeyError"]),
        (br#"{"service": 5, "attribute": "add", "uid": "r"}"#, &known, &["TypeError"]),
        (br#"{"service": "Adder", "attribute": ["add"], "uid": "r"}"#, &known, &["TypeError"]),
        (
            br#"{"service": "Adder", "attribute": "add", "args": {"0": 1}, "uid": "r"}"#,
            &known,
            &["TypeError"],
        ),
        (br#"{"service": "Adder", "attribute": "add", "kwargs": [1], "uid": "r"}"#, &known, &["TypeError"]),
        (br#"{"service": "Adder", "attribute": "add", "error": "no", "uid": "r"}"#, &known, &["TypeError"]),
        (
            br#"{"uid": "r", "service": "Adder", "service": "Adder", "attribute": "add"}"#,
            &known,
            &["ValueError", "TypeError", "KeyError"],
        ),
        (
            br#"{"service": "Adder", "attribute": "add", "uid": "notification"}"#,
            &json!("notification"),
            &["ValueError"],
        ),
        (
            br#"{"service": "Manager", "attribute": "link", "args": [], "uid": "r"}"#,
            &known,
            &["TypeError", "ValueError"],
        ),
        (br#"{"service": "Manager", "attribute": "link", "args": [{}], "uid": "r"}"#, &known, &["TypeError"]),
        (deep.as_bytes(), &known, &["ValueError", "JSONDecodeError"]),
    ];
    for (line, uid, kinds) in cases {
        println!("{}", String::from_utf8_lossy(&line[..line.len().min(100)]));
        rude.send_bytes(line);
        rude.send_bytes(b"\r\n");
        assert_error(&rude.receive(), uid, kinds);
        assert_still_served(&mut rude);
        bystanders.work();
    }
}

/// A uid may be any JSON value; blank lines are nothing.
fn an_odd_line_is_no_broken_line(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut bystanders = Bystanders::new(&program);
    let mut odd = program.client("Odd");

    odd.send_bytes(b"\r\n\n   \r\n");
    for uid in [json!(null), json!(5), json!({"a": [1, null]}), json!("")] {
        odd.send(&json!({"service": "Adder", "attribute": "add", "uid": uid}));
        let request = bystanders.service.receive();
        assert_eq!(
            (&request["args"], &request["kwargs"], &request["error"]),
            (&json!([]), &json!({}), &json!(false))
        );
        bystanders.service.reply(&request, &json!(0));
        assert_eq!(odd.receive()["uid"], uid);
    }
    bystanders.work();
}

fn an_answer_that_is_refused_at_the_handshake_ends_the_connection_and_takes_no_name(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut bystanders = Bystanders::new(&program);
    let long_name = json!({"type": "client", "name": "n".repeat(257)});
    let identities = [
        json!(null),
        json!(5),
        json!([]),
        json!("hello"),
        json!({"type": 5, "name": "Taken"}),
        json!({"type": "service", "name": "Taken"}),
        json!({"type": "service", "name": "Taken", "attributes": [1]}),
        json!({"type": "service", "name": ["Taken"], "attributes": {}}),
        json!({"type": "service", "name": "Manager", "attributes": {}}),
        json!({"type": "client", "name": "Manager"}),
        json!({"type": "client", "name": ""}),
        json!({"type": "client", "name": "two\nlines"}),
        long_name,
    ];
    let texts = ["", "{}", "[]", "12345", "null", "nonsense", "{\"result\": "].map(str::to_owned);
    let lines = identities.iter().map(|identity| json!({"result": identity}).to_string()).chain(texts);
    for line in lines {
        println!("{line:.100}");
        let mut rude = program.open();
        assert_eq!(rude.receive()["attribute"], "identity");
        rude.send_line(&line);
        assert_error(
            &rude.receive(),
            &json!(""),
            &["KeyError", "TypeError", "ValueError", "NameError", "JSONDecodeError", "PermissionError"],
        );
        rude.expect_end();
        bystanders.work();
    }
    // The name that some of them asked for is free.
    program.service("Taken");
}

fn a_device_that_leaves_in_the_handshake_takes_no_name(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut bystanders = Bystanders::new(&program);
    drop(program.open());
    let mut silent = program.open();
    silent.end_sending();
    assert_eq!(silent.receive()["attribute"], "identity");
    silent.expect_end_after_errors();
    let mut half = program.open();
    half.send_bytes(br#"{"result": {"type": "service", "name": "Taken", "attributes": {}}}"#);
    half.end_sending();
    assert_eq!(half.receive()["attribute"], "identity");
    half.expect_end_after_errors();
    program.service("Taken");
    bystanders.work();
}

fn a_line_that_is_too_long_before_identification_ends_the_connection(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut bystanders = Bystanders::new(&program);
    let mut rude = program.open();
    assert_eq!(rude.receive()["attribute"], "identity");
    rude.send_bytes(&vec![b'x'; 2 * 1024 * 1024]);
    rude.expect_end_after_errors();
    bystanders.work();
}

fn a_frame_over_the_limit_is_skipped_and_answered(setup: Setup) {
    let program = Program::start(setup, &["--max-frame", &MAX_FRAME.to_string()]);
    let mut bystanders = Bystanders::new(&program);
    let mut rude = program.client("Rude");

    rude.request("Adder", "add", &json!(["x".repeat(MAX_FRAME)]), "long");
    assert_error(&rude.receive(), &json!("long"), &["ValueError", "RuntimeError"]);
    assert_still_served(&mut rude);
    bystanders.work();
}

fn a_frame_without_end_ends_the_connection_in_order(setup: Setup) {
    let program = Program::start(setup, &["--max-frame", &MAX_FRAME.to_string()]);
    let mut bystanders = Bystanders::new(&program);
    let mut rude = program.client("Rude");
    rude.send_bytes(&vec![b'['; 4 * MAX_FRAME]);
    rude.expect_end_after_errors();
    bystanders.work();
}

fn what_a_client_makes_up_reaches_nobody(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut bystanders = Bystanders::new(&program);
    let mut rude = program.client("Rude");
    assert_forgeries_reach_nobody(&mut rude, &mut bystanders);
}

fn what_another_service_makes_up_reaches_nobody(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut bystanders = Bystanders::new(&program);
    let mut rude = program.service("Rude");
    assert_forgeries_reach_nobody(&mut rude, &mut bystanders);
}

/// While Ann waits for Adder's answer, `rude` answers in its place, and notifies in its name.
fn assert_forgeries_reach_nobody(rude: &mut Peer, bystanders: &mut Bystanders) {
    let Bystanders { service, client } = bystanders;
    client.request("Adder", "add", &json!([1, 2]), "open");
    let request = service.receive();

    rude.reply(&request, &json!("forged"));
    rude.send(&notification("Adder", "forged"));
    rude.send(&json!({
        "error": true, "message": "ValueError: forged", "requester": request["requester"], "result": null,
        "traceback": [], "uid": request["uid"],
    }));
    rude.send(&json!({"service": "Adder", "attribute": "__disconnect__", "requester": request["requester"]}));
    rude.expect_end_after_errors();

    service.reply(&request, &json!(3));
    assert_eq!(client.receive()["result"], 3);
    bystanders.work();
}

fn a_reply_counts_once_and_only_where_something_was_asked(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut bystanders = Bystanders::new(&program);
    let Bystanders { service, client } = &mut bystanders;
    client.request("Adder", "add", &json!([1, 2]), "open");
    let request = service.receive();
    let mut other = request.clone();
    other["uid"] = json!("never asked");

    service.reply(&other, &json!("to nobody"));
    service.reply(&request, &json!(3));
    service.reply(&request, &json!("once more"));
    service.send(&notification("Echo", "in another's name"));

    assert_eq!(client.receive()["result"], 3);
    bystanders.work();
}

fn a_service_may_not_ask_a_service(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut bystanders = Bystanders::new(&program);
    let mut rude = program.service("Rude");

    rude.request("Adder", "add", &json!([1, 2]), "asked");

    assert_error(&rude.receive(), &json!("asked"), &["PermissionError", "TypeError"]);
    bystanders.work();
}

fn a_reply_that_is_broken_or_too_long_becomes_an_error_for_its_caller(setup: Setup) {
    let program = Program::start(setup, &["--max-frame", &MAX_FRAME.to_string()]);
    let mut bystanders = Bystanders::new(&program);
    for result in ["[1, 2", &format!(r#""{}""#, "x".repeat(MAX_FRAME))] {
        let Bystanders { service, client } = &mut bystanders;
        client.request("Adder", "add", &json!([1, 2]), "open");
        let requester = service.receive()["requester"].clone();

        service.send_line(&format!(
            r#"{{"requester": {requester}, "uid": "open", "error": false, "result": {result}}}"#
        ));

        let answer = client.receive();
        assert_error(
            &answer,
            &json!("open"),
            &["ValueError", "RuntimeError", "JSONDecodeError", "ConnectionError"],
        );
        // The service may be told too.
        service.request("Manager", "identity", &json!([]), "told");
        let mut told = service.receive();
        if told["error"] == true {
            told = service.receive();
        }
        assert_eq!(told["uid"], "told");
        bystanders.work();
    }
}

fn a_service_that_leaves_in_mid_reply_answers_its_caller_and_harms_nobody(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut bystanders = Bystanders::new(&program);
    let mut leaver = program.service("Leaver");
    bystanders.client.request("Leaver", "add", &json!([1]), "open");
    let request = leaver.receive();
    let reply =
        json!({"error": false, "requester": request["requester"], "result": 1, "uid": "open"}).to_string();
    leaver.send_bytes(&reply.as_bytes()[..reply.len() / 2]);
    drop(leaver);

    assert_error(&bystanders.client.receive(), &json!("open"), &["ConnectionError"]);
    bystanders.work();
    program.service("Leaver");
}

fn one_reader_that_stops_harms_nobody_else(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut bystanders = Bystanders::new(&program);
    let stopped = program.client("Stopped");
    fill_up(stopped.stream());

    bystanders.work();
    let clients =
        bystanders.client.ask("Manager", "identity", &json!([]), "who")["result"]["clients"].clone();
    assert!(clients.get(stopped.network_name()).is_some(), "it is slow, not gone: {clients}");
}

/// Asks and never reads, until the Manager takes no more: its limits, not the sender, then bound what it holds.
fn fill_up(mut stream: &TcpStream) {
    use std::io::Write;

    const FAR_TOO_MUCH: usize = 256 * 1024 * 1024;
    let request = br#"{"service": "Manager", "attribute": "identity", "uid": "1"}"#;
    let mut requests = Vec::new();
    for _ in 0..1000 {
        requests.extend_from_slice(request);
        requests.push(b'\n');
    }
    stream.set_write_timeout(Some(Duration::from_secs(1))).expect("a socket can be set");
    let mut sent = 0;
    loop {
        match stream.write(&requests[sent % requests.len()..]) {
            Ok(length) => sent += length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return,
            Err(error) => panic!("{error}"),
        }
        assert!(sent < FAR_TOO_MUCH, "the Manager reads on although its answers are not read");
    }
}
