//! Services made with closures, asked by a client through a Manager, all in memory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};

use msl_network_protocol::author::{Arguments, Notification, Service, ServiceError, With};
use msl_network_protocol::device::ErrorKind;
use world::{World, ask, linked};

fn math() -> Service {
    Service::new("BasicMath")
        .constant("answer", 42)
        .property("half", || 0.5)
        .method("add", "(x: float, y: float) -> float", |_, arguments| {
            let (x, y): (f64, f64) = arguments.read_all()?;
            Ok::<_, ServiceError>(x + y)
        })
        .method("divide", "(x: float, y: float) -> float", |_, arguments| {
            let (x, y): (f64, f64) = arguments.read_all()?;
            Ok::<_, ServiceError>(x / y)
        })
        .method("power", "(x: float, n: float = 2.0) -> float", |_, arguments| {
            Ok::<_, ServiceError>(arguments.read::<f64>("x")?.powf(arguments.read("n")?))
        })
        .async_method("subtract", "(x: int, y: int) -> int", |_, arguments| async move {
            let (x, y): (i64, i64) = arguments.read_all()?;
            Ok::<_, ServiceError>(x - y)
        })
}

#[test]
fn methods_are_called_with_arguments_by_position_name_and_default() {
    let (mut world, math) = linked(math());
    assert_eq!(ask(&mut world, &math, "add", (1, 2)), "3.0");
    assert_eq!(ask(&mut world, &math, "add", (1,).with("y", 2.5)), "3.5");
    assert_eq!(ask(&mut world, &math, "power", (3,)), "9.0");
    assert_eq!(ask(&mut world, &math, "power", ().with("n", 3).with("x", 2)), "8.0");
    assert_eq!(ask(&mut world, &math, "subtract", (1, 2)), "-1");
}

#[test]
fn constants_and_properties_answer_with_their_value_whatever_the_arguments() {
    let (mut world, math) = linked(math());
    assert_eq!(ask(&mut world, &math, "answer", ()), "42");
    assert_eq!(ask(&mut world, &math, "half", (1, 2)), "0.5");
}

#[test]
fn a_property_is_read_anew_for_each_request() {
    let reads = AtomicUsize::new(0);
    let counter = Service::new("Counter").property("count", move || reads.fetch_add(1, Ordering::SeqCst));
    let (mut world, counter) = linked(counter);
    assert_eq!(counter.service_attributes()["count"].as_json(), "0");
    assert_eq!(ask(&mut world, &counter, "count", ()), "1");
    assert_eq!(ask(&mut world, &counter, "count", ()), "2");
}

#[test]
fn results_that_are_not_finite_are_written_as_python_writes_them() {
    let (mut world, math) = linked(math());
    assert_eq!(ask(&mut world, &math, "divide", (0, 0)), "NaN");
    assert_eq!(ask(&mut world, &math, "divide", (-1, 0)), "-Infinity");
    assert_eq!(ask(&mut world, &math, "add", (f64::INFINITY, 1)), "Infinity");
}

#[test]
fn wrong_arguments_are_type_errors_in_the_words_of_python() {
    let (mut world, math) = linked(math());
    let missing = "TypeError: add() missing 1 required positional argument: 'y'";
    assert_eq!(ask(&mut world, &math, "add", (1,)), missing);
    let wrong = ask(&mut world, &math, "subtract", (1, "a"));
    assert!(wrong.starts_with("TypeError: subtract() argument 'y' must be int: "), "{wrong}");
}

#[test]
fn what_is_not_there_or_private_is_refused() {
    let (mut world, math) = linked(math());
    let unknown = "AttributeError: 'BasicMath' object has no attribute 'sqrt'";
    assert_eq!(ask(&mut world, &math, "sqrt", (1,)), unknown);
    let private = "PermissionError: Cannot request a private attribute";
    assert_eq!(ask(&mut world, &math, "_add", (1, 2)), private);
    let shutdown = "AttributeError: 'BasicMath' object has no attribute 'shutdown_service'";
    assert_eq!(ask(&mut world, &math, "shutdown_service", ()), shutdown);
}

#[test]
fn a_hidden_attribute_is_not_shown_but_can_be_asked_for() {
    let (mut world, math) = linked(math().hide("add"));
    assert!(!math.service_attributes().contains_key("add"));
    assert!(math.service_attributes().contains_key("power"));
    assert_eq!(ask(&mut world, &math, "add", (1, 2)), "3.0");
}

#[test]
fn errors_keep_their_kind_and_traceback() {
    let service = Service::new("Test")
        .method("own", "()", |_, _| {
            Err::<(), _>(ServiceError::new("MyError", "no").with_traceback(["a", "b"]))
        })
        .method("shown", "()", |_, _| Err::<(), _>(std::fmt::Error));
    let (mut world, test) = linked(service);
    let error = world.run(test.call_raw("own", ())).unwrap_err();
    assert_eq!((error.kind(), error.exception()), (ErrorKind::Remote, Some("MyError")));
    assert_eq!(error.to_string(), "a\nb\nMyError: no");
    let shown = format!("RuntimeError: {}", std::fmt::Error);
    assert_eq!(ask(&mut world, &test, "shown", ()), shown);
}

#[test]
fn a_panic_is_an_error_and_the_service_goes_on() {
    let service = Service::new("Test")
        .method("now", "()", |_, _| -> u8 { panic!("on purpose") })
        .async_method("making", "()", |_, _| -> std::future::Ready<u8> { panic!("on purpose") })
        .async_method("later", "()", |_, _| async {
            assert!(std::hint::black_box(false), "on purpose");
        })
        .property("late", {
            let read = AtomicUsize::new(0);
            move || assert_eq!(read.fetch_add(1, Ordering::SeqCst), 0, "on purpose")
        })
        .constant("fine", true);
    let (mut world, test) = linked(service);
    for attribute in ["now", "making", "later", "late"] {
        let error = ask(&mut world, &test, attribute, ());
        assert!(error.starts_with("RuntimeError: the service panicked: "), "{attribute}: {error}");
        assert!(error.contains("on purpose"), "{attribute}: {error}");
    }
    assert_eq!(ask(&mut world, &test, "fine", ()), "true");
}

#[test]
fn a_method_sees_who_asks_for_what_and_with_what() {
    let service = Service::new("Test").method("echo", "(*args, **kwargs)", |cx, _| {
        let text = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
        (cx.requester().to_string(), cx.attribute().to_string(), text(cx.args()), text(cx.kwargs()))
    });
    let (mut world, test) = linked(service);
    let seen = ask(&mut world, &test, "echo", Arguments::new().and_json("1.10").with_json("x", "NaN"));
    assert_eq!(seen, r#"["Ann[lab:50002]","echo","[1.10]","{\"x\": NaN}"]"#);
}

#[test]
fn methods_run_at_the_same_time() {
    // Each waits for the other: one after the other, neither would end.
    let meeting = Arc::new(Barrier::new(2));
    let service = Service::new("Test").method("meet", "()", move |_, _| {
        meeting.wait();
    });
    let (mut world, test) = linked(service);
    let calls = [test.call_raw("meet", ()), test.call_raw("meet", ())];
    for call in calls {
        assert_eq!(world.run(call).unwrap(), "null");
    }
}

/// A service that notes what it is asked to do; jobs wait for the test.
fn noting() -> (Service, Arc<Mutex<Vec<u32>>>) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let service = Service::new("Test").max_concurrent(1).method("note", "(n: int)", {
        let notes = notes.clone();
        move |_, arguments| {
            let n: u32 = arguments.read("n")?;
            notes.lock().unwrap().push(n);
            Ok::<_, ServiceError>(n)
        }
    });
    (service, notes)
}

#[test]
fn with_max_concurrent_of_one_requests_are_executed_one_at_a_time_and_in_order() {
    let (service, notes) = noting();
    let (mut world, test) = linked(service);
    world.executor.hold();
    let calls: Vec<_> = (0..5).map(|n| test.call_raw("note", (n,))).collect();
    let workers = world.executor.clone();
    world.run(async {});
    let mut most = 0;
    while let Some(job) = workers.next() {
        assert_eq!(workers.waiting(), 0, "one is out, no other is");
        job();
        most = most.max(workers.waiting());
    }
    assert_eq!(most, 1);
    assert_eq!(*notes.lock().unwrap(), [0, 1, 2, 3, 4]);
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(world.run(call).unwrap(), n.to_string());
    }
}

#[test]
fn a_request_that_the_runtime_drops_is_answered_with_an_error() {
    let (service, notes) = noting();
    let (mut world, test) = linked(service);
    world.executor.hold();
    let calls = [test.call_raw("note", (1,)), test.call_raw("note", (2,))];
    world.run(async {});
    for _ in &calls {
        world.executor.drop_all();
    }
    for call in calls {
        let error = world.run(call).unwrap_err();
        assert_eq!(error.message(), "RuntimeError: the service is being stopped, and has not executed this");
    }
    assert_eq!(*notes.lock().unwrap(), [] as [u32; 0]);
}

#[test]
fn shutdown_service_answers_and_finishes_what_waits_before_the_end() {
    let (service, notes) = noting();
    let mut world = World::new();
    let running = world.service(service.on_shutdown(|_, _| "bye"));
    let client = world.client("Ann");
    let test = world.run(client.link("Test")).unwrap();
    let call = test.call_raw("note", (1,));
    let bye = test.shutdown_service::<String>(());
    assert_eq!(world.run(bye).unwrap(), "bye");
    assert_eq!(world.run(call).unwrap(), "1");
    assert_eq!(world::text(&world.run(running.ended())), "Disconnected disconnected");
    assert!(!running.is_connected());
    assert_eq!(*notes.lock().unwrap(), [1]);
    let gone = world.run(client.link("Test")).unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NoSuchService);
}

#[test]
fn an_error_of_the_shutdown_hook_prevents_the_end() {
    let service = math()
        .on_shutdown(|cx, _| Err::<(), _>(ServiceError::permission(format!("not for {}", cx.requester()))));
    let (mut world, math) = linked(service);
    let refused = ask(&mut world, &math, "shutdown_service", ());
    assert_eq!(refused, "PermissionError: not for Ann[lab:50002]");
    assert_eq!(ask(&mut world, &math, "add", (1, 2)), "3.0");
}

#[test]
fn the_author_can_shut_it_down_and_what_runs_is_answered_first() {
    let (release, released) = channel::<()>();
    let (started, has_started) = channel::<()>();
    let (released, started) = (Mutex::new(released), Mutex::new(started));
    let service = Service::new("Test").method("slow", "()", move |_, _| {
        started.lock().unwrap().send(()).unwrap();
        released.lock().unwrap().recv().is_ok()
    });
    let mut world = World::new();
    let running = world.service(service);
    let client = world.client("Ann");
    let test = world.run(client.link("Test")).unwrap();
    let slow = test.call::<bool>("slow", ());
    world.run(async {});
    has_started.recv().unwrap();

    let ending = {
        let running = running.clone();
        async move { running.shut_down().await }
    };
    let mut ending = Box::pin(ending);
    world.run(std::future::poll_fn(|cx| {
        assert!(ending.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    }));
    let late = world.run(test.call_raw("slow", ())).unwrap_err();
    assert_eq!(late.message(), "ConnectionError: Test is shutting down");
    release.send(()).unwrap();
    assert!(world.run(slow).unwrap());
    world.run(ending);
    assert!(!running.is_connected());
}

#[test]
fn notifications_arrive_in_order_and_before_the_reply() {
    let service = Service::new("Test").method("count", "(n: int)", |cx, arguments| {
        for n in 0..arguments.read("n")? {
            cx.notify((n, f64::NAN).with("last", false))?;
        }
        Ok::<u32, ServiceError>(7)
    });
    let mut world = World::new();
    let running = world.service(service);
    let client = world.client("Ann");
    let test = world.run(client.link("Test")).unwrap();
    let mut notifications = test.notifications();
    assert_eq!(world.run(test.call::<u32>("count", (3,))).unwrap(), 7);
    running.notifier().notify((3,).with("last", true)).unwrap();
    for n in 0..3 {
        let Some(Notification::Received { args, kwargs }) = world.run(notifications.next()) else { panic!() };
        assert_eq!(args, format!("[{n},NaN]"));
        assert_eq!(kwargs, "{\"last\": false}");
    }
    let last = world.run(notifications.next()).unwrap();
    assert_eq!(last.args::<(u32,)>().unwrap(), (3,));
}

#[test]
fn notifications_that_wait_are_bounded() {
    let mut world = World::new();
    let running = world.service(math());
    let notifier = running.notifier();
    let text = "x".repeat(1 << 20);
    let sent = (0..100).take_while(|_| notifier.notify((&text,)).is_ok()).count();
    assert_eq!(sent, 63);
    assert_eq!(notifier.notify((&text,)).unwrap_err().kind(), ErrorKind::Backlog);
    world.run(async {});
    assert!(notifier.notify((&text,)).is_ok(), "they have been sent");
}

#[test]
fn a_notifier_outlives_the_connection_and_says_so() {
    let mut world = World::new();
    let running = world.service(math());
    let notifier = running.notifier();
    let error = notifier.notify(().with("x", std::collections::BTreeMap::from([(vec![1], 1)]))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    world.cut_last();
    assert_eq!(notifier.notify(()).unwrap_err().kind(), ErrorKind::Disconnected);
    assert_eq!(world::text(&world.run(running.ended())), "Disconnected the network is down");
}

fn with_farewell(service: Service) -> (Service, Receiver<String>) {
    let (said, heard): (Sender<String>, _) = channel();
    (service.on_disconnect(move |error| said.send(error.message().to_string()).unwrap()), heard)
}

#[test]
fn the_end_of_the_connection_calls_the_hook_once_and_executes_nothing_more() {
    let (service, notes) = noting();
    let (service, heard) = with_farewell(service);
    let mut world = World::new();
    let client = world.client("Ann");
    let running = world.service(service);
    let test = world.run(client.link("Test")).unwrap();
    world.executor.hold();
    let calls = [test.call_raw("note", (1,)), test.call_raw("note", (2,))];
    world.run(async {});
    let first = world.executor.next().expect("the first request");
    world.cut_last();
    assert!(heard.try_recv().is_err(), "the first one still has its turn");
    first();
    let farewell = world.executor.next().expect("the hook");
    farewell();
    assert_eq!(heard.try_recv().as_deref(), Ok("the network is down"));
    assert!(heard.recv().is_err(), "called once, and forgotten");
    assert_eq!(world.executor.waiting(), 0);
    assert_eq!(*notes.lock().unwrap(), [] as [u32; 0]);
    assert!(!running.is_connected());
    for call in calls {
        assert!(world.run(call).is_err());
    }
}

#[test]
fn the_hook_is_called_even_if_the_runtime_drops_it() {
    let (service, heard) = with_farewell(math());
    let mut world = World::new();
    world.service(service);
    world.executor.hold();
    world.cut_last();
    assert!(heard.try_recv().is_err());
    world.executor.drop_all();
    assert_eq!(heard.try_recv().as_deref(), Ok("the network is down"));
}

#[test]
fn two_services_cannot_have_one_name_and_a_second_instrument_gets_another() {
    let mut world = World::new();
    world.service(math());
    world.service(math().with_name("Second"));
    let client = world.client("Ann");
    assert!(world.run(client.link("BasicMath")).is_ok());
    assert!(world.run(client.link("Second")).is_ok());
}

#[test]
fn a_full_service_says_so() {
    let (mut world, _first) = linked(math().max_clients(1));
    let bob = world.client("Bob");
    assert_eq!(world.run(bob.link("BasicMath")).unwrap_err().kind(), ErrorKind::Full);
}
