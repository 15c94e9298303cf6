//! Connections that are restored when they were lost, all in memory and with a clock that jumps.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::future::{Future, IntoFuture, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use msl_network_protocol::author::{
    Connect, Endpoint, Link, NewClient, Notification, Reconnect, Reconnection, Runtime, Service,
};
use msl_network_protocol::device::{Error, ErrorKind};
use msl_network_protocol::settings::Authentication;
use world::{Workers, World};

/// What happened to a connection, and when.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<(Duration, Reconnection)>>>);

impl Diary {
    fn reconnect(&self, world: &World) -> Reconnect {
        let (diary, executor): (Self, Arc<Workers>) = (self.clone(), world.executor.clone());
        Reconnect::default().on_change(move |change| {
            diary.0.lock().unwrap().push((executor.now().since_epoch(), change.clone()));
        })
    }

    fn has(&self, change: &Reconnection) -> bool {
        self.0.lock().unwrap().iter().any(|(_, seen)| seen == change)
    }

    /// The texts, up to where they quote an error.
    fn texts(&self) -> Vec<String> {
        let all = self.0.lock().unwrap();
        all.iter().map(|(_, change)| change.to_string().split(':').next().unwrap().to_string()).collect()
    }

    /// The milliseconds at which attempts failed.
    fn failures(&self) -> Vec<u128> {
        let all = self.0.lock().unwrap();
        let failed = all.iter().filter(|(_, change)| matches!(change, Reconnection::Failed { .. }));
        failed.map(|(when, _)| when.as_millis()).collect()
    }
}

fn world() -> (World, Diary) {
    let world = World::new();
    world.executor.jump_on();
    (world, Diary::default())
}

fn client(world: &World, diary: &Diary) -> Connect<NewClient> {
    world.connect().name("Ann").reconnect(diary.reconnect(world))
}

/// Has a method that answers, one that never does, and one that notifies.
fn value() -> Service {
    Service::new("Value")
        .method("value", "()", |_, _| 7)
        .async_method("never", "()", |_, _| pending::<()>())
        .method("tell", "(what)", |cx, arguments| {
            cx.notify((arguments.read::<String>("what").unwrap(),)).unwrap();
        })
}

/// A Manager with that service, and a client that is linked with it.
fn linked() -> (World, Diary, Link) {
    let (mut world, diary) = world();
    world.service(value());
    let linking = client(&world, &diary).linked("Value").into_future();
    let link = world.run(linking).unwrap().link().clone();
    (world, diary, link)
}

fn told(notification: Option<Notification>) -> String {
    notification.unwrap().args::<(String,)>().unwrap().0
}

#[test]
fn attempts_come_at_growing_intervals_until_one_succeeds() {
    let (mut world, diary) = world();
    let connecting = client(&world, &diary).into_future();
    let client = world.run(connecting).unwrap();

    world.stop();
    world.run_until(|| diary.failures().len() == 8);
    assert!(!client.is_connected());
    world.restart(Authentication::None);
    world.run(client.restored()).unwrap();

    assert_eq!(diary.failures(), [500, 1500, 3500, 7500, 15_500, 31_500, 61_500, 91_500]);
    assert!(client.is_connected());
    assert_eq!(world.run(client.identities()).unwrap().clients.len(), 1);
    assert_eq!(diary.texts().first().unwrap(), "the connection was lost");
    assert_eq!(diary.texts().last().unwrap(), "connected again");
}

#[test]
fn without_being_asked_to_a_client_does_not_connect_again() {
    let (mut world, _) = world();
    world.service(value());
    let linked = world.connect().linked("Value").into_future();
    let linked = world.run(linked).unwrap();
    let mut notifications = linked.notifications();

    world.stop();

    assert_eq!(world.run(linked.client().ended()).kind(), ErrorKind::Disconnected);
    assert_eq!(world.run(notifications.next()), None);
    assert!(world.run(linked.restored()).is_err());
    assert_eq!(world.run(linked.notifications().next()), None, "a stream that is made later has ended");
}

#[test]
fn links_and_notifications_go_on_and_tell_of_the_gap() {
    let (mut world, diary, link) = linked();
    let mut notifications = link.notifications();
    world.run(link.call::<()>("tell", ("before",))).unwrap();

    world.stop();
    world.restart(Authentication::None);
    let mut late = link.notifications();
    world.service(value());
    world.run(link.restored()).unwrap();
    world.run(link.call::<()>("tell", ("after",))).unwrap();

    assert_eq!(world.run(link.call::<i64>("value", ())), Ok(7));
    assert_eq!(told(world.run(notifications.next())), "before");
    let gap = world.run(notifications.next()).unwrap();
    assert_eq!(gap, Notification::Interrupted);
    assert_eq!(gap.args::<(String,)>().unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(told(world.run(notifications.next())), "after");
    assert_eq!(told(world.run(late.next())), "after", "made in between, it misses nothing");
    assert!(diary.has(&Reconnection::Linked("Value".into())));
}

#[test]
fn a_service_that_comes_back_later_is_linked_then() {
    let (mut world, diary, link) = linked();
    world.stop();
    world.restart(Authentication::None);
    world.run(link.client().restored()).unwrap();

    let error = world.run(link.call::<i64>("value", ())).unwrap_err();
    assert_eq!((error.kind(), error.may_be_executed()), (ErrorKind::NoSuchService, false));
    let refusals = || diary.texts().iter().filter(|text| text.starts_with("not linked with Value")).count();
    world.run_until(|| refusals() == 3);
    world.service(value());
    world.run(link.restored()).unwrap();

    assert_eq!(world.run(link.call::<i64>("value", ())), Ok(7));
    // Connected after 0.5 s, and asked then, 0.5 s later, and so on.
    assert_eq!(world.executor.now().since_epoch(), Duration::from_secs(4));
}

#[test]
fn a_lost_call_says_whether_it_may_have_been_executed() {
    let (mut world, _, link) = linked();
    let executing = link.call::<()>("never", ());
    world.run(link.call::<i64>("value", ())).unwrap();
    let not_sent = link.call::<i64>("value", ());

    world.stop();
    let between = link.call::<i64>("value", ());
    let linking = link.client().link("Other");

    let error = world.run(executing).unwrap_err();
    assert_eq!((error.kind(), error.may_be_executed()), (ErrorKind::Disconnected, true), "{error}");
    for call in [not_sent, between] {
        let error = world.run(call).unwrap_err();
        assert_eq!((error.kind(), error.may_be_executed()), (ErrorKind::Disconnected, false), "{error}");
    }
    assert_eq!(world.run(linking).unwrap_err().kind(), ErrorKind::Disconnected);
}

#[test]
fn a_service_that_has_gone_and_comes_back_is_linked_again_while_the_connection_stays() {
    let (mut world, diary) = world();
    let service = world.service(value());
    let linking = client(&world, &diary).linked("Value").into_future();
    let link = world.run(linking).unwrap().link().clone();
    let mut notifications = link.notifications();
    world.run(service.shut_down());

    assert_eq!(world.run(link.call::<i64>("value", ())).unwrap_err().kind(), ErrorKind::NoSuchService);
    world.service(value());
    world.run(link.restored()).unwrap();
    world.run(link.call::<()>("tell", ("again",))).unwrap();

    assert_eq!(world.run(notifications.next()), Some(Notification::Interrupted));
    assert_eq!(told(world.run(notifications.next())), "again");
    assert_eq!(
        diary.texts(),
        ["not linked with Value again yet, the next attempt is in 500.0ms", "linked with Value again"]
    );
}

#[test]
fn notifications_of_a_service_that_was_restarted_unnoticed_go_on_when_it_is_linked_anew() {
    let (mut world, diary) = world();
    let service = world.service(value());
    let linking = client(&world, &diary).linked("Value").into_future();
    let link = world.run(linking).unwrap().link().clone();
    let mut notifications = link.notifications();
    world.run(service.shut_down());
    world.service(value());

    world.run(link.call::<()>("tell", ("unheard",))).unwrap();
    world.run(link.client().link("Value")).unwrap();
    world.run(link.call::<()>("tell", ("heard",))).unwrap();

    assert_eq!(told(world.run(notifications.next())), "heard");
    assert_eq!(diary.texts(), [""; 0]);
}

#[test]
fn a_wrong_password_is_the_end() {
    let mut world = World::with(Authentication::None);
    world.executor.jump_on();
    world.service(value());
    let diary = Diary::default();
    let connecting = client(&world, &diary).manager_password("guess").linked("Value").into_future();
    let link = world.run(connecting).unwrap();
    let mut notifications = link.notifications();

    world.stop();
    world.restart(Authentication::ManagerPassword);
    let restored = link.restored();
    let end = world.run(link.client().ended());

    assert_eq!((end.kind(), end.exception()), (ErrorKind::Refused, Some("ValueError")));
    assert_eq!(world.run(restored), Err(end));
    assert_eq!(world.run(notifications.next()), Some(Notification::Interrupted));
    assert_eq!(world.run(notifications.next()), None);
    assert_eq!(world.run(link.call::<i64>("value", ())).unwrap_err().kind(), ErrorKind::Disconnected);
}

#[test]
fn a_password_is_asked_for_once() {
    let mut world = World::with(Authentication::ManagerPassword);
    world.executor.jump_on();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let connecting = client(&world, &Diary::default()).on_prompt(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Some("secret".to_string())
    });
    let client = world.run(connecting.into_future()).unwrap();

    world.stop();
    world.restart(Authentication::ManagerPassword);
    world.run(client.restored()).unwrap();

    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn nobody_is_asked_two_things_at_once_and_a_late_answer_is_none_to_the_next_question() {
    let (mut world, diary) = world();
    let ((ask, asked), (answer, answers)) = (channel(), channel());
    let (answers, first) = (Mutex::new(answers), AtomicBool::new(true));
    let connecting = client(&world, &diary).on_prompt(move |_| {
        ask.send(()).unwrap();
        let is_first = first.swap(false, Ordering::SeqCst);
        Some(if is_first { answers.lock().unwrap().recv().unwrap() } else { "secret".to_string() })
    });
    let client = world.run(connecting.into_future()).unwrap();
    let executor = world.executor.clone();
    executor.hold();
    world.stop();
    world.restart(Authentication::ManagerPassword);
    world.run_until(|| executor.waiting() == 1);
    let person = thread::spawn(executor.next().unwrap());
    asked.recv().unwrap();

    world.stop();
    world.run_until(|| diary.failures().len() == 3);
    world.restart(Authentication::ManagerPassword);
    let hour = executor.sleep(Duration::from_secs(3600));
    world.run(hour);

    assert_eq!(executor.waiting(), 0, "the person is thinking");
    executor.release();
    answer.send("late".to_string()).unwrap();
    world.run(client.restored()).unwrap();
    person.join().unwrap();
    asked.recv().unwrap();
}

#[test]
fn an_author_who_does_not_want_to_wait_any_more_ends_it_at_once() {
    let (mut world, diary, link) = linked();
    let mut notifications = link.notifications();
    world.stop();
    world.run_until(|| diary.failures().len() == 3);
    let (now, restored) = (world.executor.now(), link.restored());

    let end = world.run(link.client().disconnect());

    assert_eq!((end.kind(), end.message()), (ErrorKind::Disconnected, "disconnected"));
    assert_eq!(world.run(restored), Err(end));
    assert_eq!(world.run(notifications.next()), Some(Notification::Interrupted));
    assert_eq!(world.run(notifications.next()), None);
    assert_eq!(world.executor.now(), now);
    assert_eq!(world.executor.tasks(), 0, "nobody tries any more");
}

#[test]
fn nobody_connects_again_for_handles_that_are_gone() {
    let (mut world, diary) = world();
    let connecting = client(&world, &diary).into_future();
    let client = world.run(connecting).unwrap();
    world.stop();
    world.run_until(|| diary.failures().len() == 1);

    let ended = client.ended();
    drop(client);

    assert_eq!(world.run(ended).message(), "disconnected");
    world.restart(Authentication::None);
    let bob = world.client("Bob");
    assert_eq!(world.run(bob.identities()).unwrap().clients.len(), 1);
}

#[test]
fn a_disconnect_that_was_asked_for_is_the_end_and_no_interruption() {
    let (mut world, diary, link) = linked();
    let mut notifications = link.notifications();

    let end = world.run(link.client().disconnect());

    assert_eq!(end.message(), "disconnected");
    assert_eq!(world.run(notifications.next()), None);
    assert_eq!(diary.texts(), [""; 0]);
}

#[test]
fn a_runtime_that_shuts_down_leaves_nobody_waiting() {
    let (mut world, diary, link) = linked();
    world.stop();
    world.run_until(|| diary.failures().len() == 1);
    let restored = link.restored();

    world.executor.drop_tasks();

    let end = world.run(link.client().ended());
    assert!(end.message().contains("was shut down"), "{end}");
    assert_eq!(world.run(restored), Err(end));
}

#[test]
fn a_hook_that_panics_ends_the_connection_and_is_told_as_such() {
    let (mut world, _) = world();
    let reconnect = Reconnect::default().on_change(|_| panic!("the author's mistake"));
    let connecting = world.connect().reconnect(reconnect).into_future();
    let client = world.run(connecting).unwrap();
    world.stop();

    catch_unwind(AssertUnwindSafe(|| world.run(client.restored()))).unwrap_err();

    let end = world.run(client.ended());
    assert!(end.message().ends_with("has panicked"), "{end}");
    assert_eq!(world.run(client.restored()), Err(end));
}

#[test]
fn a_client_gives_up_when_it_was_told_to() {
    let (mut world, diary) = world();
    let reconnect = diary.reconnect(&world).give_up_after(Duration::from_secs(10));
    let connecting = world.connect().reconnect(reconnect).into_future();
    let client = world.run(connecting).unwrap();

    world.stop();
    let end = world.run(client.ended());

    assert!(end.message().contains("could not be restored within 10s"), "{end}");
    assert_eq!(world.executor.now().since_epoch(), Duration::from_secs(10));
    assert_eq!(diary.failures(), [500, 1500, 3500, 7500]);
}

#[test]
fn an_end_of_the_old_connection_does_not_concern_the_new_one() {
    let (mut world, _, link) = linked();
    let old: Vec<Arc<dyn Endpoint>> = world.devices().collect();
    world.stop();
    world.restart(Authentication::None);
    world.service(value());
    world.run(link.restored()).unwrap();

    for endpoint in old {
        endpoint.end("the old socket is closed");
        endpoint.receive(b"nonsense".as_slice().into());
        assert!(endpoint.is_ended() && world::take(&*endpoint).is_empty());
    }

    assert_eq!(world.run(link.call::<i64>("value", ())), Ok(7));
}

#[test]
fn a_lock_is_not_restored_and_says_so() {
    let (mut world, _, link) = linked();
    let lock = world.run(link.lock(false)).unwrap();
    let kept = world.run(link.lock(false)).unwrap();
    assert!(lock.is_held());

    world.stop();
    assert!(!lock.is_held());
    world.restart(Authentication::None);
    world.service(value());
    world.run(link.restored()).unwrap();

    assert!(!lock.is_held(), "also when there is a connection again");
    let bob = world.client("Bob");
    assert!(world.run(bob.link("Value")).is_ok(), "somebody else may have it");
    let error = world.run(lock.release()).unwrap_err();
    assert_eq!((error.kind(), error.may_be_executed()), (ErrorKind::Disconnected, false));
    world.run(bob.disconnect());
    let again = world.run(link.lock(false)).unwrap();
    drop(kept);
    let dan = world.client("Dan");
    assert_eq!(world.run(dan.link("Value")).unwrap_err().kind(), ErrorKind::Locked, "the old guard is void");
    world.run(again.release()).unwrap();
}

#[test]
fn a_link_that_was_ended_is_not_restored() {
    let (mut world, diary, link) = linked();
    world.run(link.unlink()).unwrap();
    world.stop();
    world.restart(Authentication::None);
    world.service(value());
    world.run(link.client().restored()).unwrap();

    assert_eq!(world.run(link.restored()).unwrap_err().kind(), ErrorKind::NotLinked);
    assert_eq!(world.run(link.acquire_lock(false)).unwrap_err().kind(), ErrorKind::NotLinked);
    assert_eq!(diary.texts(), ["the connection was lost", "connected again"]);
}

#[test]
fn an_unlink_ends_the_wait_for_a_service_that_does_not_come_back() {
    let (mut world, diary, link) = linked();
    let mut notifications = link.notifications();
    world.stop();
    world.restart(Authentication::None);
    world.run(link.client().restored()).unwrap();
    world.run_until(|| diary.texts().len() == 3);

    let unlinking = link.unlink();
    let restored = pin!(link.restored()).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(restored, Poll::Ready(Err(_))), "from now on, no link is asked for: {restored:?}");
    world.run(unlinking).unwrap();

    assert_eq!(world.run(notifications.next()), Some(Notification::Interrupted));
    assert_eq!(world.run(notifications.next()), None);
    let hundred_seconds = world.executor.sleep(Duration::from_secs(100));
    world.run(hundred_seconds);
    assert_eq!(diary.texts().len(), 3, "{:?}", diary.texts());
}

#[test]
fn a_service_comes_back_under_its_name() {
    let (mut world, diary) = world();
    let farewells = Arc::new(Mutex::new(Vec::<Error>::new()));
    let heard = farewells.clone();
    let service = value().on_disconnect(move |error| heard.lock().unwrap().push(error.clone()));
    let starting = world.start(service).reconnect(diary.reconnect(&world));
    let service = world.run(starting.into_future()).unwrap();

    let notifier = service.notifier();
    world.stop();
    assert_eq!(notifier.notify(()).unwrap_err().kind(), ErrorKind::Disconnected);
    assert!(!notifier.has_ended(), "it can notify again");
    world.run_until(|| diary.failures().len() == 2);
    world.restart(Authentication::None);
    world.run_until(|| diary.has(&Reconnection::Restored));
    assert_eq!(notifier.notify(()), Ok(()));
    let ann = world.client("Ann");
    let link = world.run(ann.link("Value")).unwrap();

    assert_eq!(world.run(link.call::<i64>("value", ())), Ok(7));
    assert!(farewells.lock().unwrap().is_empty());
    let end = world.run(service.shut_down());
    world.run_until(|| !farewells.lock().unwrap().is_empty());
    assert_eq!(*farewells.lock().unwrap(), [end]);
    assert!(notifier.has_ended());
}

#[test]
fn a_service_whose_name_is_still_taken_tries_again() {
    let (mut world, diary) = world();
    let starting = world.start(value()).reconnect(diary.reconnect(&world));
    let service = world.run(starting.into_future()).unwrap();
    world.stop();
    world.restart(Authentication::None);
    let other = world.service(value());

    world.run_until(|| diary.failures().len() == 3);
    world.run(other.shut_down());
    world.run_until(|| service.is_connected());

    let ann = world.client("Ann");
    assert!(world.run(ann.link("Value")).is_ok());
}

#[test]
fn a_service_is_shut_down_between_two_connections_at_once() {
    let (mut world, diary) = world();
    let starting = world.start(value()).reconnect(diary.reconnect(&world));
    let service = world.run(starting.into_future()).unwrap();
    world.stop();
    world.run_until(|| diary.failures().len() == 2);
    let now = world.executor.now();

    let end = world.run(service.shut_down());

    assert_eq!(end.message(), "disconnected");
    assert!(service.is_shutting_down());
    assert_eq!(world.executor.now(), now);
}

#[test]
fn what_has_its_turn_on_the_old_connection_still_counts_as_running() {
    let (mut world, diary) = world();
    let running = Arc::new(AtomicUsize::new(0));
    let count = running.clone();
    let instrument = Service::new("Instrument").max_concurrent(1).method("measure", "()", move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let starting = world.start(instrument).reconnect(diary.reconnect(&world));
    let _service = world.run(starting.into_future()).unwrap();
    let executor = world.executor.clone();
    executor.hold();
    let ask = |world: &mut World| {
        let ann = world.client("Ann");
        let link = world.run(ann.link("Instrument")).unwrap();
        (link.call::<()>("measure", ()), link)
    };
    let (lost, _link) = ask(&mut world);
    world.run_until(|| executor.waiting() == 1);
    let old = executor.next().unwrap();

    world.stop();
    world.restart(Authentication::None);
    world.run_until(|| diary.has(&Reconnection::Restored));
    let (open, _link) = ask(&mut world);
    let bob = world.client("Bob");
    world.run(bob.identities()).unwrap();

    assert_eq!(executor.waiting(), 0, "the first one has not ended yet");
    old();
    executor.next().unwrap()();
    world.run(open).unwrap();
    assert!(world.run(lost).unwrap_err().may_be_executed());
    assert_eq!(running.load(Ordering::SeqCst), 1, "the first one had its turn, and nobody to do it for");
}
