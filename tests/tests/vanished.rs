//! Devices whose computer has gone without a word: a cable, a power cut. TCP finds out, as it was told to; then they leave like
//! any other, and nobody waits for them.
//!
//! A filter on the device's socket throws away whatever comes for it, before its TCP sees it. So nothing is confirmed any
//! more, and nothing answered.

#![cfg(target_os = "linux")]

use std::time::Duration;

use msl_network_protocol::connection::{Ending, Note};
use msl_network_protocol::limits::Limits;
use msl_network_tests::bystanders::Bystanders;
use msl_network_tests::local::LocalManager;
use msl_network_tests::peer::Peer;
use msl_network_tests::setup::Setup;
use msl_network_tests::{Served, every_setup};
use serde_json::{Value, json};
use socket2::{SockFilter, SockRef};

// Plain: TLS knows nothing of it.
every_setup! {
    plain:
    a_silent_device_whose_computer_has_gone_is_noticed_by_keep_alive
    a_device_that_confirms_nothing_is_gone_when_unacknowledged_is_over
    a_device_whose_computer_has_no_room_is_gone_when_unacknowledged_is_over
}

const SECOND: Duration = Duration::from_secs(1);

/// TCP notices in seconds; the Manager's own limits would take minutes.
fn limits() -> Limits {
    Limits { unacknowledged: 2 * SECOND, ..Limits::default() }
}

/// From now on, nothing that is sent to this device arrives.
fn vanish(peer: &Peer) {
    /// The one instruction of the filter: of each packet, keep nothing.
    const RETURN: u16 = 0x06;
    let filter = [SockFilter::new(RETURN, 0, 0, 0)];
    SockRef::from(peer.stream()).attach_filter(&filter).expect("a socket can have a filter");
}

fn expect_gone(manager: &LocalManager, name: &str) {
    manager.expect_note(name, "has gone", |note| *note == Note::Ending(Ending::Closed));
}

fn assert_has_left(answer: &Value, service: &str) {
    let message = format!("ConnectionError: the '{service}' service has left before it answered");
    assert_eq!(answer["message"], message);
}

fn a_silent_device_whose_computer_has_gone_is_noticed_by_keep_alive(setup: Setup) {
    let limits = Limits { keep_alive_idle: SECOND, keep_alive_interval: SECOND, ..limits() };
    let manager = LocalManager::start(setup, limits);
    let mut bystanders = Bystanders::new(&manager);
    let mut stage = manager.service("Stage");
    bystanders.client.request("Stage", "move", &json!([1]), "open");
    stage.receive();
    // Nothing is on its way to it: only questions of TCP can tell.
    vanish(&stage);

    assert_has_left(&bystanders.client.receive(), "Stage");
    expect_gone(&manager, "Stage[");
    manager.service("Stage");
    bystanders.work();
}

fn a_device_that_confirms_nothing_is_gone_when_unacknowledged_is_over(setup: Setup) {
    let manager = LocalManager::start(setup, limits());
    let mut bystanders = Bystanders::new(&manager);
    let stage = manager.service("Stage");
    vanish(&stage);

    bystanders.client.request("Stage", "move", &json!([1]), "open");

    assert_has_left(&bystanders.client.receive(), "Stage");
    expect_gone(&manager, "Stage[");
    bystanders.work();
}

/// For TCP, a device that does not read looks the same as one whose computer has gone: hence the long default.
fn a_device_whose_computer_has_no_room_is_gone_when_unacknowledged_is_over(setup: Setup) {
    let manager = LocalManager::start(setup, limits());
    let mut bystanders = Bystanders::new(&manager);
    let mut sleeper = manager.client("Sleeper");
    assert_eq!(sleeper.ask("Manager", "link", &json!(["Adder"]), "link")["error"], false);

    sleeper.request("Adder", "add", &json!([]), "big");
    let request = bystanders.service.receive();
    bystanders.service.reply(&request, &json!("x".repeat(32 << 20)));

    expect_gone(&manager, "Sleeper[");
    bystanders.work();
}
