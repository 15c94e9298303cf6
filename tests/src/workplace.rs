//! Commands of the program that do something and end, and the same commands of the Python package's program beside them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::laboratory::Whose;
use crate::program::built;
use crate::python::interpreter;

/// A folder in which a program runs, with its home folder in it.
#[derive(Debug)]
pub struct Workplace {
    whose: Whose,
    folder: TempDir,
}

/// What a command did. The folder's path is `FOLDER` in its texts.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The exit status.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub error: String,
}

impl Workplace {
    /// An empty folder for this program.
    pub fn new(whose: Whose) -> Self {
        Self { whose, folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    /// The program, which runs in the folder, with nobody at its terminal.
    pub fn command(&self) -> Command {
        let mut command = match self.whose {
            Whose::Ours => Command::new(built("msl-network")),
            Whose::Pythons => Command::new(interpreter().with_file_name("msl-network")),
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
            .env("HOME", self.folder.path())
            .env("MSL_NETWORK_HOME", self.path("home"))
            .env_remove("SUDO_USER");
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Runs a command to its end; words are separated by single blanks.
    pub fn run(&self, words: &str) -> Outcome {
        self.run_with(words, "")
    }

    /// The same with this on its standard input.
    pub fn run_with(&self, words: &str, input: &str) -> Outcome {
        let mut command = self.command();
        command.args(words.split(' ')).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let mut to_child = child.stdin.take().expect("it is piped");
        // One that does not read may have ended.
        let _ = to_child.write_all(input.as_bytes());
        drop(to_child);
        let output = child.wait_with_output().expect("the program ends");
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes)
                .replace(self.folder.path().to_str().expect("a path is text"), "FOLDER")
        };
        Outcome {
            status: output.status.code().expect("it ends by itself"),
            out: text(&output.stdout),
            error: text(&output.stderr),
        }
    }

    /// Runs a command that must succeed.
    pub fn succeed(&self, words: &str) -> Outcome {
        let outcome = self.run(words);
        assert_eq!(outcome.status, 0, "{words}: {outcome:?}");
        outcome
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).expect("the folder can be written to");
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Runs another program in a folder, which must succeed; returns its output.
pub fn tool(folder: &Path, program: impl AsRef<Path>, words: &[&str]) -> String {
    let program = program.as_ref();
    let output = Command::new(program)
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {words:?}: {error}", program.display());
    String::from_utf8(output.stdout).expect("it prints text")
}
