//! What a call costs a client and a service, in pieces of memory: the same on every machine.
//!
//! The bounds are what is needed now: whoever needs less lowers them, and more needs a reason.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use msl_network_protocol::author::{self, Call, CallArguments, Endpoint, Link, Service, ServiceError};
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

/// A service whose method `wait` is not executed, and what its connection sees.
fn busy_service() -> (World, Arc<dyn Endpoint>) {
    let (mut world, _) = linked(Service::new("Busy").method("wait", "(value)", |_, _| 7));
    world.executor.hold();
    world.freeze(true);
    let service = world.devices().next().unwrap();
    (world, service)
}

/// A request with so many bytes of arguments, in two pieces, each in memory of its own as if it had been read.
fn pieces(attribute: &str, bytes: usize) -> [Bytes; 2] {
    let members = r#""kwargs": {}, "uid": "1", "requester": "Ann[lab:1]", "error": false"#;
    let args = "x".repeat(bytes);
    let line = format!(
        "{{\"service\": \"Busy\", \"attribute\": \"{attribute}\", \"args\": [\"{args}\"], {members}}}\r\n"
    );
    let (first, second) = line.as_bytes().split_at(bytes / 2);
    [first, second].map(Bytes::copy_from_slice)
}

/// The service gets a request, and says what it has to.
fn hears(service: &dyn Endpoint, pieces: [Bytes; 2]) {
    for piece in pieces {
        service.receive(piece);
    }
    service.pump(Instant::EPOCH);
    take(service);
}

#[test]
fn arguments_that_wait_keep_hardly_more_memory_than_they_have() {
    const WAITING: usize = 100;
    const BYTES: usize = 17 * 1024;
    let (_world, service) = busy_service();
    let memory = allocation_counter::measure(|| {
        for _ in 0..WAITING {
            hears(&*service, pieces("wait", BYTES));
            // Refused at once, but it was put together, too.
            hears(&*service, pieces("nothing", 200 * 1024));
        }
    });
    let kept = usize::try_from(memory.bytes_current).unwrap();
    println!("{kept} bytes for {WAITING} times {BYTES}");
    assert!((WAITING * BYTES..WAITING * BYTES + 512 * 1024).contains(&kept), "{kept}");
}

#[test]
fn long_arguments_that_come_one_after_the_other_are_put_together_in_the_same_memory() {
    const BYTES: usize = 64 * 1024;
    let (_world, service) = busy_service();
    hears(&*service, pieces("nothing", BYTES));
    let next = pieces("nothing", BYTES);
    let memory = allocation_counter::measure(|| hears(&*service, next));
    println!("{} bytes for a request of {BYTES}", memory.bytes_total);
    assert!(memory.bytes_total < 16 * 1024, "{memory:?}");
}
