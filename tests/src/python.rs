//! The Python package `msl-network` of the Python Package Index: devices that nobody of this project wrote, and that do not change.
//!
//! The first test that needs it makes a virtual environment in the target folder; all others, in this and in later runs,
//! use the same one. It needs the internet once. Scripts are in `tests/python`; each prints facts, a line of JSON each.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::Served;
use crate::process::Process;

/// The release that the tests are about.
const PACKAGE: &str = "msl-network==1.0.0";

/// How long a script may run.
const SCRIPT_PATIENCE: Duration = Duration::from_secs(60);

/// A running script of `tests/python`.
#[derive(Debug)]
pub struct Script {
    process: Process,
    /// Kept until the script has ended.
    _home: TempDir,
}

impl Script {
    /// Starts a script that talks to `manager`, with further arguments of its own.
    pub fn start(name: &str, manager: &impl Served, args: &[&str]) -> Self {
        let certificate = manager.certificate().unwrap_or_else(|| PathBuf::from("-"));
        let certificate = certificate.to_str().expect("temporary folders have plain names").to_owned();
        let port = manager.port().to_string();
        Self::spawn(name, &[&["localhost", &port, &certificate], args].concat())
    }

    /// Runs a script that needs no Manager to its end, which must be a success, and returns what it found.
    pub fn run_alone(name: &str, args: &[&str]) -> Facts {
        Self::spawn(name, &[&["localhost", "0", "-"], args].concat()).finish()
    }

    fn spawn(name: &str, args: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let mut command = Command::new(interpreter());
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name));
        command.args(args);
        command.env("HOME", home.path()).env("MSL_NETWORK_HOME", home.path()).env_remove("SUDO_USER");
        command.env("PYTHONUNBUFFERED", "1").env("PYTHONDONTWRITEBYTECODE", "1");
        Self { process: Process::spawn(name, command), _home: home }
    }

    /// Runs a script to its end, which must be a success, and returns what it found.
    pub fn run(name: &str, manager: &impl Served, args: &[&str]) -> Facts {
        Self::start(name, manager, args).finish()
    }

    /// Waits for the fact of that name.
    pub fn wait_for(&self, name: &str) -> Value {
        self.process.wait_for(name, |line| fact(line).filter(|fact| fact["fact"] == name))
    }

    /// Waits until `count` facts of that name have been printed.
    pub fn wait_for_many(&self, name: &str, count: usize) {
        let mut left = count;
        self.process.wait_for(&format!("{count} × {name}"), |line| {
            left -= usize::from(fact(line).is_some_and(|fact| fact["fact"] == name));
            (left == 0).then_some(())
        });
    }

    /// Waits for the end of the script, which must be a success, and returns what it found.
    pub fn finish(mut self) -> Facts {
        let status = self.process.wait(SCRIPT_PATIENCE);
        assert!(status.success(), "{status}:\n{}", self.process.log());
        Facts(self.process.lines().iter().filter_map(|line| fact(line)).collect())
    }

    /// The process that runs it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// What a script found, in the order of its finding.
#[derive(Debug)]
pub struct Facts(Vec<Value>);

impl Facts {
    /// The fact of that name; there must be exactly one.
    pub fn one(&self, name: &str) -> &Value {
        match self.all(name).as_slice() {
            [fact] => fact,
            other => panic!("{} facts named {name} in {self:?}", other.len()),
        }
    }

    /// All facts of that name.
    pub fn all(&self, name: &str) -> Vec<&Value> {
        self.0.iter().filter(|fact| fact["fact"] == name).collect()
    }
}

/// Checks an exception that a script caught: its class, and parts of its text.
pub fn assert_error(error: &Value, kind: &str, texts: &[&str]) {
    assert_eq!(error["kind"], kind, "{error}");
    let text = error["text"].as_str().expect("an error has a text");
    for part in texts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

/// A script's line is a fact if it is an object with the member `fact`; the package prints lines of its own too.
fn fact(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok().filter(|value: &Value| value["fact"].is_string())
}

/// The interpreter of the environment that has the package.
pub fn interpreter() -> &'static Path {
    static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();
    INTERPRETER.get_or_init(|| {
        let folder = target_folder().join("python");
        fs::create_dir_all(&folder).expect("the target folder can be written to");
        // Other test processes may want the same at this moment.
        let lock = File::create(folder.join("lock")).expect("the target folder can be written to");
        lock.lock().expect("a file can be locked");
        let environment = folder.join("environment");
        let complete = folder.join("complete");
        if fs::read_to_string(&complete).ok().as_deref() != Some(PACKAGE) {
            make_environment(&environment);
            fs::write(&complete, PACKAGE).expect("the target folder can be written to");
        }
        environment.join("bin").join("python")
    })
}

fn make_environment(environment: &Path) {
    // What is there was not completed.
    let _ = fs::remove_dir_all(environment);
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(environment));
    assert!(made.status.success(), "python3 cannot make a virtual environment: {}", text(&made));
    let install = || {
        run(Command::new(environment.join("bin/python")).args(["-m", "pip", "install", "--quiet", PACKAGE]))
    };
    let mut installed = install();
    if !installed.status.success() {
        installed = install();
    }
    assert!(
        installed.status.success(),
        "cannot install {PACKAGE} from PyPI, which these tests need once. Is this machine on the internet?\n{}",
        text(&installed)
    );
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"))
}

fn text(output: &Output) -> String {
    [output.stdout.as_slice(), output.stderr.as_slice()]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .concat()
}

/// The folder for what tests keep: `tmp` beside the profile's folder. A test stands in `deps` there, a program does not.
fn target_folder() -> PathBuf {
    let program = std::env::current_exe().expect("a process knows its program");
    let folder = program.parent().expect("a program is in a folder");
    let profile = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
    profile.and_then(Path::parent).expect("a program is in target/PROFILE").join("tmp")
}
