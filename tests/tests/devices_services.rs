//! Our services: with the Python package's client, and the ways in which they begin and end.

use std::env;
use std::future::pending;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use msl_network_tests::accounts::manager;
use msl_network_tests::laboratory::Laboratory;
use msl_network_tests::process::Process;
use msl_network_tests::program::Tls;
use msl_network_tests::python::{Facts, Script, assert_error};
use msl_network_tests::{PATIENCE, Served, eventually, every_laboratory, services};
use msl_network_tokio::{ErrorKind, Listener, Service, ServiceError, connect, run_services, start};
use serde_json::{Value, json};

every_laboratory! {
    with_our_services:
    pythons_client_uses_them
}

fn pythons_client_uses_them(mut laboratory: Laboratory) {
    for service in [
        "Adder",
        "BasicMath",
        "Echo",
        "Heartbeat",
        "Hewlett Packard 34401A",
        "MyArray",
        "Odd",
        "Single",
        "Stoppable",
    ] {
        laboratory.serve(service);
    }
    let facts = Script::run("ours.py", laboratory.manager(), &[]);
    assert_values(&facts);
    assert_errors(&facts);

    let beats = facts.one("beats");
    for client in ["ann", "bob"] {
        let beats: Vec<u64> =
            beats[client].as_array().expect("a list").iter().filter_map(Value::as_u64).collect();
        assert!(beats.len() > 100);
        assert!(beats.windows(2).all(|pair| pair[1] == pair[0] + 1), "{client}: {beats:?}");
    }
    assert_eq!(facts.one("shut down")["result"], json!([[1], {"x": 2}]));
}

fn assert_values(facts: &Facts) {
    let echoed = r#"[[1, "é漢\n", [null, 0.1]], {"x": {"a": [[], {}]}, "big": 12345678901234567890123}]"#;
    let echoed: Value = serde_json::from_str(echoed).expect("it is JSON");
    assert_eq!(facts.one("echo")["result"], echoed);
    assert_eq!(facts.one("not finite")["result"], "[[nan, inf, -inf], {}]");
    assert_eq!(facts.one("array")["equal"], true);
    let attributes = facts.one("attributes");
    assert_eq!(attributes["pi"], json!(std::f64::consts::PI));
    assert_eq!(attributes["euler"], json!(std::f64::consts::E));
    assert_eq!((&attributes["sum"], &attributes["power"]), (&json!(3.0), &json!(9.0)));
    assert_eq!(facts.one("signatures")["power"], "(x: float, n: float = 2.0) -> float");
    assert_eq!(facts.one("arrays")["numbers"], json!([0.0, 0.5, 1.0]));
    assert_eq!(facts.one("arrays")["ten_times"], json!([0.0, 5.0, 10.0]));
    assert_eq!(facts.one("arrays")["length"], 100);
    assert_eq!(facts.one("adder")["sum"], json!(4.6));
    let multimeter = facts.one("multimeter");
    assert_eq!(multimeter["query"], "-6.23954727E-02");
    assert_eq!(multimeter["read"], "HEWLETT-PACKARD,34401A,0,11-5-2");
    assert_eq!(multimeter["voltage"], json!({"value": -6.239_547_27e-2, "unit": "V"}));
    let six = facts.one("six calls");
    assert_eq!(six["results"], json!([3.0, -1.0, 6.0, 0.5, true, 9.0]));
    assert!(six["seconds"].as_f64().expect("a number") < 0.7, "the calls do not overlap: {six}");
    let single = facts.one("single");
    assert_eq!((&single["value"], &single["max_clients"]), (&json!(7), &json!(1)));
    assert!(single["language"].as_str().expect("a text").starts_with("Rust 1."), "{single}");
}

fn assert_errors(facts: &Facts) {
    for (fact, texts) in [
        ("error of a method", ["ZeroDivisionError: float division by zero"].as_slice()),
        ("wrong arguments", &["TypeError: ", "missing 1 required positional argument: 'y'"]),
        ("wrong type", &["TypeError: "]),
        ("unknown attribute", &["AttributeError: 'BasicMath' object has no attribute 'nothing'"]),
        ("private attribute", &["PermissionError: "]),
        ("traceback", &["Traceback (most recent call last):", "TypeError: Object of type object is not"]),
        ("full", &["PermissionError: ", "maximum number of Clients"]),
        ("gone", &["'Stoppable' service does not exist"]),
    ] {
        assert_error(facts.one(fact), "RuntimeError", texts);
    }
}

#[test]
fn methods_run_on_the_runtime_that_the_service_was_started_on() {
    let laboratory = Laboratory::ours(Tls::Enabled);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let service =
            Service::new("Sleeper").async_method("sleep", "(seconds: float)", |_, arguments| async move {
                tokio::time::sleep(Duration::from_secs_f64(arguments.read("seconds")?)).await;
                Ok::<_, ServiceError>("slept")
            });
        let running = laboratory.start(service).await.unwrap();
        let sleeper = laboratory.connect("Ann").linked("Sleeper").await.unwrap();
        let said = sleeper.call::<String>("sleep", (0.01,)).await;
        assert_eq!(said, Ok("slept".to_string()));
        running.shut_down().await;
        assert!(running.is_shutting_down());
    });
}

#[test]
fn a_service_that_shuts_down_answers_what_it_executes_first() {
    let laboratory = Laboratory::ours(Tls::Disabled);
    let (executing, is_executing) = mpsc::channel();
    let (go, going) = mpsc::channel::<()>();
    let going = std::sync::Mutex::new(going);
    let service = Service::new("Slow").method("measure", "()", move |_, _| {
        executing.send(()).unwrap();
        going.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        7
    });
    let running = laboratory.start(service).wait().unwrap();
    let slow = laboratory.link("Ann", "Slow");
    let call = slow.call::<i64>("measure", ());
    is_executing.recv_timeout(PATIENCE).unwrap();

    let ended = running.shut_down();
    let refused = slow.call::<i64>("measure", ()).wait().unwrap_err();
    assert_eq!(refused.exception(), Some("ConnectionError"));
    go.send(()).unwrap();

    assert_eq!(call.wait(), Ok(7));
    assert_eq!(ended.wait().unwrap().kind(), ErrorKind::Disconnected);
}

#[test]
fn a_service_learns_of_the_end_of_its_manager_and_leaves_its_instrument_safe() {
    let mut laboratory = Laboratory::ours(Tls::Enabled);
    let (said, hears) = mpsc::channel();
    let service = Service::new("Oven").on_disconnect(move |error| said.send(error.clone()).unwrap());
    let running = laboratory.start(service).wait().unwrap();

    laboratory.manager().terminate();

    let end = running.ended().wait().unwrap();
    assert_eq!(end.kind(), ErrorKind::Disconnected);
    assert!(!running.is_shutting_down());
    assert_eq!(hears.recv_timeout(PATIENCE), Ok(end));
}

/// The program of the next test.
#[test]
#[ignore = "another test runs it as a program of its own"]
fn a_program_that_is_a_service() {
    let port: u16 = env::var("PORT_OF_MANAGER").unwrap().parse().unwrap();
    let service = services::named("Single").on_disconnect(|_| println!("the instrument is safe"));
    let outcome = start(service, ("localhost", port)).disable_tls().run();
    println!("it ended with {outcome:?}");
}

#[test]
fn a_program_that_is_a_service_ends_in_order_when_it_is_told_to() {
    let mut laboratory = Laboratory::ours(Tls::Disabled);
    let by: [fn(&Process); 2] = [Process::interrupt, Process::terminate];
    for end in by {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "a_program_that_is_a_service", "--ignored", "--nocapture"]);
        command.env("PORT_OF_MANAGER", laboratory.manager().port().to_string());
        let mut program = Process::spawn("a service", command);
        eventually("it says that it runs", || program.log().contains("Single runs at Manager["));
        assert_eq!(laboratory.link("Ann", "Single").call::<i64>("value", ()).wait(), Ok(7));

        end(&program);

        program.wait_for("its hook", |line| line.contains("the instrument is safe").then_some(()));
        program.wait_for("its last words", |line| line.contains("it ended with Ok(())").then_some(()));
        assert!(program.wait(PATIENCE).success());
        let ann = laboratory.connect("Ann").wait().unwrap();
        eventually("the service has gone", || ann.identities().wait().unwrap().services.is_empty());
    }
}

#[test]
fn a_manager_with_services_ends_with_the_last_of_them() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = Listener::bind(Some("127.0.0.1"), 0).await.unwrap();
        let address = ("127.0.0.1", listener.port());
        let other = Service::new("Other").method("value", "()", |_, _| 1).on_shutdown(|_, _| ());
        let together = tokio::spawn(run_services(
            listener,
            manager(address.1),
            None,
            [services::named("Stoppable"), other].map(|service| start(service, address).disable_tls()),
            pending(),
        ));
        let ann = connect(address).disable_tls().linked("Stoppable").await.unwrap();
        let other = ann.client().spawn("Bob").linked("Other").await.unwrap();

        ann.shutdown_service::<Value>(()).await.unwrap();
        assert_eq!(other.call::<i64>("value", ()).await, Ok(1), "one is left");
        assert!(!together.is_finished());
        other.shutdown_service::<Value>(()).await.unwrap();

        let ended = tokio::time::timeout(PATIENCE, together).await;
        assert_eq!(ended.expect("it does not end").expect("it has panicked"), Ok(()));
        assert_eq!(ann.client().ended().await.kind(), ErrorKind::Disconnected);
    });
}

#[test]
fn a_manager_with_services_that_is_stopped_shuts_them_down_wherever_they_are() {
    let elsewhere = Laboratory::ours(Tls::Disabled);
    let safe = Arc::new(AtomicBool::new(false));
    let oven = Service::new("Oven").on_disconnect({
        let safe = safe.clone();
        move |_| safe.store(true, Ordering::SeqCst)
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let outcome = runtime.block_on(async {
        let listener = Listener::bind(Some("127.0.0.1"), 0).await.unwrap();
        let manager = manager(listener.port());
        // They are started one after the other: when the second one is there, the first one has been started.
        let services = [oven, Service::new("Lamp")].map(|service| elsewhere.start(service));
        let ann = elsewhere.connect("Ann");
        let lamp_is_there = async { drop(ann.linked("Lamp").await.unwrap()) };
        run_services(listener, manager, None, services, lamp_is_there).await
    });
    assert_eq!(outcome, Ok(()));
    assert!(safe.load(Ordering::SeqCst), "it has not waited for the hook");
    let bob = elsewhere.connect("Bob").wait().unwrap();
    eventually("the service has gone", || bob.identities().wait().unwrap().services.is_empty());
}

#[test]
fn a_manager_with_services_can_be_stopped_while_they_are_starting() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = ("127.0.0.1", silent.local_addr().unwrap().port());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let outcome = runtime.block_on(async {
        let listener = Listener::bind(Some("127.0.0.1"), 0).await.unwrap();
        let manager = manager(listener.port());
        let service = start(services::named("Single"), address).disable_tls().timeout(2 * PATIENCE);
        let it_connects = tokio::task::spawn_blocking(move || silent.accept().unwrap());
        // Kept until the end: that its connection is closed would be another reason.
        let mut connected = None;
        let stop = async { connected = Some(it_connects.await.unwrap()) };
        let outcome = run_services(listener, manager, None, [service], stop).await;
        assert!(connected.is_some());
        outcome
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn a_method_that_blocks_may_wait_for_calls_of_its_own() {
    let mut laboratory = Laboratory::ours(Tls::Disabled);
    laboratory.serve("Echo");
    let echo = laboratory.link("Ann", "Echo");
    let relay =
        Service::new("Relay").method("ask", "()", move |_, _| echo.call::<Value>("echo", (1,)).wait());
    laboratory.start(relay).wait().unwrap();
    let asked = laboratory.link("Bob", "Relay").call::<Value>("ask", ()).wait();
    assert_eq!(asked, Ok(json!([[1], {}])));
}

#[test]
fn where_waiting_is_refused_the_error_names_a_way_out() {
    let laboratory = Laboratory::ours(Tls::Disabled);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let ann = laboratory.connect("Ann").await.unwrap();
        let in_a_task = ann.identities().wait().unwrap_err();
        assert_eq!(in_a_task.kind(), ErrorKind::Invalid);
        let on_a_thread = tokio::task::spawn_blocking(move || {
            let refused = ann.identities().wait().unwrap_err();
            (refused, tokio::runtime::Handle::current().block_on(ann.identities()))
        });
        let (refused, allowed) = on_a_thread.await.unwrap();
        assert!(refused.message().contains("in spawn_blocking the runtime's block_on"), "{refused}");
        assert!(allowed.is_ok());
    });
}

#[test]
fn a_manager_whose_services_cannot_start_ends_and_says_why() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let error = runtime.block_on(async {
        let listener = Listener::bind(Some("127.0.0.1"), 0).await.unwrap();
        let address = ("127.0.0.1", listener.port());
        let twice = ["Single", "Single"].map(|name| start(services::named(name), address).disable_tls());
        run_services(listener, manager(address.1), None, twice, pending()).await.unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}
