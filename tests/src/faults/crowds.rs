//! Devices in numbers: strangers that never say who they are, devices that say nothing, devices that come and go.

use std::thread;
use std::time::Duration;

use serde_json::json;
use socket2::SockRef;

use super::beside::beside;
use super::figures::descriptors;
use super::{Outcome, Size, raise_descriptors};
use crate::peer::Peer;
use crate::program::Program;
use crate::python::Script;
use crate::setup::Setup;
use crate::{Served, eventually};

/// File descriptors of this process that are for other things than the devices of a crowd.
const RESERVED: usize = 500;

/// Threads that connect.
const THREADS: usize = 8;

/// They come from two addresses, which are this computer's, and from a program for each: one may not have enough file
/// descriptors for all. Each is ended in order when its time has passed; at full size, where that would take most of an hour, they
/// give up.
pub(super) fn unfinished_handshakes(setup: Setup, size: Size) -> Outcome {
    let count = size.of(100, 5000).min(raise_descriptors() - RESERVED);
    let flags: &[&str] = size.of(&["--first-answer", "3s"], &[]);
    let manager = Program::start(setup, flags);
    beside(&manager, size, |beside| {
        let before = descriptors(manager.id());
        let programs = ["127.0.0.2", "127.0.0.3"].map(|address| {
            let arguments = [address, &count.to_string(), size.of("waits", "gives up")];
            Script::start("strangers.py", &manager, &arguments)
        });
        for program in &programs {
            program.wait_for("there");
        }
        beside.wait_for_calls(size.of(20, 1000));
        assert_is_served(&mut manager.client("Newcomer"));

        for mut program in programs {
            program.process().end_input();
            program.finish();
        }
        eventually("all have gone", || descriptors(manager.id()) <= before);
        let end = size.of("each is ended in order, and ", "");
        (
            format!("{} connections from two programs with an address each", 2 * count),
            format!("a newcomer is served at once; {end}nothing of them stays"),
        )
    })
}

pub(super) fn idle_devices(setup: Setup, size: Size) -> Outcome {
    let count = size.of(100, 2000).min(raise_descriptors() - RESERVED);
    let manager = Program::start(setup, &[]);
    beside(&manager, size, |beside| {
        let mut devices: Vec<Peer> = (0..count)
            .map(|number| {
                let mut device = manager.open();
                enter(
                    &mut device,
                    if number % 10 == 0 { "service" } else { "client" },
                    &format!("Idle {number}"),
                );
                device
            })
            .collect();
        beside.wait_for_calls(size.of(50, 2000));
        devices.iter_mut().for_each(assert_is_served);

        drop(devices);
        expect_only_bystanders(&manager);
        (format!("{count} devices"), "all are served, and nothing of them stays".to_owned())
    })
}

pub(super) fn storm(setup: Setup, size: Size) -> Outcome {
    let count = size.of(240, 10_000);
    let manager = Program::start(setup, &[]);
    beside(&manager, size, |_| {
        thread::scope(|scope| {
            for part in 0..THREADS {
                let manager = &manager;
                scope.spawn(move || (part..count).step_by(THREADS).for_each(|number| visit(manager, number)));
            }
        });
        expect_only_bystanders(&manager);
        let way = "identified and leave, or vanish before, in mid-line, by a reset; nothing of them stays";
        (format!("{count} connections, {THREADS} at a time"), way.to_owned())
    })
}

/// A device that comes, and leaves in one way or the other.
fn visit(manager: &Program, number: usize) {
    let name = format!("Visitor {number}");
    match number / THREADS % 4 {
        0 => drop(Peer::open(manager.port())),
        1 => Peer::open(manager.port()).send_bytes(b"{\"result\": {\"type\": \"client\", "),
        2 => {
            let mut visitor = manager.open();
            enter(&mut visitor, "service", &name);
            SockRef::from(visitor.stream()).set_linger(Some(Duration::ZERO)).expect("a socket can be set");
        }
        _ => {
            let mut visitor = manager.open();
            enter(&mut visitor, "client", &name);
            visitor.send(&json!({"service": "self", "attribute": "__disconnect__"}));
            visitor.expect_end();
        }
    }
}

/// Identifies a device, and returns once the Manager knows it. (To ask for everybody's identity would cost a crowd the square of
/// its number.)
fn enter(device: &mut Peer, kind: &str, name: &str) {
    assert_eq!(device.receive()["attribute"], "identity");
    device.send(&json!({"result": {"type": kind, "name": name, "attributes": {}}}));
    assert_is_served(device);
}

/// It asks for what nobody gets, whoever asks, and gets an answer.
fn assert_is_served(device: &mut Peer) {
    assert_eq!(device.ask("Manager", "link", &json!(["Nobody"]), "known")["error"], true);
}

fn expect_only_bystanders(manager: &Program) {
    let mut observer = manager.client("Observer");
    eventually("all have gone", || {
        let identity = observer.ask("Manager", "identity", &json!([]), "who");
        let count = |kind: &str| identity["result"][kind].as_object().map(serde_json::Map::len);
        (count("clients"), count("services")) == (Some(2), Some(1))
    });
}
