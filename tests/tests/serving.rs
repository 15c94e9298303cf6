//! What a Manager withstands on either runtime: a thread that is held up, a host that panics, too few file descriptors, and a
//! program that drops it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::future::pending;
use std::sync::{Arc, mpsc};
use std::thread;

use msl_network_protocol::connection::Action;
use msl_network_protocol::drive::{Caller, Host};
use msl_network_protocol::limits::Limits;
use msl_network_protocol::settings::{Authentication, ManagerIdentity, Settings};
use msl_network_tests::accounts::Accounts;
use msl_network_tests::peer::Peer;
use msl_network_tests::program::{self, Program};
use msl_network_tests::setup::{Runtime, Setup, Tls};
use msl_network_tests::{Served, eventually, every_runtime};
use msl_network_tokio::{Listener, Manager};
use rustix::process::Resource;
use serde_json::json;
use smol::channel;
use smol::future::or;

every_runtime! {
    what_else_is_done_where_a_manager_is_awaited_holds_nobody_up
    a_panic_costs_one_connection
    a_manager_that_is_dropped_ends_its_connections_and_accepts_no_more
    accepting_goes_on_when_there_are_file_descriptors_again
    devices_that_wait_for_file_descriptors_are_ended_in_order_at_shutdown
}

/// Panics for devices whose name begins with `Clumsy`, at everything they do, their end included.
struct Clumsy(Accounts);

impl Host for Clumsy {
    fn act(&self, caller: Caller<'_>, action: Action) {
        assert!(!caller.to_string().starts_with("Clumsy"), "{action:?}");
        self.0.act(caller, action);
    }
}

fn listen() -> (Listener, Arc<Manager>) {
    let listener = smol::block_on(Listener::bind(Some("127.0.0.1"), 0)).expect("some port is free");
    let (hostname, language, os) = (program::host_name(), "Rust".to_owned(), "any".to_owned());
    let identity = ManagerIdentity { hostname, port: listener.port(), language, os };
    let settings = Settings::new(identity, Authentication::None, Limits::default());
    let accounts = Accounts { password: None, host: Some(program::host_name()) };
    (listener, Manager::new(settings, Box::new(Clumsy(accounts))))
}

fn client(port: u16, name: &str) -> Peer {
    let mut peer = Peer::open(port);
    peer.identify_client(name);
    peer
}

fn assert_is_served(client: &mut Peer) {
    assert_eq!(client.ask("Manager", "link", &json!(["Nobody"]), "1")["uid"], "1");
}

fn what_else_is_done_where_a_manager_is_awaited_holds_nobody_up(runtime: Runtime) {
    let (listener, manager) = listen();
    let port = listener.port();
    let (to_thread, held_up) = channel::bounded(1);
    let (all_served, until_all_are_served) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut first = client(port, "First");
            to_thread.send_blocking(()).unwrap();
            for number in 0..20 {
                assert_is_served(&mut first);
                assert_is_served(&mut client(port, &format!("Other {number}")));
            }
            all_served.send(()).unwrap();
        });
        let stop = async {
            held_up.recv().await.unwrap();
            // Parks the thread that awaits the Manager.
            until_all_are_served.recv().unwrap();
        };
        runtime.block_on(runtime.serve(listener, manager, None, stop));
    });
}

fn a_panic_costs_one_connection(runtime: Runtime) {
    let (listener, manager) = listen();
    let port = listener.port();
    let ending = manager.clone();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut bystander = client(port, "Bystander");
            // More of them than the runtime has threads.
            for number in 0..32 {
                let mut clumsy = Peer::open(port);
                clumsy.send(&json!({"result": {"type": "client", "name": format!("Clumsy {number}")}}));
                clumsy.expect_end_after_anything();
            }
            assert_is_served(&mut bystander);
            assert_is_served(&mut client(port, "Newcomer"));
            ending.shut_down();
            bystander.expect_end();
        });
        runtime.block_on(runtime.serve(listener, manager, None, pending()));
    });
}

fn a_manager_that_is_dropped_ends_its_connections_and_accepts_no_more(runtime: Runtime) {
    let (listener, manager) = listen();
    let port = listener.port();
    let (to_dropping, connected) = channel::bounded(1);
    let (to_end, has_ended) = channel::bounded(1);
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut client = client(port, "Ann");
            to_dropping.send_blocking(()).unwrap();
            client.expect_end();
            eventually("nobody listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
            to_end.send_blocking(()).unwrap();
        });
        runtime.block_on(async {
            let until_connected = async { connected.recv().await.unwrap() };
            or(until_connected, runtime.serve(listener, manager, None, pending())).await;
            // The runtime goes on meanwhile.
            has_ended.recv().await.unwrap();
        });
    });
}

fn accepting_goes_on_when_there_are_file_descriptors_again(runtime: Runtime) {
    let manager = Program::start(Setup { runtime, tls: Tls::Disabled }, &[]);
    let mut client = manager.client("Ann");
    // It has as many open already.
    let usual = manager.limit(Resource::Nofile, Some(4));

    let mut waiting = manager.open();
    eventually("it cannot accept", || manager.log().contains("cannot accept connections for now"));
    assert_is_served(&mut client);
    manager.limit(Resource::Nofile, usual);

    waiting.identify_client("Bob");
    assert_is_served(&mut waiting);
    let log = manager.log();
    assert_eq!(log.matches("cannot accept").count(), 1, "{log}");
}

fn devices_that_wait_for_file_descriptors_are_ended_in_order_at_shutdown(runtime: Runtime) {
    let mut manager = Program::start(Setup { runtime, tls: Tls::Disabled }, &["--shutdown", "1s"]);
    let mut client = manager.client("Ann");
    let open = fs::read_dir(format!("/proc/{}/fd", manager.id())).expect("the program runs").count();
    manager.limit(Resource::Nofile, Some(open as u64));
    let mut waiting: Vec<Peer> = (0..10).map(|_| manager.open()).collect();
    for peer in &mut waiting {
        peer.send_line("{}");
    }
    eventually("it cannot accept", || manager.log().contains("cannot accept connections for now"));

    manager.terminate();

    client.expect_end();
    drop(client);
    // There is room for a few of them at a time; some may have got in before.
    for mut peer in waiting {
        peer.expect_end_after_anything();
    }
    assert!(manager.wait().success());
}
