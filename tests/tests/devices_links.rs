//! Our client's links: notifications, locks and refusals, with services and Managers of both.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::future::pending;
use std::sync::mpsc;

use msl_network_tests::laboratory::{Laboratory, Whose};
use msl_network_tests::program::Tls;
use msl_network_tests::{PATIENCE, eventually, every_laboratory};
use msl_network_tokio::{ErrorKind, Identities, Link, Service};
use serde_json::Value;

every_laboratory! {
    notifications_arrive_in_order
    an_exclusive_lock_keeps_others_out
    shared_locks_belong_to_those_that_ask
    refusals_to_link_are_told_apart
    a_link_tells_of_its_service
    identities_are_typed_and_can_be_read
}

fn names(network_names: &[String]) -> Vec<&str> {
    let mut names: Vec<&str> =
        network_names.iter().filter_map(|name| Some(name.split_once('[')?.0)).collect();
    names.sort_unstable();
    names
}

fn notifications_arrive_in_order(mut laboratory: Laboratory) {
    laboratory.serve("Heartbeat");
    let links = ["Ann", "Bob"].map(|name| laboratory.link(name, "Heartbeat"));
    let mut beats = links.each_ref().map(|link| link.notifications());

    links[0].call::<()>("set_heart_rate", (200,)).wait().unwrap();

    for beats in &mut beats {
        let mut last = None;
        for _ in 0..100 {
            let beat = beats.wait().unwrap().expect("the link goes on");
            let (count,): (u64,) = beat.args().unwrap();
            assert!(last.is_none_or(|last| count == last + 1), "{count} follows {last:?}");
            last = Some(count);
        }
    }
    links[0].call::<()>("kill", ()).wait().unwrap();
}

fn an_exclusive_lock_keeps_others_out(mut laboratory: Laboratory) {
    laboratory.serve("Echo");
    let echo = laboratory.link("Ann", "Echo");
    let bob = laboratory.connect("Bob").wait().unwrap();

    let lock = echo.lock(false).wait().unwrap();
    assert_eq!(bob.link("Echo").wait().unwrap_err().kind(), ErrorKind::Locked);
    lock.release().wait().unwrap();
    let other = bob.link("Echo").wait().unwrap();
    let error = echo.acquire_lock(false).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked, "{error}");

    other.unlink().wait().unwrap();
    drop(echo.lock(false).wait().unwrap());
    eventually("the lock ends after its guard", || bob.link("Echo").wait().is_ok());
}

fn shared_locks_belong_to_those_that_ask(mut laboratory: Laboratory) {
    laboratory.serve("Echo");
    let [ann, bob] = ["Ann", "Bob"].map(|name| laboratory.link(name, "Echo"));
    let dan = laboratory.connect("Dan").wait().unwrap();

    ann.acquire_lock(true).wait().unwrap();
    assert_eq!(names(&bob.acquire_lock(true).wait().unwrap()), ["Ann", "Bob"]);
    assert_eq!(dan.link("Echo").wait().unwrap_err().kind(), ErrorKind::Locked);
    assert_eq!(names(&ann.release_lock().wait().unwrap()), ["Bob"]);
    bob.release_lock().wait().unwrap();
    dan.link("Echo").wait().unwrap();
}

fn refusals_to_link_are_told_apart(mut laboratory: Laboratory) {
    laboratory.serve("Single");
    let single = laboratory.link("Ann", "Single");
    let bob = laboratory.connect("Bob").wait().unwrap();

    assert_eq!(bob.link("Nothing").wait().unwrap_err().kind(), ErrorKind::NoSuchService);
    let full = bob.link("Single").wait().unwrap_err();
    assert_eq!(full.kind(), ErrorKind::Full, "{full}");
    assert_eq!(single.service_max_clients(), Some(1));

    single.unlink().wait().unwrap();
    assert_eq!(single.acquire_lock(false).wait().unwrap_err().kind(), ErrorKind::NotLinked);
    let link = bob.link("Single").wait().unwrap();
    assert_eq!(link.call::<i64>("value", ()).wait(), Ok(7));
}

fn a_link_tells_of_its_service(mut laboratory: Laboratory) {
    laboratory.serve("BasicMath");
    let math: Link = laboratory.link("Ann", "BasicMath").link().clone();

    let language = match laboratory.services() {
        Whose::Ours => "Rust 1.",
        Whose::Pythons => "Python 3.",
    };
    assert_eq!(math.service_name(), "BasicMath");
    assert!(math.service_language().starts_with(language), "{}", math.service_language());
    assert_eq!(math.service_os().split(' ').count(), 3, "{}", math.service_os());
    assert!(math.service_address().contains(':'), "{}", math.service_address());
    assert_eq!(math.service_max_clients(), None);
    let add = math.service_attributes()["add"].text().expect("a signature");
    assert!(add.starts_with('(') && add.contains("x:"), "{add}");
}

fn identities_are_typed_and_can_be_read(mut laboratory: Laboratory) {
    laboratory.serve("BasicMath");
    let math = laboratory.link("Ann", "BasicMath");
    let bob = math.client().spawn("Bob").wait().unwrap();
    assert_eq!(bob.name(), "Bob");
    assert_eq!(bob.manager(), math.client().manager());

    let identities: Identities = bob.identities().wait().unwrap();

    let clients: Vec<&str> = identities.clients.values().map(|client| client.name.as_str()).collect();
    assert_eq!(clients, ["Ann", "Bob"]);
    assert_eq!(identities.services["BasicMath"].max_clients, -1);
    let text = identities.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], bob.manager());
    for line in
        ["  attributes:", "    identity() -> dict", "Clients [2]:", "Services [1]:", "    max_clients: -1"]
    {
        assert!(lines.contains(&line), "{line:?} is not in {text}");
    }
}

#[test]
fn the_text_of_identities_is_that_of_the_python_package() {
    let mut laboratory = Laboratory::ours(Tls::Disabled);
    for service in ["BasicMath", "Single"] {
        laboratory.serve(service);
    }
    let script = msl_network_tests::python::Script::start("listing.py", laboratory.manager(), &[]);
    let listed = script.wait_for("listed");

    // The script is still connected.
    let ours = laboratory.connect("Ann").wait().unwrap().identities().wait().unwrap().to_string();

    let without_ann = |text: &str| -> Vec<String> {
        let mut lines = text.lines().map(ToString::to_string).collect::<Vec<_>>();
        let ann = lines.iter().position(|line| line.starts_with("  Ann["));
        if let Some(ann) = ann {
            lines.drain(ann..ann + 3);
        }
        lines.into_iter().filter(|line| !line.starts_with("Clients [")).collect()
    };
    assert_eq!(without_ann(&ours), without_ann(listed["text"].as_str().expect("a text")));
}

#[test]
fn a_reader_that_falls_behind_is_told_how_many_notifications_it_lost() {
    let mut laboratory = Laboratory::ours(Tls::Disabled);
    laboratory.serve("Heartbeat");
    let link = laboratory.link("Ann", "Heartbeat");
    let (mut behind, mut counter) = (link.notifications(), link.notifications());
    link.call::<()>("set_heart_rate", (100_000,)).wait().unwrap();
    let mut newest = 0;
    while newest < 2000 {
        let beat = counter.wait().unwrap().expect("the link goes on");
        newest = beat.args::<(u64,)>().map_or(newest, |(count,)| count);
    }

    let first = behind.wait().unwrap().unwrap();

    let msl_network_tokio::Notification::Lost(lost) = first else { panic!("{first:?}") };
    assert!(lost > 900, "{lost}");
    assert_eq!(first.args::<(u64,)>().unwrap_err().kind(), ErrorKind::Decode);
    let (next,): (u64,) = behind.wait().unwrap().unwrap().args().unwrap();
    assert!(next >= lost, "{next} after {lost}");
}

#[test]
fn a_connection_ends_with_the_last_of_its_handles() {
    let mut laboratory = Laboratory::ours(Tls::Disabled);
    laboratory.serve("Echo");
    let link = laboratory.link("Ann", "Echo").link().clone();
    let bob = laboratory.connect("Bob").wait().unwrap();
    let clients = || bob.identities().wait().unwrap().clients.len();

    assert_eq!(link.call::<Value>("echo", ()).wait().unwrap()[0], Value::Array(Vec::new()));
    assert_eq!(clients(), 2, "the link holds the connection");
    let (open, ended) = (link.call::<Value>("echo", (1,)), link.client().ended());
    drop(link);

    eventually("Ann has gone", || clients() == 1);
    assert_eq!(ended.wait().unwrap().kind(), ErrorKind::Disconnected);
    drop(open);
}

#[test]
fn after_the_end_of_the_manager_calls_fail_and_another_one_can_be_connected_with() {
    let mut laboratory = Laboratory::ours(Tls::Enabled);
    let (executing, is_executing) = mpsc::channel();
    let waiting = Service::new("Waiter").async_method("wait", "()", move |_, _| {
        executing.send(()).unwrap();
        pending::<()>()
    });
    let _service = laboratory.start(waiting).wait().unwrap();
    let waiter = laboratory.link("Ann", "Waiter");
    let open = waiter.call::<()>("wait", ());
    let mut notifications = waiter.notifications();
    is_executing.recv_timeout(PATIENCE).unwrap();

    laboratory.manager().terminate();

    let error = open.wait().unwrap_err();
    assert!(error.may_be_executed(), "{error}");
    let end = waiter.client().ended().wait().unwrap();
    assert_eq!(end.kind(), ErrorKind::Disconnected);
    assert_eq!(notifications.wait(), Ok(None));
    assert!(!waiter.client().is_connected());
    let next = waiter.call::<()>("wait", ()).wait().unwrap_err();
    assert_eq!((next.kind(), next.may_be_executed()), (ErrorKind::Disconnected, false));

    let mut another = Laboratory::ours(Tls::Enabled);
    another.serve("Single");
    assert_eq!(another.link("Ann", "Single").call::<i64>("value", ()).wait(), Ok(7));
}
