//! Managers of `examples/embedding`: programs of their own, with the protocol's crate in somebody else's event loop.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};

use crate::process::Process;
use crate::program::{Program, built};
use crate::setup::Setup;
use crate::{PATIENCE, Served};

/// The address that such a Manager listens on; it looks no names up.
const HOST: &str = "127.0.0.1";

/// A running example, without TLS; killed at the end of the test.
#[derive(Debug)]
pub struct Embedded {
    process: Process,
    port: u16,
}

impl Embedded {
    /// Starts the example of that name on free ports, and returns once it listens.
    pub fn start(example: &str) -> Self {
        let mut command = Command::new(built(example));
        command.args(["0", "0"]);
        let process = Process::spawn(example, command);
        let port = process.wait_for("the line that says where it listens", |line| {
            let (port, _) = line.strip_prefix(&format!("Manager[{HOST}:"))?.split_once("] is running")?;
            port.parse().ok()
        });
        Self { process, port }
    }

    /// The process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait(PATIENCE)
    }
}

impl Served for Embedded {
    fn host(&self) -> String {
        HOST.to_owned()
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn certificate(&self) -> Option<PathBuf> {
        None
    }
}

/// Which Manager a suite is for: the program, in some setup, or an example.
pub trait Start {
    /// What is started.
    type Manager: Served;

    /// Starts it.
    fn start(self) -> Self::Manager;
}

impl Start for Setup {
    type Manager = Program;

    fn start(self) -> Program {
        Program::start(self, &[])
    }
}

/// The example of that name.
impl Start for &str {
    type Manager = Embedded;

    fn start(self) -> Embedded {
        Embedded::start(self)
    }
}
