//! Every line that real Python devices sent (`transcripts/python-devices`) is accepted, and delivered as it was then.
//!
//! The recording has two services and two clients in one session. Each file is played by itself: its device sends its own
//! lines, and the test stands in for the devices at the other end. What the device then got must come again.

use std::collections::{BTreeMap, BTreeSet};

use msl_network_tests::peer::Peer;
use msl_network_tests::program::{self, Program};
use msl_network_tests::setup::Setup;
use msl_network_tests::{Served, every_setup, transcript};
use serde_json::{Value, json};

every_setup! {
    the_lines_of_a_client_are_accepted
    the_lines_of_another_client_are_accepted
    the_lines_of_a_service_are_accepted
    the_lines_of_another_service_are_accepted
}

fn the_lines_of_a_client_are_accepted(setup: Setup) {
    play_client(setup, "ann-client.jsonl", "Ann Smith");
}

fn the_lines_of_another_client_are_accepted(setup: Setup) {
    play_client(setup, "bob-client.jsonl", "Bob");
}

fn the_lines_of_a_service_are_accepted(setup: Setup) {
    play_service(setup, "tester-service.jsonl", "Tester");
}

fn the_lines_of_another_service_are_accepted(setup: Setup) {
    play_service(setup, "echo-service.jsonl", "Echo");
}

/// One recorded line, without its ending.
struct Recorded {
    from_device: bool,
    text: String,
    value: Value,
}

fn load(file: &str) -> Vec<Recorded> {
    let path = transcript::folder().join("python-devices").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let recorded = |line: &str| {
        let step: Value = serde_json::from_str(line).expect("each line of a recording is JSON");
        let text = step["line"].as_str().expect("a line").trim_end().replace("{host}", &program::host_name());
        Recorded { from_device: step["from"] == "device", value: parse(&text), text }
    };
    text.lines().map(recorded).collect()
}

/// Reads JSON; Python's words for what JSON has no numbers for become strings, which is enough to compare them.
fn parse(text: &str) -> Value {
    let text = text.replace("[NaN, Infinity,", r#"["NaN", "Infinity","#);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn receive(peer: &mut Peer) -> String {
    String::from_utf8(peer.receive_line().expect("a line, not the end")).expect("the Manager sends UTF-8")
}

/// The name that the recorded Manager gave to the client `name`: it stands in the recorded requests and replies.
fn recorded_name(lines: &[Recorded], name: &str) -> String {
    let names = lines.iter().filter_map(|line| line.value["requester"].as_str());
    names
        .into_iter()
        .find(|other| other.starts_with(&format!("{name}[")))
        .expect("it asked for something")
        .to_owned()
}

/// Sends the identity, which is the device's first line, and waits until the Manager knows the device.
fn identify(device: &mut Peer, lines: &[Recorded]) {
    let [request, identity, ..] = lines else { panic!("a recording begins with the handshake") };
    assert_eq!(device.receive()["attribute"], request.value["attribute"]);
    device.send_line(&identity.text);
    assert_eq!(device.ask("Manager", "identity", &json!([]), "known")["error"], false);
}

fn play_client(setup: Setup, file: &str, name: &str) {
    let lines = load(file);
    let program = Program::start(setup, &[]);
    let mut services =
        BTreeMap::from(["Tester", "Echo"].map(|name| (name.to_owned(), program.service(name))));
    let mut device = program.open();
    identify(&mut device, &lines);
    let recorded_name = recorded_name(&lines, name);
    let own_name = format!("{name}[{}:{}]", program::host_name(), device.port());
    // The services that the open requests went to, by uid.
    let mut asked: BTreeMap<String, String> = BTreeMap::new();

    for Recorded { from_device, text, value } in &lines[2..] {
        let uid = value["uid"].as_str().expect("the uids are strings").to_owned();
        if *from_device {
            device.send_line(text);
            if value["attribute"] == "__disconnect__" {
                device.expect_end();
                continue;
            }
            let service = value["service"].as_str().expect("a request names a service");
            if let Some(peer) = services.get_mut(service) {
                let mut forwarded = value.clone();
                forwarded["requester"] = json!(own_name);
                assert_eq!(parse(&receive(peer)), forwarded);
            }
            asked.insert(uid, service.to_owned());
        } else {
            let expected = text.replace(&recorded_name, &own_name);
            let sender = if uid == "notification" {
                value["service"].as_str()
            } else {
                asked.get(&uid).map(String::as_str)
            };
            if let Some(service) = sender.and_then(|sender| services.get_mut(sender)) {
                service.send_line(&expected);
                assert_eq!(receive(&mut device), expected);
            } else {
                assert_same_answer(&parse(&expected), &device.receive());
            }
        }
    }
}

/// The Manager's own answer: what differs between Managers, and from run to run, is not compared.
fn assert_same_answer(expected: &Value, actual: &Value) {
    for member in ["error", "uid", "requester", "message"] {
        assert_eq!(actual[member], expected[member], "{member} of {actual}");
    }
    if expected["result"].is_object() {
        let names = |value: &Value| {
            value["result"].as_object().map(|object| object.keys().cloned().collect::<BTreeSet<_>>())
        };
        assert_eq!(names(actual), names(expected));
    } else {
        assert_eq!(actual["result"], expected["result"]);
    }
}

fn play_service(setup: Setup, file: &str, name: &str) {
    const CLIENT: &str = "Ann Smith";
    let lines = load(file);
    let program = Program::start(setup, &[]);
    let mut device = program.open();
    identify(&mut device, &lines);
    let mut client = program.client(CLIENT);
    client.ask("Manager", "link", &json!([name]), "link");
    let recorded_name = recorded_name(&lines, CLIENT);

    for Recorded { from_device, text, value } in &lines[2..] {
        let text = text.replace(&recorded_name, client.network_name());
        if !*from_device {
            let mut request = parse(&text);
            let forwarded = request.clone();
            request.as_object_mut().expect("a request is an object").remove("requester");
            client.send(&request);
            assert_eq!(parse(&receive(&mut device)), forwarded);
        } else if value["attribute"] == "__disconnect__" {
            device.send_line(&text);
            device.expect_end();
        } else {
            device.send_line(&text);
            assert_eq!(receive(&mut client), text);
        }
    }
}
