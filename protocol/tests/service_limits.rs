//! What a service takes upon itself: how much at once, and how much may wait.

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use msl_network_protocol::author::{CONCURRENT, Call, Link, Service, ServiceError, WAITING_ANSWERS};
use world::{World, linked, take};

/// The first answer is as much as may wait, the others are short.
fn deliver(world: &mut World, link: &Link, count: usize) -> Vec<Call<String>> {
    let length = |call| if call == 0 { WAITING_ANSWERS } else { 1 };
    let calls = (0..count).map(|call| link.call_raw("measure", (length(call),))).collect();
    world.run(async {});
    calls
}

#[test]
fn no_more_methods_run_at_once_than_leave_threads_for_others() {
    let (mut world, test) = linked(Service::new("Test").method("measure", "(length: int)", |_, _| 1));
    world.executor.hold();
    let _calls = deliver(&mut world, &test, 2 * CONCURRENT);
    assert_eq!(world.executor.waiting(), CONCURRENT);
}

#[test]
fn nothing_more_is_executed_while_the_manager_does_not_read_the_answers() {
    let service = Service::new("Test").max_concurrent(1);
    let service = service.method("measure", "(length: int)", |_, arguments| {
        Ok::<_, ServiceError>("x".repeat(arguments.read("length")?))
    });
    let (mut world, test) = linked(service);
    world.executor.hold();
    let calls = deliver(&mut world, &test, 2);
    world.freeze(true);
    world.executor.next().expect("the first request")();
    assert_eq!(world.executor.waiting(), 0, "there is no room for another answer");

    world.freeze(false);
    world.run(async {});
    world.executor.next().expect("there is room again")();
    for call in calls {
        world.run(call).unwrap();
    }
}

#[test]
fn asynchronous_methods_begin_when_there_is_room_for_their_answers() {
    let begun = Arc::new(AtomicUsize::new(0));
    let service = Service::new("Test").async_method("measure", "(length: int)", {
        let begun = begun.clone();
        move |_, arguments| {
            begun.fetch_add(1, Ordering::SeqCst);
            async move { Ok::<_, ServiceError>("x".repeat(arguments.read("length")?)) }
        }
    });
    let (mut world, _test) = linked(service);
    world.freeze(true);
    let endpoint = world.devices().next().expect("the service");
    for length in [WAITING_ANSWERS, 1] {
        let request = format!(
            "{{\"service\": \"Test\", \"attribute\": \"measure\", \"args\": [{length}], \"requester\": \"Ann[lab:1]\"}}\r\n"
        );
        endpoint.receive(request.into());
    }
    world.run(async {});
    assert_eq!(begun.load(Ordering::SeqCst), 1, "there is no room for another answer");

    take(&*endpoint);
    world.run(async {});
    assert_eq!(begun.load(Ordering::SeqCst), 2);
}
