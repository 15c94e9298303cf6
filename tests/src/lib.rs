//! What the suites in `tests/tests` share: the program under test, devices that talk to it, and recorded conversations.
//!
//! Everything here is a test tool, so a failure is a panic with a text that says what was expected and what came.
//! Nothing waits for a fixed time to let things settle: every wait is for an event, and has a deadline.

// A test tool fails by panicking: that is what its callers want.
#![allow(clippy::missing_errors_doc)]

pub mod accounts;
pub mod bystanders;
mod channel;
pub mod embedded;
pub mod faults;
pub mod laboratory;
pub mod local;
pub mod peer;
pub mod process;
pub mod program;
pub mod python;
pub mod random;
pub mod services;
pub mod setup;
pub mod transcript;
pub mod workplace;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::peer::Peer;

/// How long any single awaited event may take; far more than a loaded machine needs, so that reaching it is a failure.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A Manager that devices can connect to.
pub trait Served: Sized {
    /// The name of this computer, as the Manager has it in network names.
    fn host(&self) -> String {
        program::host_name()
    }

    /// The port that it listens on.
    fn port(&self) -> u16;

    /// The file with its certificate; none without TLS.
    fn certificate(&self) -> Option<PathBuf>;

    /// An unidentified connection, with TLS where the Manager has it.
    fn open(&self) -> Peer {
        Peer::connect(self)
    }

    /// A client that the Manager knows as `name`.
    fn client(&self, name: &str) -> Peer {
        let mut peer = self.open();
        peer.identify_client(name);
        peer
    }

    /// A service that the Manager knows as `name`.
    fn service(&self, name: &str) -> Peer {
        let mut peer = self.open();
        peer.identify_service(name);
        peer
    }
}

/// Asks again and again until `condition` holds, for what no message tells; `what` is for the failure.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
