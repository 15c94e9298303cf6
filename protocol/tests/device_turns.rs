//! What a device has to say is gathered while more of it is about to come, and otherwise sent at once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::sync::Arc;

use msl_network_protocol::author::{Endpoint, Link, Service};
use world::{World, linked};

/// A client's link with a service, and what the driver of its connection sees.
fn client() -> (World, Link, Arc<dyn Endpoint>) {
    let (world, link) = linked(Service::new("Value").method("value", "()", |_, _| 7));
    let client = world.devices().last().unwrap();
    (world, link, client)
}

#[test]
fn who_asks_one_question_at_a_time_does_not_wait_for_others() {
    let (mut world, link, client) = client();
    for _ in 0..2 {
        let call = link.call_raw("value", ());
        assert!(!client.is_gathering());
        world.run(call).unwrap();
    }
}

#[test]
fn the_first_of_several_who_are_answered_at_once_waits_for_the_others_to_ask_again() {
    let (mut world, link, client) = client();
    let calls = [link.call_raw("value", ()), link.call_raw("value", ())];
    assert!(client.is_gathering());
    world.run(async {
        for call in calls {
            call.await.unwrap();
        }
    });

    let first = link.call_raw("value", ());
    assert!(client.is_gathering());

    // Nobody else has asked: it is one at a time from now on.
    world.run(first).unwrap();
    let _next = link.call_raw("value", ());
    assert!(!client.is_gathering());
}
