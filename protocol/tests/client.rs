//! Clients and their links with services made with closures, through a Manager, all in memory and with a clock that jumps.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use msl_network_protocol::author::{LinkedClient, Runtime, Service, ServiceError, WAITING_CALLS, unblock};
use msl_network_protocol::device::{Error, ErrorKind, LEAVE};
use msl_network_protocol::settings::Authentication;
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

#[test]
fn a_lock_is_given_back_with_the_last_of_its_guards() {
    let mut world = World::new();
    world.service(value());
    let linked = linked(&mut world);
    let bob = world.client("Bob");
    let first = world.run(linked.lock(false)).unwrap();
    let second = world.run(linked.lock(true)).unwrap();

    world.run(first.release()).unwrap();
    assert_eq!(world.run(bob.link("Value")).unwrap_err().kind(), ErrorKind::Locked);
    assert!(second.is_held());

    drop(second);
    assert!(world.run(bob.link("Value")).is_ok());
}

#[test]
fn a_guard_whose_request_was_refused_leaves_the_lock_to_be_given_back_by_nobody_else() {
    let mut world = World::new();
    world.service(value());
    let ann = linked(&mut world);
    let bob = world.run(world.connect().linked("Value").into_future()).unwrap();
    let shared = world.run(ann.lock(true)).unwrap();

    let refused = ann.lock(false);
    drop(shared);
    world.run(refused).unwrap_err();

    let dan = world.client("Dan");
    assert!(world.run(dan.link("Value")).is_ok(), "given back when the last guard was gone");
    drop(bob);
}

#[test]
fn a_lock_ends_with_its_link_and_an_old_guard_does_not_give_back_the_next_one() {
    let mut world = World::new();
    world.service(value());
    let linked = linked(&mut world);
    let old = world.run(linked.lock(false)).unwrap();

    world.run(linked.unlink()).unwrap();
    assert!(!old.is_held());
    assert_eq!(world.run(linked.lock(false)).unwrap_err().kind(), ErrorKind::NotLinked);
    let again = world.run(linked.client().link("Value")).unwrap();
    let new = world.run(again.lock(false)).unwrap();
    assert_eq!(world.run(old.release()).unwrap_err().kind(), ErrorKind::Disconnected);

    let bob = world.client("Bob");
    assert_eq!(world.run(bob.link("Value")).unwrap_err().kind(), ErrorKind::Locked);
    assert!(new.is_held());
}

/// The lines that a client's driver would take now.
fn taken(world: &World) -> Vec<String> {
    let client = world.devices().last().expect("a client");
    let lines = world::take(&*client).into_iter();
    lines.map(|line| String::from_utf8(line.to_bytes().to_vec()).unwrap()).collect()
}

#[test]
fn a_lock_whose_answer_does_not_come_in_time_is_given_back() {
    let mut world = World::new();
    world.executor.jump_on();
    world.service(value());
    let linked = linked(&mut world);
    world.freeze(true);

    let late = linked.lock(false).timeout(Duration::from_secs(1));
    assert!(taken(&world)[0].contains("acquire_lock"));
    assert_eq!(world.run(late).unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(taken(&world)[0].contains("release_lock"));

    let not_sent = linked.lock(false).timeout(Duration::from_secs(1));
    assert_eq!(world.run(not_sent).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(taken(&world), [] as [String; 0], "there is none to give back");
}

#[test]
fn notifications_keep_their_connection() {
    let mut world = World::new();
    let service = world.service(value());
    let linked = linked(&mut world);
    let mut notifications = linked.notifications();

    drop(linked);
    let bob = world.client("Bob");
    world.run(bob.identities()).unwrap();
    service.notifier().notify((1,)).unwrap();

    assert!(world.run(notifications.next()).is_some());
    drop(notifications);
    world.run_until(|| true);
    assert_eq!(world.run(bob.identities()).unwrap().clients.len(), 1, "and nobody else does");
}

#[test]
fn notifications_end_when_a_request_finds_their_service_gone() {
    let mut world = World::new();
    let service = world.service(value());
    let linked = linked(&mut world);
    let mut notifications = linked.notifications();
    let lock = world.run(linked.lock(false)).unwrap();
    world.run(service.shut_down());

    let error = world.run(linked.call::<i64>("value", ())).unwrap_err();

    assert_eq!((error.kind(), error.may_be_executed()), (ErrorKind::NoSuchService, false));
    assert_eq!(world.run(notifications.next()), None);
    assert!(!lock.is_held());
    assert_eq!(world.run(linked.restored()).unwrap_err().kind(), ErrorKind::NotLinked);
}

#[test]
fn an_answer_about_the_service_before_does_not_end_the_link_with_the_next_one() {
    let mut world = World::new();
    world.service(Service::new("Value").async_method("never", "()", |_, _| std::future::pending::<()>()));
    let linked = linked(&mut world);
    let executing = linked.call::<()>("never", ());
    let again = world.run(linked.client().link("Value")).unwrap();

    // What a Manager says when the service has said goodbye, and another one has its name already.
    let left = "ConnectionError: the 'Value' service has left before it answered";
    let line =
        format!(r#"{{"error": true, "message": "{left}", "requester": "Ann", "result": null, "uid": "2"}}"#);
    let client = world.devices().last().expect("Ann");
    client.receive(format!("{line}\r\n").into());

    assert_eq!(world.run(executing).unwrap_err().message(), left);
    assert!(world.run(again.restored()).is_ok());
}

#[test]
fn what_blocks_and_panics_is_told_from_a_runtime_that_shuts_down() {
    let mut world = World::new();
    let executor = world.executor.clone();
    let error = world.run(pin!(unblock(&*executor, || panic!("on purpose")))).map(|(): ()| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);

    executor.hold();
    let mut dropped = pin!(unblock(&*executor, || ()));
    world.poll_once(&mut dropped);
    executor.drop_all();
    assert_eq!(world.run(dropped).unwrap_err().kind(), ErrorKind::Io);
}

struct Sleeper;

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn somebody_who_does_not_wait_for_the_end_any_more_is_forgotten() {
    let mut world = World::new();
    let client = world.client("Ann");
    let sleepers: Vec<Arc<Sleeper>> = (0..100).map(|_| Arc::new(Sleeper)).collect();

    for sleeper in &sleepers {
        let waker = Waker::from(sleeper.clone());
        let mut ended = pin!(client.ended());
        assert!(ended.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }

    assert!(sleepers.iter().all(|sleeper| Arc::strong_count(sleeper) == 1));
}

#[test]
fn a_client_without_a_proper_name_is_not_connected() {
    let mut world = World::new();
    for name in ["", "Manager", "a\nb"] {
        let error = world.run(world.connect().name(name).into_future()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{name:?}: {error}");
    }
}

#[test]
fn a_client_knows_its_address_and_that_of_its_manager() {
    let mut world = World::new();
    let ann = world.client("Ann");

    let identities = world.run(ann.identities()).unwrap();

    let [(network_name, identity)] = &identities.clients.iter().collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!(identity.address, ann.address());
    assert_eq!(**network_name, format!("Ann[{}]", ann.address()));
    assert_eq!(ann.manager_address().to_string(), "lab:1875");
}

#[test]
fn a_client_is_connected_from_its_beginning_to_its_end() {
    let mut world = World::new();
    let ann = world.client("Ann");
    assert!(ann.is_connected());

    let ended = ann.disconnect();
    assert!(!ann.is_connected());
    world.run(ended);

    assert!(!ann.is_connected());
    assert_eq!(world.run(ann.identities()).unwrap_err().kind(), ErrorKind::Disconnected);
}

#[test]
fn an_answer_that_is_longer_than_the_read_limit_is_an_error_and_the_next_one_is_not() {
    let mut world = World::new();
    world.service(
        Service::new("Value")
            .method("long", "(n)", |_, arguments| arguments.read::<usize>("n").map(|n| "x".repeat(n))),
    );
    let connecting = world.connect().read_limit(2_000).linked("Value").into_future();
    let linked = world.run(connecting).unwrap();

    assert_eq!(world.run(linked.call::<String>("long", (2_000,))).unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(world.run(linked.call::<String>("long", (1_000,))).unwrap().len(), 1_000);
}

#[test]
fn an_author_who_panics_has_no_answer() {
    let mut world = World::with(Authentication::ManagerPassword);
    let connecting = world.connect().on_prompt(|_| panic!("on purpose")).into_future();

    assert_eq!(world.run(connecting).unwrap_err().kind(), ErrorKind::Login);
}

#[test]
fn a_manager_that_hangs_does_not_keep_a_client_that_leaves() {
    let mut world = World::new();
    world.executor.jump_on();
    let ann = world.client("Ann");
    let call = ann.identities();
    world.freeze(true);

    let begin = world.executor.now();
    let end = world.run(ann.disconnect());

    assert_eq!((end.kind(), end.message()), (ErrorKind::Disconnected, "disconnected"));
    assert_eq!(world.executor.now().since(begin), LEAVE);
    assert_eq!(world.run(call).unwrap_err().kind(), ErrorKind::Disconnected);
}

#[test]
fn a_request_that_times_out_before_it_is_sent_is_not_executed() {
    let mut world = World::new();
    world.executor.jump_on();
    world.service(value());
    let linked = linked(&mut world);
    world.freeze(true);

    let call = linked.call::<i64>("value", ()).timeout(Duration::from_secs(1));

    let error = world.run(call).unwrap_err();
    assert_eq!((error.kind(), error.may_be_executed()), (ErrorKind::TimedOut, false));
    assert!(world.devices().all(|device| world::take(&*device).is_empty()), "it is not sent any more");
}

#[test]
fn requests_that_a_manager_does_not_read_are_refused_before_they_fill_the_memory() {
    let mut world = World::new();
    world.service(value());
    let linked = linked(&mut world);
    let much = "x".repeat(WAITING_CALLS / 2 - 1024);
    let lock = world.run(linked.lock(false)).unwrap();
    world.freeze(true);

    let waiting = [(); 2].map(|()| linked.call::<i64>("value", (&much,)));
    let refused = world.run(linked.call::<i64>("value", ("x".repeat(4096),))).unwrap_err();

    assert_eq!((refused.kind(), refused.may_be_executed()), (ErrorKind::Backlog, false), "{refused}");
    drop(lock);
    assert!(taken(&world)[2].contains("release_lock"), "a lock is given back all the same");
    drop(waiting);
}

#[test]
fn a_script_does_not_wait_longer_than_it_wants_to() {
    let mut world = World::new();
    world.service(value());
    let linked = linked(&mut world);
    let short = Duration::from_millis(1);

    assert_eq!(linked.notifications().wait_timeout(short).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(linked.client().ended().wait_timeout(short).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(linked.restored().wait_timeout(short), Ok(()));
    world.run(linked.client().disconnect());
    assert!(linked.client().ended().wait_timeout(short).is_ok());
    assert_eq!(linked.notifications().wait_timeout(short), Ok(None));
}
