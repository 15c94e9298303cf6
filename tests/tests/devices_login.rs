//! How our devices are let in: passwords and usernames, given before or asked for, right and wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use msl_network_tests::every_setup;
use msl_network_tests::laboratory::reach;
use msl_network_tests::program::Program;
use msl_network_tests::setup::{Runtime, Setup};
use msl_network_tests::{Served, services};
use msl_network_tokio::{Connect, ErrorKind, NewClient, Prompt};

every_setup! {
    the_right_manager_password_lets_devices_in
    a_wrong_manager_password_is_refused_with_the_managers_words
    a_login_lets_devices_in
    a_wrong_login_is_refused
    a_name_that_is_taken_is_refused
    what_was_not_given_is_asked_for_and_a_person_has_more_time_than_the_network
    a_person_who_has_no_answer_ends_the_connection
    an_administrator_logs_in_in_the_middle_of_a_session
}

fn client(runtime: Runtime, manager: &impl Served) -> Connect<NewClient> {
    reach(runtime.connect(("localhost", manager.port())), manager)
}

fn with_password(setup: Setup) -> Program {
    Program::start(setup, &["--auth-password", "the secret"])
}

fn with_login(setup: Setup) -> Program {
    Program::with_users(setup, &["--auth-login"])
}

fn the_right_manager_password_lets_devices_in(setup: Setup) {
    let program = with_password(setup);
    let echo = setup.runtime.start(services::named("Echo"), ("localhost", program.port()));
    let echo = reach(echo, &program).manager_password("the secret").wait().unwrap();
    assert!(echo.is_connected());

    let ann = client(setup.runtime, &program).manager_password("the secret").wait().unwrap();

    assert_eq!(ann.identities().wait().unwrap().services.len(), 1);
    assert!(ann.spawn("Bob").wait().unwrap().is_connected(), "the password goes along");
}

fn a_wrong_manager_password_is_refused_with_the_managers_words(setup: Setup) {
    let program = with_password(setup);
    for error in [
        client(setup.runtime, &program).manager_password("a guess").wait().unwrap_err(),
        reach(setup.runtime.start(services::named("Echo"), ("localhost", program.port())), &program)
            .manager_password("a guess")
            .wait()
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(error.message(), "ValueError: Wrong Manager password");
    }
    let none = client(setup.runtime, &program).wait().unwrap_err();
    assert_eq!(none.kind(), ErrorKind::Login);
    assert!(none.message().contains("asks for its password"), "{none}");
}

fn a_login_lets_devices_in(setup: Setup) {
    let manager = with_login(setup);
    let ada = client(setup.runtime, &manager).username("ada").password("engine").wait().unwrap();
    let users: Vec<String> = ada.admin_request("users_table.usernames", ()).wait().unwrap();
    assert_eq!(users, ["ada", "bob"]);
}

fn a_wrong_login_is_refused(setup: Setup) {
    let manager = with_login(setup);
    for (username, password) in [("ada", "engin"), ("nobody", "engine")] {
        let error = client(setup.runtime, &manager).username(username).password(password).wait().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(error.message(), "ValueError: Unregistered user, or Wrong login password");
    }
}

fn a_name_that_is_taken_is_refused(setup: Setup) {
    let manager = Program::start(setup, &[]);
    let echo =
        || reach(setup.runtime.start(services::named("Echo"), ("localhost", manager.port())), &manager);
    let first = echo().wait().unwrap();
    let error = echo().wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.message().contains("Echo"), "{error}");
    assert!(first.is_connected());
}

fn what_was_not_given_is_asked_for_and_a_person_has_more_time_than_the_network(setup: Setup) {
    let manager = with_login(setup);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let questions = asked.clone();
    let patience = Duration::from_millis(500);
    let began = Instant::now();

    let client = client(setup.runtime, &manager).timeout(patience).on_prompt(move |prompt| {
        questions.lock().unwrap().push(prompt.clone());
        // A person who types: longer than the network may take.
        std::thread::sleep(patience);
        Some(if matches!(prompt, Prompt::Username { .. }) { "bob" } else { "builder" }.to_string())
    });

    assert!(client.wait().unwrap().is_connected());
    assert!(began.elapsed() > 2 * patience);
    let asked = asked.lock().unwrap();
    let [Prompt::Username { manager: name }, Prompt::Password { username }] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert!(name.starts_with("Manager["), "{name}");
    assert_eq!(username, "bob");
}

fn a_person_who_has_no_answer_ends_the_connection(setup: Setup) {
    let manager = with_login(setup);
    let error = client(setup.runtime, &manager).on_prompt(|_| None).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Login);
}

fn an_administrator_logs_in_in_the_middle_of_a_session(setup: Setup) {
    let manager = Program::with_users(setup, &[]);
    let ada = client(setup.runtime, &manager).username("ada").password("engine").wait().unwrap();
    let bob = client(setup.runtime, &manager).username("bob").password("builder").wait().unwrap();

    let users: Vec<String> = ada.admin_request("users_table.usernames", ()).wait().unwrap();
    assert_eq!(users, ["ada", "bob"]);
    let error = bob.admin_request::<Vec<String>>("users_table.usernames", ()).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Remote, "{error}");
    assert!(bob.is_connected());
}
