//! Clients and their links with services made with closures, through a Manager, all in memory and with a clock that jumps.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use msl_network_protocol::author::{LinkedClient, Service, ServiceError};
use msl_network_protocol::device::{Error, ErrorKind};
use world::World;

fn value() -> Service {
    Service::new("Value")
        .method("value", "()", |_, _| 7)
        .method("broken", "()", |_, _| Err::<(), _>(ServiceError::value("no instrument")))
}

fn linked(world: &mut World) -> LinkedClient {
    let linked = world.connect().name("Ann").linked("Value").into_future();
    world.run(linked).unwrap()
}

#[test]
fn a_linked_client_waits_for_its_service_to_appear() {
    let mut world = World::new();
    world.executor.jump_on();
    let mut linking = world.connect().linked("Value").into_future();
    let not_yet = world.connect().linked("Value").timeout(Duration::from_secs(3)).into_future();

    let error = world.run(not_yet).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchService);
    assert!(error.message().contains("has not appeared at Manager[lab:1875] within 3s"), "{error}");

    world.service(value());
    let linked = world.run(&mut linking).unwrap();
    assert_eq!(world.run(linked.call::<i64>("value", ())), Ok(7));
}

#[test]
fn a_linked_client_tells_of_its_errors_before_its_caller_gets_them() {
    let mut world = World::new();
    world.service(value());
    let heard: Arc<Mutex<Vec<Error>>> = Arc::default();
    let errors = heard.clone();
    let linking =
        world.connect().linked("Value").on_error(move |error| errors.lock().unwrap().push(error.clone()));
    let linked = world.run(linking.into_future()).unwrap();

    world.run(linked.call::<i64>("value", ())).unwrap();
    let remote = world.run(linked.call::<i64>("broken", ())).unwrap_err();
    let decode = world.run(linked.call::<String>("value", ())).unwrap_err();

    assert_eq!(*heard.lock().unwrap(), [remote, decode]);
    let another = world.run(linked.spawn("Bob").into_future()).unwrap();
    world.run(another.call::<i64>("broken", ())).unwrap_err();
    assert_eq!(heard.lock().unwrap().len(), 3, "the hook goes along");
}

#[test]
fn another_client_is_spawned_under_another_name() {
    let mut world = World::new();
    world.service(value());
    let linked = linked(&mut world);

    let bob = world.run(linked.client().spawn("Bob").into_future()).unwrap();
    let dan = world.run(linked.spawn("Dan").into_future()).unwrap();

    assert_eq!((bob.name(), dan.client().name()), ("Bob", "Dan"));
    let identities = world.run(bob.identities()).unwrap();
    let mut names: Vec<&str> = identities.clients.values().map(|client| &*client.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["Ann", "Bob", "Dan"]);
}

#[test]
fn somebody_who_does_not_wait_any_more_leaves_no_connection_behind() {
    let mut world = World::new();
    let ann = world.client("Ann");
    drop(world.connect().name("Bob").into_future());
    let mut begun = world.connect().name("Dan").into_future();
    world.poll_once(&mut begun);
    drop(begun);

    let identities = world.run(ann.identities()).unwrap();

    assert_eq!(identities.clients.len(), 1, "{identities}");
}

#[test]
fn a_lock_is_given_back_once() {
    let mut world = World::new();
    world.service(value());
    let linked = linked(&mut world);
    let bob = world.client("Bob");

    let lock = world.run(linked.lock(false)).unwrap();
    assert_eq!(world.run(bob.link("Value")).unwrap_err().kind(), ErrorKind::Locked);
    let released = lock.release();
    let again = linked.lock(false);
    world.run(released).unwrap();
    let again = world.run(again).unwrap();
    assert_eq!(world.run(bob.link("Value")).unwrap_err().kind(), ErrorKind::Locked);
    drop(again);
    assert!(world.run(bob.link("Value")).is_ok());
}

#[test]
fn a_lock_that_nobody_waits_for_any_more_is_given_back() {
    let mut world = World::new();
    world.service(value());
    let linked = linked(&mut world);
    let bob = world.client("Bob");

    drop(linked.lock(false));
    assert!(world.run(bob.link("Value")).is_ok(), "dropped before its answer");
    world.run(bob.disconnect());

    let lock = linked.lock(false);
    world.run(linked.call::<i64>("value", ())).unwrap();
    drop(lock);
    let dan = world.client("Dan");
    assert!(world.run(dan.link("Value")).is_ok(), "dropped behind its answer");
}

#[test]
fn a_lock_that_was_refused_is_not_given_back() {
    let mut world = World::new();
    world.service(value());
    let ann = linked(&mut world);
    let bob = world.run(world.connect().linked("Value").into_future()).unwrap();
    let lock = world.run(ann.lock(true)).unwrap();

    assert_eq!(world.run(ann.lock(false)).unwrap_err().kind(), ErrorKind::Locked);

    assert!(lock.is_held());
    let dan = world.client("Dan");
    assert_eq!(world.run(dan.link("Value")).unwrap_err().kind(), ErrorKind::Locked);
    drop(bob);
}

#[test]
fn an_unlink_ends_the_notifications_of_the_link() {
    let mut world = World::new();
    let told = Service::new("Value").method("tell", "()", |cx, _| cx.notify((1,)).unwrap());
    world.service(told);
    let linked = linked(&mut world);
    let mut notifications = linked.notifications();
    world.run(linked.call::<()>("tell", ())).unwrap();

    // Nobody waits for the answer; it counts all the same.
    drop(linked.unlink());

    let first = world.run(notifications.next()).unwrap();
    assert_eq!(first.args::<(i64,)>(), Ok((1,)));
    assert_eq!(world.run(notifications.next()), None);
    assert_eq!(world.run(linked.notifications().next()), None);
    let again = world.run(linked.client().link("Value")).unwrap();
    let mut notifications = linked.notifications();
    world.run(again.call::<()>("tell", ())).unwrap();
    assert!(world.run(notifications.next()).is_some());
}

#[test]
fn a_service_with_odd_values_can_be_linked_with_and_seen() {
    let mut world = World::new();
    let raw = |text: &str| serde_json::value::RawValue::from_string(text.into()).unwrap();
    let odd = [("big", "1e400"), ("long", "123456789012345678901234567890")];
    let service =
        odd.iter().fold(Service::new("Odd"), |service, (name, text)| service.constant(name, raw(text)));
    world.service(service.constant("nan", f64::NAN));
    let client = world.client("Ann");
    let link = world.run(client.link("Odd")).unwrap();
    assert_eq!(link.service_attributes()["long"].as_json(), odd[1].1);
    assert!(link.service_attributes()["nan"].read::<f64>().unwrap().is_nan());
    let shown = world.run(client.identities()).unwrap().to_string();
    for line in ["big() -> inf", "long() -> 123456789012345678901234567890", "nan() -> nan"] {
        assert!(shown.contains(line), "{shown}");
    }
}
