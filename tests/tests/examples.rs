//! The examples: each service, each client and each program of `examples/` does what it shows, as a program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use msl_network_examples::Example;
use msl_network_examples::multimeter::{DigitalMultimeter, DigitalMultimeterClient, simulated};
use msl_network_tests::laboratory::Laboratory;
use msl_network_tests::process::Process;
use msl_network_tests::program::{Program, Tls, built_programs};
use msl_network_tests::setup::Setup;
use msl_network_tests::{PATIENCE, eventually, every_laboratory, every_setup};
use msl_network_tokio::{Reconnect, Service};

every_laboratory! {
    the_clients_of_the_examples_use_the_services_of_both
}

every_setup! {
    run_example_starts_a_service_until_ctrl_c_and_its_client
}

fn the_clients_of_the_examples_use_the_services_of_both(mut laboratory: Laboratory) {
    for example in [Example::BasicMath, Example::Echo, Example::Heartbeat, Example::MyArray] {
        laboratory.serve(example.name());
        assert_shows(example, &client_of(laboratory.manager(), example));
    }
}

fn run_example_starts_a_service_until_ctrl_c_and_its_client(setup: Setup) {
    let program = Program::start(setup, &[]);
    for example in Example::ALL {
        let mut service =
            Process::spawn(example.name(), program.command(&["run-example", example.name()], &[], &[]));
        service.wait_for("that it is connected", |line| line.contains(" is connected with ").then_some(()));
        // It takes seconds, on purpose; the test above has it with shorter ones.
        if example != Example::BasicMath {
            assert_shows(example, &client_of(&program, example));
        }
        service.interrupt();
        assert!(service.wait(PATIENCE).success(), "{}", service.log());
    }
}

fn client_of(manager: &Program, example: Example) -> String {
    output(manager.command(&["run-example", "--client", example.name()], &[], &[]))
}

fn output(mut command: Command) -> String {
    let output = command.output().unwrap();
    let (out, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {error}{out}");
    out
}

fn assert_shows(example: Example, shown: &str) {
    let expected = match example {
        Example::Adder => "1.2 + 3.4 = 4.6\n",
        Example::BasicMath => {
            "pi = 3.141592653589793\n1 + 2 = 3\n1 / 0: ZeroDivisionError: float division by zero\n3 ** 2 = 9\n3 ** 3 = 27\n"
        }
        Example::DigitalMultimeter => {
            "HEWLETT-PACKARD,34401A,0,11-5-2\n-0.0623954727 V\n100012.3 Ohm\nScpiError: -222,\"Data out of range\"\n"
        }
        // Python writes a blank behind a comma, and Echo passes on what it gets.
        Example::Echo => {
            let shown = shown.replace(", ", ",").replace(": ", ":");
            assert_eq!(shown, "[[\"hello\"],{}]\n[[\"world!\"],{\"array\":[0.1,NaN],\"x\":7}]\n");
            return;
        }
        Example::Heartbeat => return assert_beats(shown, 5),
        Example::MyArray => {
            "[0.0, 0.25, 0.5, 0.75, 1.0]\n[0.0, 2.5, 5.0, 7.5, 10.0]\n100 numbers without n\n"
        }
    };
    assert_eq!(shown, expected, "{example:?}");
}

fn assert_beats(shown: &str, count: usize) {
    let beats: Vec<u64> =
        shown.lines().map(|line| line.strip_prefix("beat ").unwrap().parse().unwrap()).collect();
    assert_eq!(beats.len(), count, "{shown}");
    assert!(beats.windows(2).all(|pair| pair[1] == pair[0] + 1), "{shown}");
}

#[test]
fn every_program_shows_what_it_is_there_for() {
    let mut laboratory = Laboratory::ours(Tls::Enabled);
    for service in ["BasicMath", "Echo", "Heartbeat", "MyArray"] {
        laboratory.serve(service);
    }
    let manager = laboratory.manager();
    let mut first_service = Process::spawn("the first service", manager.example("01_first_service"));

    for name in built_programs().keys().filter(|name| name.starts_with(char::is_numeric)) {
        if name == "01_first_service" {
            continue;
        }
        let shown = output(manager.example(name));
        let expected = match name.as_str() {
            "02_first_client" => "Hello, world!\n",
            "03_many_calls_at_once" => {
                assert_overlap(&shown);
                continue;
            }
            "04_notifications" | "08_reconnecting" => {
                assert_beats(&shown, 10);
                continue;
            }
            "05_locks" => "Bob has to wait\nBob is linked with Echo\n",
            "06_blocking_script" => "[0.0, 0.25, 0.5, 0.75, 1.0]\n[0.0, 2.5, 5.0, 7.5, 10.0]\n",
            "07_own_error_kinds" => "ValueError: the limit is 250 °C\nclose it, please\n",
            other => panic!("say here what {other} shows"),
        };
        assert_eq!(shown, expected, "{name}");
    }

    first_service.interrupt();
    assert!(first_service.wait(PATIENCE).success(), "{}", first_service.log());
}

#[test]
fn a_client_that_reconnects_goes_on_when_its_manager_was_restarted() {
    let mut laboratory = Laboratory::ours(Tls::Enabled);
    let (ask, asked) = mpsc::channel();
    let service = Service::new("Heartbeat")
        .method("set_heart_rate", "(beats_per_second)", move |_, _| ask.send(()).expect("the test listens"));
    let service = laboratory.start(service).reconnect(Reconnect::default()).wait().unwrap();
    let mut program = Process::spawn("the client", laboratory.manager().example("08_reconnecting"));
    let wait_for = |program: &Process, text: &str| {
        // At the beginning: there may be a line "not linked with Heartbeat again yet" before.
        program.wait_for(text, |line| line.starts_with(text).then_some(()));
    };
    asked.recv_timeout(PATIENCE).expect("it is linked, and listens");

    (0..5).for_each(|beat| service.notifier().notify((beat,)).unwrap());
    wait_for(&program, "beat 4");
    laboratory.manager().kill();
    wait_for(&program, "the connection was lost");
    laboratory.manager().revive();
    wait_for(&program, "linked with Heartbeat again");
    // Others may be linked with a service before it has heard that it is let in.
    eventually("the service knows that it is back", || service.is_connected());
    (5..9).for_each(|beat| service.notifier().notify((beat,)).unwrap());

    assert!(program.wait(PATIENCE).success(), "{}", program.log());
    let shown: Vec<String> = program.lines().into_iter().filter(|line| line.starts_with("beat")).collect();
    let beat = |beat| format!("beat {beat}");
    let missing = "beats are missing here".to_string();
    let expected: Vec<String> = (0..5).map(beat).chain([missing]).chain((5..9).map(beat)).collect();
    assert_eq!(shown, expected);
}

/// The same six results twice, and the second time they came sooner: with their delays as they are, in 6 s, not 21 s.
fn assert_overlap(shown: &str) {
    let lines: Vec<&str> = shown.lines().collect();
    let [first, second] = [&lines[..7], &lines[7..]].map(|part| part.split_last().unwrap());
    let results =
        ["1 + 2 = 3", "1 - 2 = -1", "1 * 2 = 2", "1 / 2 = 0.5", "is 1 positive? true", "2 ** 4 = 16"];
    assert_eq!((first.1, second.1), (&results[..], &results[..]));
    let seconds = |line: &str, what: &str| -> f64 {
        line.strip_prefix(what).unwrap().strip_suffix(" s").unwrap().parse().unwrap()
    };
    assert!(seconds(second.0, "at once: ") < seconds(first.0, "one after the other: "), "{shown}");
}

/// A client of a multimeter that waits as long for its instrument.
fn multimeter(laboratory: &Laboratory, timeout: Duration) -> DigitalMultimeterClient {
    let instrument = simulated().unwrap();
    laboratory.start(DigitalMultimeter::new(instrument.to_string(), timeout)).wait().unwrap();
    laboratory.link("Ann", "Hewlett Packard 34401A").into()
}

#[test]
fn requests_to_the_multimeter_do_not_interleave() {
    let laboratory = Laboratory::ours(Tls::Disabled);
    let multimeter = multimeter(&laboratory, PATIENCE);

    let readings: Vec<_> =
        (0..50).flat_map(|_| [multimeter.voltage(None), multimeter.resistance(1e6)]).collect();

    for (index, reading) in readings.into_iter().enumerate() {
        let unit = if index % 2 == 0 { "V" } else { "Ohm" };
        assert_eq!(reading.wait().unwrap().unit, unit);
    }
    assert_eq!(multimeter.query("SYST:ERR?").wait().unwrap(), "+0,\"No error\"");
}

#[test]
fn an_error_of_the_multimeter_is_told_and_the_next_request_has_its_own_answer() {
    let laboratory = Laboratory::ours(Tls::Disabled);
    let multimeter = multimeter(&laboratory, Duration::from_millis(100));

    let error = multimeter.voltage(5000.0).wait().unwrap_err();
    assert_eq!(error.message(), "ScpiError: -222,\"Data out of range\"");
    let error = multimeter.query("*IDN?\n*RST").wait().unwrap_err();
    assert_eq!(error.message(), "ValueError: a command is one line");
    let error = multimeter.read().wait().unwrap_err();
    assert_eq!(error.exception(), Some("TimeoutError"), "nothing was asked: {error}");

    assert_eq!(multimeter.voltage(None).wait().unwrap().unit, "V");
}

#[test]
fn a_multimeter_that_is_not_there_is_a_connection_error() {
    let laboratory = Laboratory::ours(Tls::Disabled);
    let nobody = DigitalMultimeter::new("/dev/no-such-port", PATIENCE);
    laboratory.start(nobody).wait().unwrap();

    let multimeter = DigitalMultimeterClient::from(laboratory.link("Ann", "Hewlett Packard 34401A"));

    let error = multimeter.voltage(None).wait().unwrap_err();
    assert_eq!(error.exception(), Some("ConnectionError"));
    assert!(error.message().contains("/dev/no-such-port"), "{error}");
}
