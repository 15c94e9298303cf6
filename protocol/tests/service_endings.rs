//! How a service's connection begins and ends: the author's hooks, and what may not happen any more after the end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::mpsc::{Receiver, channel};
use std::task::{Context, Poll, Waker};

use msl_network_protocol::author::{Reconnect, Runtime, Service};
use msl_network_protocol::device::LEAVE;
use msl_network_protocol::instant::Instant;
use msl_network_protocol::settings::Authentication;
use world::{World, text};

/// A service that notes what it is asked to do, and its beginning and end.
fn noting() -> (Service, Receiver<&'static str>) {
    let (note, notes) = channel();
    let (begin, end) = (note.clone(), note.clone());
    let service = Service::new("Test")
        .method("measure", "()", move |_, _| note.send("measured").unwrap())
        .on_connect(move |notifier| {
            notifier.notify(("it begins",)).unwrap();
            begin.send("connected").unwrap();
        })
        .on_disconnect(move |_| end.send("safe").unwrap());
    (service, notes)
}

fn is_ready(future: impl Future) -> bool {
    matches!(pin!(future).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(_))
}

#[test]
fn a_service_has_ended_only_when_its_hook_has_returned() {
    let (service, notes) = noting();
    let mut world = World::new();
    let running = world.service(service);
    assert_eq!(notes.recv(), Ok("connected"));
    world.executor.hold();
    let workers = world.executor.clone();
    let ended = running.shut_down();
    world.run_until(|| workers.waiting() > 0);
    assert!(!running.is_connected());
    assert!(!is_ready(running.ended()), "the hook has not been called yet");

    workers.next().expect("the hook")();

    assert_eq!(text(&world.run(ended)), "Disconnected disconnected");
    assert_eq!(notes.try_iter().collect::<Vec<_>>(), ["safe"]);
}

#[test]
fn a_service_has_ended_also_if_its_hook_panics() {
    let mut world = World::new();
    let running = world.service(Service::new("Test").on_disconnect(|_| panic!("on purpose")));
    world.cut_last();
    assert_eq!(text(&world.run(running.ended())), "Disconnected the network is down");
}

#[test]
fn no_other_connection_is_made_while_the_hook_for_the_end_is_called() {
    let (service, notes) = noting();
    let mut world = World::new();
    let service = world.start(service).reconnect(Reconnect::default());
    let running = world.run(service.into_future()).unwrap();
    assert_eq!(notes.recv(), Ok("connected"));
    world.executor.hold();
    world.executor.jump_on();
    let workers = world.executor.clone();
    let ended = running.shut_down();
    world.run_until(|| workers.waiting() > 0);
    world.run_until(|| workers.tasks() == 0);
    workers.next().expect("the hook")();
    world.run(ended);
    assert_eq!(workers.now(), Instant::EPOCH, "nothing was waited for");
    assert_eq!(notes.try_iter().collect::<Vec<_>>(), ["safe"]);
}

#[test]
fn the_hooks_are_called_once_however_often_the_connection_is_restored() {
    let (service, notes) = noting();
    let mut world = World::new();
    let service = world.start(service).reconnect(Reconnect::default());
    let running = world.run(service.into_future()).unwrap();
    assert_eq!(notes.recv(), Ok("connected"));
    world.executor.jump_on();
    for _ in 0..2 {
        world.stop();
        assert!(!running.is_connected());
        world.restart(Authentication::None);
        world.run_until(|| running.is_connected());
    }
    world.run(running.shut_down());
    assert_eq!(notes.try_iter().collect::<Vec<_>>(), ["safe"]);
}

#[test]
fn a_service_that_was_not_let_in_calls_no_hook() {
    let (service, notes) = noting();
    let mut world = World::with(Authentication::ManagerPassword);
    let refused = world.start(service).manager_password("wrong").into_future();
    assert!(world.run(refused).is_err());
    assert!(notes.recv().is_err(), "they were dropped");
}

#[test]
fn what_waits_for_a_thread_when_the_connection_ends_is_not_executed() {
    let (service, notes) = noting();
    let mut world = World::new();
    let client = world.client("Ann");
    let running = world.service(service);
    assert_eq!(notes.recv(), Ok("connected"));
    let test = world.run(client.link("Test")).unwrap();
    world.executor.hold();
    let workers = world.executor.clone();
    let calls = [test.call_raw("measure", ()), test.call_raw("measure", ())];
    world.run_until(|| workers.waiting() == calls.len());

    world.cut_last();
    while let Some(job) = workers.next() {
        job();
    }

    world.run(running.ended());
    assert_eq!(notes.try_iter().collect::<Vec<_>>(), ["safe"]);
}

#[test]
fn a_manager_that_hangs_cannot_hold_up_the_end() {
    let (service, notes) = noting();
    let mut world = World::new();
    let running = world.service(service);
    assert_eq!(notes.recv(), Ok("connected"));
    world.executor.jump_on();
    world.freeze(true);
    assert_eq!(text(&world.run(running.shut_down())), "Disconnected disconnected");
    assert_eq!(world.executor.now(), Instant::EPOCH + LEAVE);
    assert_eq!(notes.try_iter().collect::<Vec<_>>(), ["safe"]);
}
