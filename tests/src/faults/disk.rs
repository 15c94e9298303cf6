//! A disk that takes no more, as far as a Manager can tell: none of its files may grow beyond a size (`RLIMIT_FSIZE`).
//!
//! Where that size lies in the middle of the store, some pages can be written and others cannot. At last the Manager is
//! killed in this state, and the store has to be sound all the same.

use std::fs;

use msl_network_manager::Store;
use rustix::process::Resource;

use super::beside::beside;
use super::{Outcome, Size};
use crate::program::Program;
use crate::setup::Setup;
use crate::{Served, eventually};

/// The devices that connect at each size: an entry each in the connections table, at least.
const DEVICES: usize = 5;

/// A warning is logged once, however often a write fails; so is its end.
const FAILS: &str = "the connections table cannot be written now";
const WORKS: &str = "the connections table can be written again";

pub(super) fn full(setup: Setup, size: Size) -> Outcome {
    let mut manager = Program::start_with_failing_writes(setup);
    let mut ports = Vec::new();
    let sizes: &[u64] = size.of(&[4096], &[0, 4096, 64 * 1024, 512 * 1024, 1024 * 1024]);
    let outcome = beside(&manager, size, |_| {
        let mut failures = 0;
        for file_size in sizes {
            let usual = manager.limit(Resource::Fsize, Some(*file_size));
            let connected = connect(&manager, &ports);
            ports.extend(connected);
            // Without a failure there was room for the entries; the log on the console, which is no file, tells.
            let written = || manager.log().matches(FAILS).count() > failures || are_stored(&manager, &ports);
            eventually("the entries are written, or cannot be", written);
            failures = manager.log().matches(FAILS).count();
            manager.limit(Resource::Fsize, usual);
            eventually("they are written then", || {
                manager.log().matches(WORKS).count() == failures && are_stored(&manager, &ports)
            });
        }
        eventually("the log file goes on", || log_file(&manager).matches(WORKS).count() == failures);
        manager.limit(Resource::Fsize, Some(sizes[0]));
        connect(&manager, &ports);
        (
            format!("files of at most {sizes:?} bytes"),
            format!(
                "writing failed {failures} times; every entry is there afterwards; killed meanwhile, the store is sound"
            ),
        )
    });
    manager.kill();
    // Opened, the whole file is looked at.
    assert!(are_stored(&manager, &ports), "entries are missing");
    outcome
}

/// Devices connect, work and leave; returns their ports.
fn connect(manager: &Program, others: &[u16]) -> Vec<u16> {
    (0..DEVICES).map(|number| manager.client(&format!("Device {}", others.len() + number)).port()).collect()
}

/// Whether the connections table knows of all these.
fn are_stored(manager: &Program, ports: &[u16]) -> bool {
    let store = Store::open(manager.database()).expect("the store is sound");
    let rows = store.connections().query(None, None).expect("it can be read");
    ports.iter().all(|port| rows.iter().any(|row| row.port == *port))
}

fn log_file(manager: &Program) -> String {
    let mut files = fs::read_dir(manager.home().join("logs")).expect("there are logs");
    let file = files.next().expect("there is a log").expect("the folder can be read");
    fs::read_to_string(file.path()).expect("it is text")
}
