//! How our devices are let in: passwords and usernames, given before or asked for, right and wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use msl_network_tests::laboratory::reach;
use msl_network_tests::plain_and_tls;
use msl_network_tests::program::{Program, Tls};
use msl_network_tests::{Served, services};
use msl_network_tokio::{Connect, ErrorKind, NewClient, Prompt, connect, start};

plain_and_tls! {
    the_right_manager_password_lets_devices_in
    a_wrong_manager_password_is_refused_with_the_managers_words
    a_login_lets_devices_in
    a_wrong_login_is_refused
    a_name_that_is_taken_is_refused
}

fn client(manager: &impl Served) -> Connect<NewClient> {
    reach(connect(("localhost", manager.port())), manager)
}

fn with_password(tls: Tls) -> Program {
    Program::start(tls, &["--auth-password", "the secret"])
}

fn with_login(tls: Tls) -> Program {
    Program::with_users(tls, &["--auth-login"])
}

fn the_right_manager_password_lets_devices_in(tls: Tls) {
    let program = with_password(tls);
    let echo = start(services::named("Echo"), ("localhost", program.port()));
    let echo = reach(echo, &program).manager_password("the secret").wait().unwrap();
    assert!(echo.is_connected());

    let ann = client(&program).manager_password("the secret").wait().unwrap();

    assert_eq!(ann.identities().wait().unwrap().services.len(), 1);
    assert!(ann.spawn("Bob").wait().unwrap().is_connected(), "the password goes along");
}

fn a_wrong_manager_password_is_refused_with_the_managers_words(tls: Tls) {
    let program = with_password(tls);
    for error in [
        client(&program).manager_password("a guess").wait().unwrap_err(),
        reach(start(services::named("Echo"), ("localhost", program.port())), &program)
            .manager_password("a guess")
            .wait()
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(error.message(), "ValueError: Wrong Manager password");
    }
    let none = client(&program).wait().unwrap_err();
    assert_eq!(none.kind(), ErrorKind::Login);
    assert!(none.message().contains("asks for its password"), "{none}");
}

fn a_login_lets_devices_in(tls: Tls) {
    let manager = with_login(tls);
    let ada = client(&manager).username("ada").password("engine").wait().unwrap();
    let users: Vec<String> = ada.admin_request("users_table.usernames", ()).wait().unwrap();
    assert_eq!(users, ["ada", "bob"]);
}

fn a_wrong_login_is_refused(tls: Tls) {
    let manager = with_login(tls);
    for (username, password) in [("ada", "engin"), ("nobody", "engine")] {
        let error = client(&manager).username(username).password(password).wait().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(error.message(), "ValueError: Unregistered user, or Wrong login password");
    }
}

fn a_name_that_is_taken_is_refused(tls: Tls) {
    let manager = Program::start(tls, &[]);
    let echo = || reach(start(services::named("Echo"), ("localhost", manager.port())), &manager);
    let first = echo().wait().unwrap();
    let error = echo().wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.message().contains("Echo"), "{error}");
    assert!(first.is_connected());
}

#[test]
fn what_was_not_given_is_asked_for_and_a_person_has_more_time_than_the_network() {
    let manager = with_login(Tls::Disabled);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let questions = asked.clone();
    let patience = Duration::from_millis(500);
    let began = Instant::now();

    let client = client(&manager).timeout(patience).on_prompt(move |prompt| {
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

#[test]
fn a_person_who_has_no_answer_ends_the_connection() {
    let manager = with_login(Tls::Disabled);
    let error = client(&manager).on_prompt(|_| None).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Login);
}

#[test]
fn an_administrator_logs_in_in_the_middle_of_a_session() {
    let manager = Program::with_users(Tls::Disabled, &[]);
    let ada = client(&manager).username("ada").password("engine").wait().unwrap();
    let bob = client(&manager).username("bob").password("builder").wait().unwrap();

    let users: Vec<String> = ada.admin_request("users_table.usernames", ()).wait().unwrap();
    assert_eq!(users, ["ada", "bob"]);
    let error = bob.admin_request::<Vec<String>>("users_table.usernames", ()).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Remote, "{error}");
    assert!(bob.is_connected());
}
