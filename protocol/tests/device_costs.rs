//! What a call costs a client and a service, in pieces of memory: the same on every machine.
//!
//! The bounds are what is needed now: whoever needs less lowers them, and more needs a reason.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use msl_network_protocol::author::{self, Call, CallArguments, Link, Service, ServiceError};
use msl_network_protocol::instant::Instant;
use msl_network_protocol::json::JsonText;
use world::{World, linked, take};

async fn echo(_: author::Context, arguments: CallArguments) -> Result<JsonText, ServiceError> {
    arguments.read("value")
}

/// A client that is linked with a service, and nobody who carries anything between them.
fn laboratory() -> (World, Link) {
    let (mut world, link) = linked(Service::new("Echo").async_method("echo", "(value)", echo));
    world.freeze(true);
    (world, link)
}

/// How many pieces of memory it took, with what it gave.
fn measured<T>(run: impl FnOnce() -> T) -> (T, u64) {
    let mut value = None;
    let memory = allocation_counter::measure(|| value = Some(run()));
    (value.unwrap(), memory.count_total)
}

fn poll(call: &mut Call<String>) -> Poll<String> {
    Pin::new(call).poll(&mut Context::from_waker(Waker::noop())).map(Result::unwrap)
}

#[test]
fn a_small_call_takes_few_pieces_of_memory_on_either_side() {
    let (world, link) = laboratory();
    let [service, client] = &world.devices().collect::<Vec<_>>()[..] else { panic!("two devices") };
    let value = "x".repeat(32);
    let mut costs = (0, 0, 0);

    // The last one counts: whatever is made once is there then.
    for _ in 0..10 {
        let (mut call, asking) = measured(|| link.call_raw("echo", (&value,)));
        assert_eq!(poll(&mut call), Poll::Pending);

        let request = String::from_utf8(take(&**client).pop().unwrap().to_bytes().to_vec()).unwrap();
        let request = request.replace("}\r\n", ", \"requester\": \"Ann[lab:1]\"}\r\n");
        let ((), answering) = measured(|| {
            service.receive(request.into());
            service.pump(Instant::EPOCH);
        });

        let reply = take(&**service).pop().unwrap().to_bytes();
        let (answer, hearing) = measured(|| {
            client.receive(reply);
            client.pump(Instant::EPOCH);
            poll(&mut call)
        });
        assert_eq!(answer, Poll::Ready(format!("\"{value}\"")));
        costs = (asking, answering, hearing);
    }

    println!("to ask, to execute and answer, to hear the answer: {costs:?}");
    let (asking, answering, hearing) = costs;
    assert!(asking <= 4 && answering <= 12 && hearing <= 2, "{costs:?}");
}
