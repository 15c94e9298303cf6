//! The program under test: `msl-network start` on a free port, with a home folder of its own.
//!
//! `MSL_TEST_MANAGER=COMMAND` puts another program in its place, e.g. the Python Manager; a suite is first tried out so.
//! That program is not expected to know port 0, so a port that was free a moment ago is given to it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::Process;
use crate::python::interpreter;
use crate::setup::Setup;
pub use crate::setup::Tls;
use crate::{PATIENCE, Served};

/// A running Manager, killed at the end of the test.
#[derive(Debug)]
pub struct Program {
    process: Process,
    home: TempDir,
    port: u16,
    setup: Setup,
}

impl Program {
    /// Starts the program and returns once it listens.
    pub fn start(setup: impl Into<Setup>, flags: &[&str]) -> Self {
        Self::start_at(tempfile::tempdir().expect("a temporary folder can be made"), setup.into(), flags)
    }

    /// Starts the program with the users of the transcripts: `ada` with the password `engine`, an administrator, and `bob`
    /// with `builder`, who is none.
    pub fn with_users(setup: impl Into<Setup>, flags: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        for words in
            [&["add", "ada", "--admin", "--password", "engine"][..], &["add", "bob", "--password", "builder"]]
        {
            let mut command = tested();
            command.arg("user").args(words);
            let output = at_home(&mut command, home.path()).output().expect("the program can be run");
            assert!(output.status.success(), "{output:?}");
        }
        Self::start_at(home, setup.into(), flags)
    }

    fn start_at(home: TempDir, setup: Setup, flags: &[&str]) -> Self {
        let port = if std::env::var_os("MSL_TEST_MANAGER").is_some() { free_port() } else { 0 };
        let process = spawn(&home, port, setup, flags);
        let port = process.wait_for("the line that says where it listens", listening_port);
        Self { process, home, port, setup }
    }

    /// Starts the program so that a write beyond [the limit](Self::limit) on the size of files fails, as on a full disk, and
    /// does not end it by a signal (SIGXFSZ).
    pub fn start_with_failing_writes(setup: Setup) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let mut command = Command::new("sh");
        // What is ignored stays ignored in the program that takes the shell's place.
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(built("msl-network"));
        let process = spawn_other(command, &home, 0, setup.tls, &["--runtime", setup.runtime.name()]);
        let port = process.wait_for("the line that says where it listens", listening_port);
        Self { process, home, port, setup }
    }

    /// Changes a limit on what the running program may use; returns the one before.
    pub fn limit(&self, resource: Resource, limit: Option<u64>) -> Option<u64> {
        let id = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        // As for this process, which has started it.
        let limit = Rlimit { current: limit, ..getrlimit(resource) };
        prlimit(id, resource, limit).expect("limits can be set").current
    }

    /// Ends the program without a goodbye (SIGKILL).
    pub fn kill(&mut self) {
        self.process.kill();
        self.process.wait(PATIENCE);
    }

    /// Starts the program again once it has ended, with the same port and home folder.
    pub fn revive(&mut self) {
        self.process = spawn(&self.home, self.port, self.setup, &[]);
        self.process.wait_for("the line that says where it listens", listening_port);
    }

    /// Starts the program on a port where it cannot listen; returns how it ended, and what it printed.
    pub fn fail_to_start(port: u16) -> (ExitStatus, String) {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let mut process = spawn(&home, port, Tls::Disabled.into(), &[]);
        (process.wait(PATIENCE), process.log())
    }

    /// Starts the Python package's Manager in its place.
    pub fn start_python(tls: Tls, flags: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let program = interpreter().with_file_name("msl-network");
        let process = spawn_other(Command::new(program), &home, free_port(), tls, flags);
        let port = process.wait_for("the line that says where it listens", listening_port);
        Self { process, home, port, setup: tls.into() }
    }

    /// Starts the program without TLS.
    pub fn plain(flags: &[&str]) -> Self {
        Self::start(Tls::Disabled, flags)
    }

    /// Another command of the program, as a device of this Manager: on its port and its runtime, and with its home folder,
    /// where its certificate is known.
    pub fn command(&self, words: &[&str], flags: &[&str], arguments: &[&str]) -> Command {
        let mut command = Command::new(built("msl-network"));
        command
            .args(words)
            .args(["--port", &self.port.to_string(), "--runtime", self.setup.runtime.name()])
            .args(flags)
            .args(arguments);
        if self.setup.tls == Tls::Disabled {
            command.arg("--disable-tls");
        }
        at_home(&mut command, self.home.path());
        command
    }

    /// A program of `examples/`, as a device of this Manager, which has to have TLS.
    pub fn example(&self, name: &str) -> Command {
        let mut command = Command::new(built(name));
        command.arg(format!("localhost:{}", self.port));
        at_home(&mut command, self.home.path());
        command
    }

    /// Runs another command of the program to its end, with the home folder of this Manager.
    pub fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(built("msl-network"));
        command.args(words);
        at_home(&mut command, self.home.path()).output().expect("the program can be run")
    }

    /// Its home folder.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Its database.
    pub fn database(&self) -> PathBuf {
        self.home.path().join("manager.redb")
    }

    /// Asks it to end (SIGTERM).
    pub fn terminate(&self) {
        self.process.terminate();
    }

    /// Asks it to end as a person does, with Ctrl+C (SIGINT).
    pub fn interrupt(&self) {
        self.process.interrupt();
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait(PATIENCE)
    }

    /// What it has printed so far.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

impl Served for Program {
    fn port(&self) -> u16 {
        self.port
    }

    fn certificate(&self) -> Option<PathBuf> {
        (self.setup.tls == Tls::Enabled).then(|| self.home.path().join("certs").join("localhost.crt"))
    }
}

/// This computer's name, as it stands in the addresses of devices on this computer.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_str().expect("a host name is text").to_owned()
}

/// Reads the port from `... Network Manager running on HOST:PORT (TLS ...)`.
fn listening_port(line: &str) -> Option<u16> {
    let (_, address) = line.split_once("Network Manager running on ")?;
    // It may be within a line of JSON.
    let (address, _) = address.split_once(" (TLS ")?;
    address.rsplit_once(':')?.1.parse().ok()
}

fn spawn(home: &TempDir, port: u16, setup: Setup, flags: &[&str]) -> Process {
    if let Ok(other) = std::env::var("MSL_TEST_MANAGER") {
        return spawn_other(other_command(&other), home, port, setup.tls, flags);
    }
    let flags = [flags, &["--runtime", setup.runtime.name()]].concat();
    spawn_other(Command::new(built("msl-network")), home, port, setup.tls, &flags)
}

/// The program under test.
fn tested() -> Command {
    match std::env::var("MSL_TEST_MANAGER") {
        Ok(other) => other_command(&other),
        Err(_) => Command::new(built("msl-network")),
    }
}

/// Lets a command have this home folder, and nobody to ask.
pub fn at_home<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    command.env("HOME", home).env("MSL_NETWORK_HOME", home).env_remove("SUDO_USER").stdin(Stdio::null())
}

fn spawn_other(mut command: Command, home: &TempDir, port: u16, tls: Tls, flags: &[&str]) -> Process {
    command.arg("start").args(["--port", &port.to_string()]);
    if tls == Tls::Disabled {
        command.arg("--disable-tls");
    }
    command.args(flags);
    at_home(&mut command, home.path()).env("PYTHONUNBUFFERED", "1");
    Process::spawn("msl-network", command)
}

fn other_command(words: &str) -> Command {
    let mut words = words.split_whitespace();
    let mut command = Command::new(words.next().expect("MSL_TEST_MANAGER names a program"));
    command.args(words);
    command
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
    listener.local_addr().expect("it is bound").port()
}

/// The program of that name: one of this workspace's, or one of its examples. All are built once per test process; with
/// optimisation, `msl-network` alone.
pub fn built(name: &str) -> &'static Path {
    built_programs().get(name).unwrap_or_else(|| panic!("there is no program {name}"))
}

/// The programs, by name.
pub fn built_programs() -> &'static BTreeMap<String, PathBuf> {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--workspace", "--message-format", "json-render-diagnostics"]);
        // What is measured is the program; to optimise the examples as well would take long.
        command.args(if cfg!(debug_assertions) {
            ["--bins", "--examples"]
        } else {
            ["--release", "--bin=msl-network"]
        });
        command.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit());
        let output = command.output().expect("cargo can be run");
        assert!(output.status.success(), "the programs do not build");
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter_map(|message| {
                let name = message["target"]["name"].as_str()?.to_owned();
                Some((name, PathBuf::from(message["executable"].as_str()?)))
            })
            .collect()
    })
}
