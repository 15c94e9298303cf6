//! A command of this project's program beside the same command of the Python package's, each in a home folder of its own.
//!
//! What they print is compared as a whole: ours sends errors to standard error, where the other sends them to standard
//! output. In place of the folder, of the database's name and of sizes there is a mask.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::program::{at_home, built};
use crate::python::interpreter;

/// The two programs, and a home folder for each.
#[derive(Debug)]
pub struct Beside {
    folder: TempDir,
}

/// What a program did.
#[derive(Debug)]
pub struct Outcome {
    /// Everything that it printed, masked.
    pub lines: Vec<String>,
    /// Its exit status.
    pub status: i32,
}

impl Beside {
    /// Two empty home folders.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for home in ["ours", "python"] {
            fs::create_dir(folder.path().join(home)).expect("a folder can be made");
        }
        Self { folder }
    }

    /// The home folder of our program, and that of the other.
    pub fn homes(&self) -> [PathBuf; 2] {
        ["ours", "python"].map(|home| self.folder.path().join(home))
    }

    /// Runs a command of both, with this input, and checks that they print the same. Returns our exit status.
    pub fn same(&self, words: &[&str], input: &str) -> i32 {
        let [ours, python] = self.both(words, input);
        assert_eq!(ours.lines, python.lines, "{words:?}");
        ours.status
    }

    /// Runs a command of both, with this input.
    pub fn both(&self, words: &[&str], input: &str) -> [Outcome; 2] {
        let [our_home, python_home] = self.homes();
        let ours = run(Command::new(built("msl-network")), &our_home, words, input);
        let python =
            run(Command::new(interpreter().with_file_name("msl-network")), &python_home, words, input);
        [ours, python]
    }
}

impl Default for Beside {
    fn default() -> Self {
        Self::new()
    }
}

fn run(mut command: Command, home: &Path, words: &[&str], input: &str) -> Outcome {
    at_home(command.args(words), home).current_dir(home).env("PYTHONUNBUFFERED", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program can be started");
    let mut to_child = child.stdin.take().expect("it is piped");
    // A program that asks for nothing may have ended.
    let _ = to_child.write_all(input.as_bytes());
    drop(to_child);
    let output = child.wait_with_output().expect("the program ends");
    Outcome { lines: lines(&output, home), status: output.status.code().expect("no signal has ended it") }
}

fn lines(output: &Output, home: &Path) -> Vec<String> {
    let home = home.to_str().expect("a temporary folder is text");
    [&output.stdout, &output.stderr]
        .iter()
        .flat_map(|bytes| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>())
        // The Python program does not warn of anything.
        .filter(|line| !line.starts_with("Warning: "))
        .map(|line| {
            let line = line.replace(home, "HOME").replace("manager.redb", "DATABASE");
            let line = line.replace("manager.sqlite3", "DATABASE");
            match line.split_once("DATABASE [") {
                Some((before, _)) => format!("{before}DATABASE [SIZE]"),
                None => line,
            }
        })
        .collect()
}
