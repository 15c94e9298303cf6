//! What the Manager forwards arrives as it was written: it only adds the requester, and members that are missing.

use msl_network_tests::program::Program;
use msl_network_tests::setup::Setup;
use msl_network_tests::{Served, every_setup};
use serde_json::json;

every_setup! {
    a_request_and_its_reply_keep_every_byte
    members_that_a_python_device_needs_are_added
    the_requester_is_who_sent_it
}

/// Numbers that a program might read and write otherwise, escapes, unusual blanks, and an order of members.
const BODY: &str = r#"{"z": [1.10, 1E5, -0, 1e400, -1e-400, 12345678901234567890123, 0.10000000000000000555], "a":	[NaN, Infinity,-Infinity], "é\u00e9\/\ud83d\ude00 \ud800": "漢\u0000", "" : {}}"#;

fn a_request_and_its_reply_keep_every_byte(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut service = program.service("Echo");
    let mut client = program.client("Ann");

    let members = format!(r#""kwargs": {BODY}, "uid":  "1", "own": [1.50], "attribute": "echo""#);
    client.send_line(&format!(r#"{{{members}, "service": "Echo", "args": [{BODY}], "error": false}}"#));
    let line = String::from_utf8(service.receive_line().expect("a request")).expect("it is UTF-8");
    assert!(line.contains(&members), "{line}");
    assert!(line.contains(&format!(r#""args": [{BODY}]"#)), "{line}");
    assert!(line.contains(client.network_name()), "{line}");

    let requester = json!(client.network_name());
    let reply =
        format!(r#"{{"result": {BODY},  "own": 1.0, "error": false, "uid":"1", "requester": {requester}}}"#);
    service.send_line(&reply);
    assert_eq!(client.receive_line().expect("a reply"), reply.as_bytes());

    client.ask("Manager", "link", &json!(["Echo"]), "link");
    let notification = format!(
        r#"{{"uid": "notification", "service": "Echo", "error": false, "result": [[{BODY}], {{}}]}}"#
    );
    service.send_line(&notification);
    assert_eq!(client.receive_line().expect("a notification"), notification.as_bytes());
}

fn members_that_a_python_device_needs_are_added(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut service = program.service("Echo");
    let mut client = program.client("Ann");

    client.send_line(r#"{"service": "Echo", "attribute": "echo"}"#);
    let request = service.receive();
    assert_eq!(
        request,
        json!({
            "service": "Echo", "attribute": "echo", "args": [], "kwargs": {}, "error": false, "uid": "",
            "requester": client.network_name(),
        })
    );

    service.send(&json!({"result": 1, "requester": request["requester"], "uid": ""}));
    let reply = client.receive();
    assert_eq!((&reply["error"], &reply["result"], &reply["uid"]), (&json!(false), &json!(1), &json!("")));

    client.request("Echo", "echo", &json!([]), "2");
    service.receive();
    service.send(&json!({"error": true, "requester": request["requester"], "uid": "2"}));
    let error = client.receive();
    assert_eq!(
        (&error["error"], &error["message"], &error["traceback"], &error["uid"]),
        (&json!(true), &json!(""), &json!([]), &json!("2"))
    );
}

/// A requester that a client claims for itself is replaced by its own network name.
fn the_requester_is_who_sent_it(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut service = program.service("Echo");
    let mut client = program.client("Ann");

    client
        .send(&json!({"service": "Echo", "attribute": "echo", "requester": "Bob[elsewhere:1]", "uid": "1"}));

    let line = String::from_utf8(service.receive_line().expect("a request")).expect("it is UTF-8");
    assert_eq!(line.matches(r#""requester""#).count(), 1, "{line}");
    assert!(line.contains(client.network_name()), "{line}");
}
