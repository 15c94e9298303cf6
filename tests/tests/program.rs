//! The program `msl-network start` as a whole: how it ends, what it refuses, and what it says where a device and a port
//! do not agree about TLS.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use msl_network_tests::peer::Peer;
use msl_network_tests::program::{self, Program};
use msl_network_tests::python::{Script, assert_error};
use msl_network_tests::setup::Setup;
use msl_network_tests::{Served, eventually, every_setup};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

every_setup! {
    a_signal_ends_it_in_order_and_with_success
}

every_setup! {
    plain:
    a_device_that_speaks_tls_on_a_plain_port_is_ended_and_logged
}

every_setup! {
    tls:
    a_device_that_speaks_plain_text_on_a_tls_port_is_ended_and_logged
    python_accepts_the_default_certificate_for_every_name_of_this_computer
}

fn a_signal_ends_it_in_order_and_with_success(setup: Setup) {
    for signal in [Program::interrupt, Program::terminate] {
        let mut program = Program::start(setup, &[]);
        // Over TLS this one has not even begun its handshake.
        let mut device = Peer::open(program.port());

        signal(&program);

        device.expect_end_after_anything();
        drop(device);
        assert!(program.wait().success(), "{}", program.log());
    }
}

#[test]
fn a_port_in_use_is_an_error_that_names_it() {
    let other = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("some port is free");
    let port = other.local_addr().expect("it is bound").port();

    let (status, log) = Program::fail_to_start(port);

    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains(&format!(":{port}")) && log.contains("in use"), "{log}");
    assert!(log.contains("ERROR"), "{log}");
    assert!(!log.contains("running on"), "{log}");
}

fn a_device_that_speaks_tls_on_a_plain_port_is_ended_and_logged(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut device = program.open();

    device.send_bytes(&tls_hello());

    device.expect_end_after_anything();
    eventually("a log line", || program.log().contains("it speaks TLS, but TLS is disabled on this port"));
    program.client("Ann");
}

fn a_device_that_speaks_plain_text_on_a_tls_port_is_ended_and_logged(setup: Setup) {
    let program = Program::start(setup, &[]);
    for text in
        ["client Ann\r\n", "{\"result\": {\"type\": \"client\", \"name\": \"Ann\"}}\r\n", "\r\n\r\n\r\n"]
    {
        let mut device = Peer::open(program.port());
        device.send_bytes(text.as_bytes());
        device.expect_end_after_anything();
        let line = format!("{} does not speak TLS, which is enabled on this port", device.port());
        eventually("a log line", || program.log().contains(&line));
    }
    drop(Peer::open_tls(program.port(), &program.certificate().expect("it has TLS")));
}

fn python_accepts_the_default_certificate_for_every_name_of_this_computer(setup: Setup) {
    let program = Program::start(setup, &[]);
    let host_name = program::host_name();
    let names = ["localhost", &host_name, "127.0.0.1", "::1"];

    let facts = Script::run("certificate.py", &program, &names);

    let accepted = facts.all("accepted");
    // ::1 only where this computer has IPv6.
    assert!(accepted.len() >= 3, "{accepted:?}");
    for fact in accepted {
        assert_eq!(fact["version"], "TLSv1.3");
        assert!(
            fact["line"].as_str().is_some_and(|line| line.contains(r#""attribute": "identity""#)),
            "{fact}"
        );
    }
    assert_error(facts.one("another name"), "SSLCertVerificationError", &["Hostname mismatch"]);
}

/// The first bytes that a TLS client sends.
fn tls_hello() -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("it is a name");
    let mut session = ClientConnection::new(Arc::new(config), name).expect("the configuration is complete");
    let mut hello = Vec::new();
    session.write_tls(&mut hello).expect("a list of bytes takes everything");
    hello
}
