//! Logins and trusted computers with the program and its store: what changes while a Manager runs, what two Managers
//! share, who waits, and what is written down.

use msl_network_manager::store::Row;
use msl_network_manager::{Secret, Store};
use msl_network_tests::peer::Peer;
use msl_network_tests::program::{Program, host_name};
use msl_network_tests::setup::Setup;
use msl_network_tests::{Served, eventually, every_setup};
use serde_json::{Value, json};

// Plain: who is let in is asked within TLS as without, which `python_login.rs` shows.
every_setup! {
    plain:
    a_user_who_is_added_while_a_manager_runs_can_log_in_from_then_on
    a_user_who_is_removed_keeps_the_connection_until_an_administrator_ends_it
    computers_that_are_trusted_or_not_count_from_the_next_connection_on
    two_managers_share_one_database
    outcomes_of_handshakes_are_in_the_connections_table
    the_level_of_the_log_is_changed_while_it_runs
    a_log_for_programs_is_an_object_a_line
    the_managers_password_is_not_guessed_without_waiting
    an_administrators_password_is_not_guessed_without_waiting_either
    the_store_that_was_made_by_hand_is_the_one_that_counts
}

const WRONG_LOGIN: &str = "ValueError: Unregistered user, or Wrong login password";

fn store(program: &Program) -> Store {
    Store::open(program.database()).expect("the Manager has made it")
}

/// What the connections table says, once the Manager has ended.
fn rows(mut program: Program) -> Vec<Row> {
    program.terminate();
    assert!(program.wait().success());
    store(&program).connections().query(None, None).expect("it can be read")
}

/// Logs in; the error that comes in place of the request for the identity, if one does.
fn login(mut peer: Peer, username: &str, password: &str) -> Result<Peer, Value> {
    peer.log_in(username, password);
    let next = peer.receive();
    if next["attribute"] == "identity" {
        return Ok(peer);
    }
    peer.expect_end();
    Err(next["message"].clone())
}

fn identify(peer: &mut Peer, name: &str) {
    peer.send(&json!({"result": {"type": "client", "name": name}}));
    let identity = peer.ask("Manager", "identity", &json!([]), "identified");
    assert!(identity["result"].is_object(), "{identity}");
}

fn a_user_who_is_added_while_a_manager_runs_can_log_in_from_then_on(setup: Setup) {
    let program = Program::with_users(setup, &["--auth-login"]);
    assert_eq!(login(program.open(), "cleo", "a secret").expect_err("not yet"), WRONG_LOGIN);
    assert!(program.run(&["user", "add", "cleo", "--password", "a", "secret"]).status.success());
    login(program.open(), "cleo", "a secret").expect("from now on");
    assert!(program.run(&["user", "update", "cleo", "--password", "another"]).status.success());
    assert_eq!(login(program.open(), "cleo", "a secret").expect_err("no more"), WRONG_LOGIN);
    login(program.open(), "cleo", "another").expect("from now on");
}

fn a_user_who_is_removed_keeps_the_connection_until_an_administrator_ends_it(setup: Setup) {
    let program = Program::with_users(setup, &["--auth-login"]);
    let mut bob = login(program.open(), "bob", "builder").expect("it is right");
    identify(&mut bob, "Bob");
    assert!(program.run(&["user", "remove", "bob"]).status.success());
    assert_eq!(login(program.open(), "bob", "builder").expect_err("not again"), WRONG_LOGIN);
    let identity = bob.ask("Manager", "identity", &json!([]), "1");
    let name = identity["requester"].clone();
    assert!(identity["result"].is_object(), "still there: {identity}");

    let mut ada = login(program.open(), "ada", "engine").expect("it is right");
    identify(&mut ada, "Ada");
    assert_eq!(ada.ask("Manager", "disconnect_client", &json!([name]), "2")["result"], true);
    bob.expect_end();
    eventually("Bob is not there any more", || {
        ada.ask("Manager", "disconnect_client", &json!([name]), "3")["result"] == false
    });
}

fn computers_that_are_trusted_or_not_count_from_the_next_connection_on(setup: Setup) {
    let program = Program::start(setup, &["--auth-hostname"]);
    let hostnames = store(&program);
    let hostnames = hostnames.hostnames();
    let mut first = program.client("Ann");
    for name in hostnames.list().expect("it can be read") {
        hostnames.remove(&name, "remove").expect("it is there");
    }
    for _ in 0..6 {
        let mut refused = program.open();
        assert_eq!(refused.receive()["message"], "ValueError: 'localhost' is not a trusted hostname");
        refused.expect_end();
    }
    assert!(!program.log().contains("has failed often"), "no verdict is held back");
    assert!(first.ask("Manager", "identity", &json!([]), "1")["result"].is_object(), "who is in stays in");

    assert!(program.run(&["hostname", "add", &host_name()]).status.success());
    program.client("Bob");
}

fn two_managers_share_one_database(setup: Setup) {
    let first = Program::with_users(setup, &["--auth-login"]);
    let database = first.database();
    let path = database.to_str().expect("a temporary folder is text");
    let second = Program::start(setup, &["--auth-login", "--database", path]);
    let mut ada = login(first.open(), "ada", "engine").expect("it is right");
    identify(&mut ada, "Ada");

    let added = ada.ask("Manager", "users_table.insert", &json!(["cleo", "a secret", false]), "1");
    assert_eq!(added["error"], false, "{added}");

    for manager in [&first, &second] {
        for (name, password) in [("bob", "builder"), ("cleo", "a secret")] {
            login(manager.open(), name, password).expect("both know both");
        }
    }
}

fn outcomes_of_handshakes_are_in_the_connections_table(setup: Setup) {
    let program = Program::with_users(setup, &["--auth-login"]);
    login(program.open(), "bob", "a guess").expect_err("it is wrong");
    let mut bob = login(program.open(), "bob", "builder").expect("it is right");
    let port = bob.port();
    identify(&mut bob, "Bob");
    let mut nameless = login(program.open(), "ada", "engine").expect("it is right");
    nameless.send(&json!({"result": {"type": "client"}}));
    nameless.receive();
    nameless.expect_end();
    drop(program.open());
    bob.send(&json!({"service": "Bob", "attribute": "__disconnect__"}));
    bob.expect_end();
    eventually("the one that left without a word is noticed", || {
        program.log().contains("it closed the connection")
    });

    let rows = rows(program);
    let found = |message: &str| {
        let found: Vec<&Row> = rows.iter().filter(|row| row.message == message).collect();
        let [row] = found[..] else { panic!("{message}: {rows:?}") };
        assert_eq!((&*row.ip_address, &*row.domain), ("127.0.0.1", &*host_name()));
        row
    };
    // Who fails may have typed the password where the name belongs: neither is kept.
    assert_eq!(found("rejected: wrong login password, or unregistered user").user, None);
    assert_eq!(found("rejected: invalid identity").user.as_deref(), Some("ada"));
    assert_eq!(found("connection closed prematurely").user, None);
    let connected = found("connected as a client");
    assert_eq!((connected.user.as_deref(), connected.port), (Some("bob"), port));
    assert_eq!(found("disconnected").port, port);
}

fn the_level_of_the_log_is_changed_while_it_runs(setup: Setup) {
    let program = Program::with_users(setup, &["--auth-login"]);
    let mut ada = login(program.open(), "ada", "engine").expect("it is right");
    identify(&mut ada, "Ada");
    assert!(!program.log().contains("[DEBUG]"));
    assert_eq!(ada.ask("Manager", "set_logging_level", &json!(["DEBUG"]), "1")["result"], true);
    ada.ask("Manager", "identity", &json!([]), "2");
    eventually("a line of that level", || program.log().contains("[DEBUG] msl.network - Ada["));
}

fn a_log_for_programs_is_an_object_a_line(setup: Setup) {
    let mut program = Program::start(setup, &["--log-format", "json"]);
    drop(program.client("Ann \"A\""));
    program.terminate();
    assert!(program.wait().success());
    for line in program.log().lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(event["logger"], "msl.network");
        assert!(event["time"].is_string() && event["level"].is_string() && event["message"].is_string());
    }
}

fn the_managers_password_is_not_guessed_without_waiting(setup: Setup) {
    let program = Program::start(setup, &["--auth-password", "the", "secret"]);
    for guess in ["the secre", "The secret", "thesecret", "secret"] {
        let mut peer = program.open();
        assert_eq!(peer.receive()["attribute"], "password");
        peer.send_line(guess);
        assert_eq!(peer.receive()["message"], "ValueError: Wrong Manager password");
        peer.expect_end();
    }
    assert!(program.log().contains("127.0.0.1 has failed often: it gets the verdict in 250ms"));
    let mut peer = program.open();
    assert_eq!(peer.receive()["attribute"], "password");
    peer.send_line("the secret");
    peer.identify_client("Ann");
}

fn an_administrators_password_is_not_guessed_without_waiting_either(setup: Setup) {
    let program = Program::with_users(setup, &[]);
    let (mut eve, mut ann) = (program.client("Eve"), program.client("Ann"));
    for guess in ["engin", "Engine", "engines", "motor"] {
        eve.request("Manager", "users_table.users", &json!([]), "who");
        eve.log_in("ada", guess);
        assert_eq!(eve.receive()["message"], WRONG_LOGIN);
    }
    assert!(program.log().contains("127.0.0.1 has failed often: it gets the verdict in 250ms"));

    // It costs verdicts their time, and nothing else: the session goes on, and so do the others.
    for client in [&mut eve, &mut ann] {
        assert_eq!(client.ask("Manager", "identity", &json!([]), "who is there")["error"], false);
    }
    ann.request("Manager", "users_table.usernames", &json!([]), "who");
    ann.log_in("ada", "engine");
    assert_eq!(ann.receive()["result"], json!(["ada", "bob"]));
}

fn the_store_that_was_made_by_hand_is_the_one_that_counts(setup: Setup) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("below").join("lab.redb");
    let made = Store::open(&path).expect("it can be made");
    made.users().insert("eve", &Secret::new("apple"), true).expect("it can be written");
    let path = path.to_str().expect("a temporary folder is text");
    let program = Program::start(setup, &["--auth-login", "--database", path]);
    login(program.open(), "eve", "apple").expect("it is right");
}

/// These need more than one address of this computer, or what its system tells of a reset.
#[cfg(target_os = "linux")]
mod on_linux {
    use std::fs::File;
    use std::net::{Ipv4Addr, SocketAddr, TcpStream};
    use std::time::Duration;

    use socket2::{Domain, SockRef, Socket, Type};

    use super::*;

    every_setup! {
        plain:
        many_wrong_passwords_from_one_address_hold_up_nobody_else
        passwords_of_connections_that_were_reset_are_not_checked
    }

    /// A connection from another of the addresses that this computer has for itself.
    fn open_from(program: &Program, address: Ipv4Addr) -> Peer {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket can be made");
        socket.bind(&SocketAddr::from((address, 0)).into()).expect("a loopback address can be used");
        socket
            .connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, program.port())).into())
            .expect("the Manager listens");
        Peer::on(TcpStream::from(socket))
    }

    fn many_wrong_passwords_from_one_address_hold_up_nobody_else(setup: Setup) {
        let program = Program::with_users(setup, &["--auth-login"]);
        let stranger = Ipv4Addr::new(127, 0, 0, 9);
        let mut strangers: Vec<Peer> = (0..40).map(|_| open_from(&program, stranger)).collect();
        for peer in &mut strangers {
            peer.log_in("ada", "a guess");
        }
        // The last of them has to wait by now.
        eventually("somebody waits", || program.log().contains("127.0.0.9 has failed often"));

        let mut bob = login(program.open(), "bob", "builder").expect("it is right");
        identify(&mut bob, "Bob");

        for mut peer in strangers {
            assert_eq!(peer.receive()["message"], WRONG_LOGIN);
            peer.expect_end();
        }
        let log = program.log();
        let bob_is_in = log.find("Bob[").expect("a line says so");
        let last_verdict = log.rfind("was refused: ").expect("a line says so");
        assert!(bob_is_in < last_verdict, "Bob waited for the strangers:\n{log}");
    }

    fn passwords_of_connections_that_were_reset_are_not_checked(setup: Setup) {
        let program = Program::with_users(setup, &["--auth-login"]);
        // No check gets further than to the database.
        let database = File::open(program.database()).expect("the Manager has made it");
        database.lock().expect("nobody works with it");
        let count = 60;
        let mut strangers: Vec<Peer> = (0..count).map(|_| program.open()).collect();
        for peer in &mut strangers {
            peer.log_in("ada", "a guess");
        }
        strangers[count - 1].expect_quiet();
        for peer in strangers {
            SockRef::from(peer.stream()).set_linger(Some(Duration::ZERO)).expect("a socket can be set");
        }
        let closed = |log: &str| log.matches("it closed the connection").count();
        eventually("the Manager sees that they have gone", || closed(&program.log()) == count);

        database.unlock().expect("it is locked");
        login(program.open(), "bob", "builder").expect("it is right");

        // Those that had begun are finished: as many as may run at once, half as many as there are cores.
        let delayed = program.log().matches("127.0.0.1 has failed often").count();
        assert!(delayed < count / 2, "{delayed} checks that nobody waited for:\n{}", program.log());
    }
}
