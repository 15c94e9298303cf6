//! What is particular to smol: which threads run what, and what happens on them.

use std::env;
use std::future::pending;
use std::process::Command;
use std::time::Duration;

use msl_network_smol::{ErrorKind, Listener, Service, ServiceError, connect, run_services, start};
use msl_network_tests::accounts::manager;
use msl_network_tests::laboratory::Laboratory;
use msl_network_tests::process::Process;
use msl_network_tests::setup::{Runtime, Setup, Tls};
use msl_network_tests::{PATIENCE, Served, services};
use serde_json::Value;

fn laboratory() -> Laboratory {
    Laboratory::on(Setup { runtime: Runtime::Smol, tls: Tls::Disabled }, Runtime::Smol)
}

#[test]
fn a_connection_can_be_awaited_on_any_executor_and_waited_for_beside_it() {
    let mut laboratory = laboratory();
    laboratory.serve("Echo");
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(async {
        let echo = laboratory.connect("Ann").linked("Echo").await.unwrap();
        let call = executor.spawn(echo.call_raw("echo", (1,)));
        assert_eq!(call.await, Ok("[[1],{}]".to_owned()));
        // It holds up nothing that the answer needs.
        assert_eq!(echo.call_raw("echo", (2,)).wait(), Ok("[[2],{}]".to_owned()));
    }));
}

#[test]
fn an_asynchronous_method_sleeps_with_smol_and_may_not_park_the_thread_of_the_connections() {
    let laboratory = laboratory();
    let ann = laboratory.connect("Ann").wait().unwrap();
    let service = Service::new("Impatient").async_method("wait", "()", move |_, _| {
        let ann = ann.clone();
        async move {
            smol::Timer::after(Duration::from_millis(1)).await;
            let refused = ann.identities().wait().unwrap_err();
            Ok::<_, ServiceError>((refused.kind() == ErrorKind::Invalid, ann.identities().await.is_ok()))
        }
    });
    laboratory.start(service).wait().unwrap();

    let said = laboratory.link("Bob", "Impatient").call::<(bool, bool)>("wait", ()).wait();

    assert_eq!(said, Ok((true, true)));
}

#[test]
fn a_method_that_blocks_may_wait_for_calls_of_its_own() {
    let mut laboratory = laboratory();
    laboratory.serve("Echo");
    let echo = laboratory.link("Ann", "Echo");
    let service = Service::new("Relay").method("ask", "()", move |_, _| {
        Ok::<_, ServiceError>(echo.call::<Value>("echo", (1,)).wait().is_ok())
    });
    laboratory.start(service).wait().unwrap();

    assert_eq!(laboratory.link("Bob", "Relay").call::<bool>("ask", ()).wait(), Ok(true));
}

#[test]
fn a_manager_with_services_ends_with_the_last_of_them() {
    smol::block_on(async {
        let listener = Listener::bind(Some("127.0.0.1"), 0).await.unwrap();
        let address = ("127.0.0.1", listener.port());
        let service = start(services::named("Stoppable"), address).disable_tls();
        let together = smol::spawn(run_services(listener, manager(address.1), None, [service], pending()));
        let ann = connect(address).disable_tls().linked("Stoppable").await.unwrap();

        ann.shutdown_service::<Value>(()).await.unwrap();

        assert_eq!(together.await, Ok(()));
        assert_eq!(ann.client().ended().await.kind(), ErrorKind::Disconnected);
    });
}

#[test]
fn a_manager_whose_services_cannot_start_ends_and_says_why() {
    let error = smol::block_on(async {
        let listener = Listener::bind(Some("127.0.0.1"), 0).await.unwrap();
        let address = ("127.0.0.1", listener.port());
        let twice = ["Single", "Single"].map(|name| start(services::named(name), address).disable_tls());
        run_services(listener, manager(address.1), None, twice, pending()).await.unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}

/// The program of the next test.
#[test]
#[ignore = "another test runs it as a program of its own"]
fn a_program_that_is_a_service() {
    let port: u16 = env::var("PORT_OF_MANAGER").unwrap().parse().unwrap();
    let outcome = start(services::named("Single"), ("localhost", port)).disable_tls().run();
    println!("it ended with {outcome:?}");
}

#[test]
fn a_program_that_is_a_service_ends_in_order_when_it_is_told_to() {
    let mut laboratory = laboratory();
    let by: [fn(&Process); 2] = [Process::interrupt, Process::terminate];
    for end in by {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "a_program_that_is_a_service", "--ignored", "--nocapture"]);
        command.env("PORT_OF_MANAGER", laboratory.manager().port().to_string());
        let mut program = Process::spawn("a service", command);
        assert_eq!(laboratory.link("Ann", "Single").call::<i64>("value", ()).wait(), Ok(7));

        end(&program);

        program.wait_for("its last words", |line| line.contains("it ended with Ok(())").then_some(()));
        assert!(program.wait(PATIENCE).success());
    }
}
