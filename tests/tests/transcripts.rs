//! Every recorded conversation, played against the program on real sockets: as it was sent, byte by
//! byte, and cut at random.

use std::collections::BTreeSet;

use msl_network_tests::every_setup;
use msl_network_tests::program::Program;
use msl_network_tests::random::Random;
use msl_network_tests::setup::Setup;
use msl_network_tests::transcript::{self, Cut, Fidelity, SocketNetwork, Transcript, play};

fn play_on_sockets(setup: Setup, name: &str, cut: Cut) {
    let transcript = Transcript::load(name);
    println!("{}", transcript.why);
    let flags: Vec<&str> = transcript.manager.iter().map(String::as_str).collect();
    let program = if transcript.needs_login() {
        Program::with_users(setup, &flags)
    } else {
        Program::start(setup, &flags)
    };
    let other_manager = std::env::var_os("MSL_TEST_MANAGER").is_some();
    let fidelity = if other_manager { Fidelity::Recorded } else { Fidelity::Departing };
    play(&transcript, &mut SocketNetwork::new(&program, &transcript), cut, fidelity);
}

macro_rules! transcripts {
    ($($test:ident: $name:literal,)*) => {
        const PLAYED: &[&str] = &[$($name),*];

        $(mod $test {
            use super::*;

            every_setup! {
                whole
            }

            // Within TLS the cuts are those of its records, whatever is written.
            every_setup! {
                plain:
                byte_by_byte
                cut_at_random
            }

            fn whole(setup: Setup) {
                play_on_sockets(setup, $name, Cut::Whole);
            }

            fn byte_by_byte(setup: Setup) {
                play_on_sockets(setup, $name, Cut::Bytes);
            }

            fn cut_at_random(setup: Setup) {
                for seed in 1..=2 {
                    play_on_sockets(setup, $name, Cut::Random(Random::new(seed)));
                }
            }
        })*
    };
}

transcripts! {
    admin_request: "admin-request",
    auth_login: "auth-login",
    auth_login_refused: "auth-login-refused",
    auth_password: "auth-password",
    auth_password_wrong: "auth-password-wrong",
    disconnect: "disconnect",
    handshake_members_ignored: "handshake-members-ignored",
    identity: "identity",
    identity_refused: "identity-refused",
    line_endings: "line-endings",
    link_errors: "link-errors",
    lock_exclusive: "lock-exclusive",
    lock_freed_by_disconnect: "lock-freed-by-disconnect",
    max_clients: "max-clients",
    notification: "notification",
    numbers_survive: "numbers-survive",
    quoted_service_name: "quoted-service-name",
    request_reply: "request-reply",
    service_leaves: "service-leaves",
    terminal: "terminal",
    terminal_identity: "terminal-identity",
    type_is_case_insensitive: "type-is-case-insensitive",
    unknown_service: "unknown-service",
}

#[test]
fn every_transcript_is_played() {
    let played: BTreeSet<String> = PLAYED.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(transcript::names(), played);
}
