//! No connection ever ends by a reset, whatever is unread, unsent or unfinished (`docs/wire.md` section 9). A peer's test
//! methods fail where a read does.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use msl_network_protocol::connection::{Ending, Note};
use msl_network_protocol::limits::Limits;
use msl_network_tests::local::LocalManager;
use msl_network_tests::peer::Peer;
use msl_network_tests::setup::Setup;
use msl_network_tests::{PATIENCE, Served, every_setup};
use serde_json::json;

every_setup! {
    who_sends_everything_and_stops_sending_gets_every_answer
    a_client_with_unread_requests_is_ended_in_order_at_shutdown
    a_slow_consumer_with_unread_requests_is_ended_in_order
    who_is_refused_in_the_middle_of_sending_is_ended_in_order
    who_stops_reading_is_ended_in_order_at_shutdown
    devices_in_the_handshake_are_ended_in_order_at_shutdown
    devices_that_wait_to_be_accepted_are_ended_in_order_at_shutdown
}

const MIB: usize = 1024 * 1024;
const SECOND: Duration = Duration::from_secs(1);
/// Longer than a test waits for anything.
const LONG: Duration = Duration::from_secs(2 * PATIENCE.as_secs());

fn limits() -> Limits {
    Limits { linger: SECOND, shutdown: SECOND, ..Limits::default() }
}

fn who_sends_everything_and_stops_sending_gets_every_answer(setup: Setup) {
    let manager = LocalManager::start(setup, limits());
    let mut service = manager.service("Adder");
    let mut client = manager.open();
    assert_eq!(client.receive()["attribute"], "identity");

    client.send(&json!({"result": {"type": "client", "name": "Pipe"}}));
    for uid in ["1", "2", "3"] {
        client.request("Adder", "add", &json!([uid]), uid);
    }
    client.request("Manager", "link", &json!(["Nope"]), "4");
    client.end_sending();

    assert_eq!(client.receive()["uid"], "4");
    let requests = ["1", "2", "3"].map(|_| service.receive());
    for request in requests.iter().rev() {
        service.reply(request, &json!("x".repeat(MIB)));
        let answer = client.receive();
        assert_eq!((&answer["uid"], &answer["error"]), (&request["uid"], &json!(false)));
    }
    client.expect_end();
}

/// Its requests are not read any more, since a service does not read them: so much is unread when the end comes.
fn a_client_with_unread_requests_is_ended_in_order_at_shutdown(setup: Setup) {
    let limits = Limits { service_mailbox: 64 * 1024, service_wait: SECOND, linger: LONG, ..limits() };
    let manager = LocalManager::start(setup, limits);
    let stopped = manager.service("Stopped");
    let client = manager.client("Eager");
    let name = client.network_name().to_owned();
    let sending = send_in_background(client, "Stopped");
    // One request has waited in vain; the next one waits, and the others are behind it.
    manager.expect_note(&name, "a request is given up", |note| matches!(note, Note::Denied(_)));

    manager.stop();
    // What it goes on sending is read and thrown away, until it closes its side too.
    let mut client = sending.join().expect("everything can be sent");
    client.expect_end_after_anything();
    drop((client, stopped));
    manager.wait();
}

/// Its requests are not read any more, since it does not read the replies.
fn a_slow_consumer_with_unread_requests_is_ended_in_order(setup: Setup) {
    let limits = Limits { open_requests: 10, write_timeout: SECOND, linger: LONG, ..limits() };
    let manager = LocalManager::start(setup, limits);
    let mut service = manager.service("Adder");
    thread::spawn(move || {
        let reply = json!("x".repeat(64 * 1024));
        while let Some(line) = service.receive_line() {
            service.reply(&serde_json::from_slice(&line).expect("a request is JSON"), &reply);
        }
    });
    let client = manager.client("Sleeper");
    let name = client.network_name().to_owned();
    let sending = send_in_background(client, "Adder");
    let slow = Note::Ending(Ending::SlowConsumer);
    manager.expect_note(&name, "is ended as a slow consumer", |note| *note == slow);

    let mut client = sending.join().expect("everything can be sent");
    client.expect_end_after_anything();
}

fn who_is_refused_in_the_middle_of_sending_is_ended_in_order(setup: Setup) {
    let manager = LocalManager::start(setup, limits());
    let mut client = manager.open();
    assert_eq!(client.receive()["attribute"], "identity");
    client.send(&json!({"result": null}));
    for _ in 0..16 {
        client.send_bytes(&vec![b'x'; MIB]);
    }
    assert_eq!(client.receive()["error"], true);
    client.expect_end();
}

fn who_stops_reading_is_ended_in_order_at_shutdown(setup: Setup) {
    let manager = LocalManager::start(setup, limits());
    let mut service = manager.service("Adder");
    let mut client = manager.client("Sleeper");
    client.request("Adder", "add", &json!([]), "big");
    let request = service.receive();
    service.reply(&request, &json!("x".repeat(32 * MIB)));

    manager.stop();
    service.expect_end();
    manager.wait();
    client.expect_end_after_anything();
}

fn devices_in_the_handshake_are_ended_in_order_at_shutdown(setup: Setup) {
    let limits = Limits { handshakes_per_address: 1, connections: 3, ..limits() };
    let manager = LocalManager::start(setup, limits);
    let mut asked = manager.open();
    assert_eq!(asked.receive()["attribute"], "identity");
    // Two that wait for their turn, and one that is not accepted yet. All send something that nobody will read.
    let mut waiting: Vec<Peer> = (0..3).map(|_| Peer::open(manager.port())).collect();
    for peer in &mut waiting {
        peer.send_bytes(b"client\r\n");
    }

    manager.stop();
    asked.expect_end();
    for peer in &mut waiting {
        peer.expect_end_after_anything();
    }
    manager.wait();
}

/// Sends far more requests than all buffers on the way can hold.
/// They have connected, and said something that nobody reads.
fn devices_that_wait_to_be_accepted_are_ended_in_order_at_shutdown(setup: Setup) {
    let manager = LocalManager::start(setup, Limits { connections: 1, ..limits() });
    let mut only = manager.client("Only");
    let mut waiting: Vec<Peer> = (0..100).map(|_| Peer::open(manager.port())).collect();
    for peer in &mut waiting {
        peer.send_line("{}");
    }

    manager.stop();

    only.expect_end();
    for peer in &mut waiting {
        peer.expect_end();
    }
    drop(waiting);
    manager.wait();
}

fn send_in_background(mut client: Peer, service: &str) -> JoinHandle<Peer> {
    const REQUESTS: usize = 8 * 1024;
    let argument = "x".repeat(4 * 1024);
    let request = json!({"service": service, "attribute": "add", "args": [argument], "uid": "unread"});
    thread::spawn(move || {
        let line = format!("{request}\n");
        (0..REQUESTS).for_each(|_| client.send_bytes(line.as_bytes()));
        client
    })
}
