//! The Manager's own end: killed and started again, and told to end while everybody works.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use msl_network_protocol::author::{LinkedClient, Reconnect};
use msl_network_protocol::device::ErrorKind;

use super::figures::{peak_memory, processor_time};
use super::{Outcome, Size};
use crate::laboratory::reach;
use crate::program::Program;
use crate::python::Script;
use crate::setup::Setup;
use crate::{PATIENCE, Served, eventually, services};

/// Calls that a client has on their way at a time.
const IN_FLIGHT: usize = 16;

/// The processor time, in seconds, that a device in Python may take in half a second after the end.
const IDLE: f64 = 0.25;

/// There are no bystanders, as nobody can stand by; these devices work again and again.
pub(super) fn killed(setup: Setup, size: Size) -> Outcome {
    let (count, rounds) = size.of((10, 1), (100, 5));
    let mut manager = Program::start(setup, &[]);
    let reconnect = || {
        Reconnect::default().first_delay(Duration::from_millis(50)).longest_delay(Duration::from_millis(500))
    };
    let address = ("localhost", manager.port());
    let service = reach(setup.runtime.start(services::named("Echo"), address), &manager);
    let service = service.reconnect(reconnect()).wait().expect("the Manager lets it in");
    let clients: Vec<LinkedClient> = (0..count)
        .map(|number| {
            let client = reach(setup.runtime.connect(address), &manager).name(format!("Client {number}"));
            client.reconnect(reconnect()).linked("Echo").wait().expect("it can link")
        })
        .collect();
    let mut python = Script::start("reconnecting.py", &manager, &[]);
    python.wait_for_many("worked", 1);

    let (mut memory, mut processor) = (0, Duration::ZERO);
    for round in 1..=rounds {
        memory = memory.max(peak_memory(manager.id()));
        processor += processor_time(manager.id());
        manager.kill();
        manager.revive();
        for client in &clients {
            client.restored().wait().expect("it is connected again");
            works_again(client);
        }
        // With a service and a client of its own.
        python.wait_for_many("worked", 1 + round);
    }
    assert!(service.is_connected());
    python.process().end_input();
    let facts = python.finish();
    let busy = facts.one("ended")["busy"].as_f64().expect("a number of seconds");
    memory = memory.max(peak_memory(manager.id()));
    processor += processor_time(manager.id());
    Outcome {
        size: format!("{rounds} times, {count} clients and a service; a service and a client in Python"),
        faulty: format!("all are there again and work; Python: {busy:.1} s of processor time in all"),
        bystanders: None,
        memory,
        processor,
    }
}

/// Calls until the service, too, has found the Manager again.
fn works_again(client: &LinkedClient) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = client.call::<serde_json::Value>("echo", ("again",)).wait() {
        assert!(Instant::now() < deadline, "not in time: {error}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// There are no bystanders: these devices are what it is about. Everybody has calls on their way when the end comes, some of
/// which would never be answered.
pub(super) fn terminated(setup: Setup, size: Size) -> Outcome {
    let (count, calls, flags): (_, _, &[&str]) = size.of((4, 400, &["--shutdown", "1s"]), (32, 100_000, &[]));
    let mut manager = Program::start(setup, flags);
    let address = ("localhost", manager.port());
    let start = |name: &str| {
        let service = reach(setup.runtime.start(services::named(name), address), &manager);
        service.wait().expect("the Manager lets it in")
    };
    let (_echo, _waiter) = (start("Echo"), start("Waiter"));
    let clients: Vec<LinkedClient> = (0..count)
        .map(|number| {
            let client = reach(setup.runtime.connect(address), &manager).name(format!("Client {number}"));
            client.linked("Echo").wait().expect("it can link")
        })
        .collect();
    let python = Script::start("loaded.py", &manager, &[]);
    python.wait_for("loaded");
    let answered = AtomicUsize::new(0);
    let (began, failed, status) = thread::scope(|scope| {
        let working: Vec<_> =
            clients.iter().map(|client| scope.spawn(|| call_until_the_end(client, &answered))).collect();
        eventually("there is load", || answered.load(Ordering::Relaxed) >= calls);
        let began = (Instant::now(), peak_memory(manager.id()), processor_time(manager.id()));
        manager.terminate();
        let status = manager.wait();
        let failed: usize = working.into_iter().map(|working| working.join().expect("each call ends")).sum();
        (began, failed, status)
    });
    let (began, memory, processor) = began;
    let took = began.elapsed();
    assert!(status.success(), "{status}: {}", manager.log());
    let facts = python.finish();
    let ended = facts.one("ended");
    assert_eq!(ended["service"], false, "the service goes on: {ended}");
    let busy = ended["busy"].as_f64().expect("a number of seconds");
    assert!(busy < IDLE, "{busy} s of processor time in half a second after the end");
    let answered = answered.into_inner();
    Outcome {
        size: format!("{count} clients, {IN_FLIGHT} calls each at a time; one in Python"),
        faulty: format!(
            "{answered} calls answered, {failed} failed, none open; in Python {} and {}; over in {took:.1?}",
            ended["answered"], ended["failed"]
        ),
        bystanders: None,
        memory,
        processor,
    }
}

/// Has calls open until the first fails; returns how many failed.
fn call_until_the_end(client: &LinkedClient, answered: &AtomicUsize) -> usize {
    let waiter = client.client().link("Waiter").wait().expect("it is there");
    let never = waiter.call::<()>("wait", ()).timeout(PATIENCE);
    let mut failed = 0;
    while failed == 0 {
        let calls: Vec<_> = (0..IN_FLIGHT)
            .map(|x| client.call::<serde_json::Value>("echo", (x,)).timeout(PATIENCE))
            .collect();
        for call in calls {
            match call.wait() {
                Ok(_) => {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    assert_ne!(error.kind(), ErrorKind::TimedOut, "it did not end");
                    failed += 1;
                }
            }
        }
    }
    let error = never.wait().expect_err("nobody answers this");
    assert_ne!(error.kind(), ErrorKind::TimedOut, "it did not end");
    failed + 1
}
