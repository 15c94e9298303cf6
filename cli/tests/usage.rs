//! The program from outside: what it prints and how it ends when it cannot do what was asked for.

#![allow(clippy::unwrap_used, reason = "everything in this file is a test or serves one")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A home folder of its own for each test.
struct World {
    folder: tempfile::TempDir,
}

struct Outcome {
    status: i32,
    out: String,
    error: String,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_msl-network"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("MSL_NETWORK_HOME", self.home())
            .output()
            .unwrap();
        Outcome {
            status: status.code().unwrap(),
            out: String::from_utf8(stdout).unwrap(),
            error: String::from_utf8(stderr).unwrap(),
        }
    }

    /// Runs a `start` that must fail, and returns what it says on standard error.
    fn failure(&self, arguments: &[&str]) -> String {
        let outcome = self.run(&[&["start"], arguments].concat());
        assert_eq!(outcome.status, 1, "{}", outcome.error);
        // Scripts look for this in what is printed.
        assert!(
            outcome.out.contains("[ERROR] msl.network - ") || outcome.error.contains("Error:"),
            "{}{}",
            outcome.out,
            outcome.error
        );
        outcome.error.trim_end().to_owned()
    }
}

fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    file.clone()
}

#[test]
fn without_arguments_it_prints_the_help() {
    let outcome = World::new().run(&[]);
    assert_eq!((outcome.status, outcome.error.as_str()), (0, ""));
    assert!(outcome.out.contains("start"), "{}", outcome.out);
}

#[test]
fn help_is_everywhere() {
    for arguments in [&["-h"][..], &["--help"], &["start", "-h"], &["start", "--help"], &["start", "--he"]] {
        let outcome = World::new().run(arguments);
        assert_eq!(outcome.status, 0, "{arguments:?}");
        assert!(outcome.out.contains("Usage:"), "{arguments:?}");
    }
}

#[test]
fn the_version_is_printed() {
    for flag in ["-V", "--version"] {
        let outcome = World::new().run(&[flag]);
        assert_eq!(outcome.status, 0);
        assert!(outcome.out.contains(env!("CARGO_PKG_VERSION")), "{}", outcome.out);
    }
}

#[test]
fn wrong_usage_ends_with_2_and_leaves_no_trace() {
    let world = World::new();
    for arguments in [
        &["stop"][..],
        &["start", "--no-such-flag"],
        &["start", "surplus"],
        &["start", "--auth-password"],
        &["start", "--memory", "much"],
        &["start", "--linger", "5"],
        &["start", "--handshakes", "-1"],
        &["start", "--log-format", "xml"],
        &["start", "--history-age", "much"],
        &["user"],
        &["user", "promote", "ada"],
        &["hostname"],
        &["hostname", "trust", "x"],
        &["delete", "everything"],
        &["delete"],
        &["hostname", "add"],
    ] {
        let outcome = world.run(arguments);
        assert_eq!(outcome.status, 2, "{arguments:?}: {}", outcome.error);
        assert!(!outcome.error.is_empty());
    }
    assert!(!world.home().exists());
}

#[test]
fn a_port_that_is_none_is_an_error() {
    for port in ["abc", "-5", ""] {
        let error = World::new().failure(&["--port", port]);
        assert_eq!(error, "ValueError: The port must be a positive integer");
    }
    assert!(World::new().failure(&["--port", "65536"]).starts_with("ValueError: "));
}

#[test]
fn a_log_level_that_is_none_is_an_error() {
    let error = World::new().failure(&["--log-level", "loud"]);
    assert_eq!(error, "ValueError: Cannot set logging level to 'loud'");
}

#[test]
fn two_ways_of_authentication_are_an_error() {
    let error = World::new().failure(&["--auth-login", "--auth-password", "a"]);
    assert_eq!(error, "Cannot specify multiple authentication methods");
}

#[test]
fn a_login_without_users_is_an_error_that_says_what_to_do() {
    let world = World::new();
    let error = world.failure(&["--auth-login"]);
    assert!(error.starts_with("The 'auth_users' table is empty, no one could log in\n"), "{error}");
    assert!(error.contains("msl-network user"), "{error}");
    assert!(!world.home().join("keys").exists(), "nothing was made in vain");
}

#[test]
fn a_database_that_is_none_is_an_error() {
    let world = World::new();
    let file = world.file("notes.txt", "not a database");
    let error = world.failure(&["--database", &file]);
    assert!(error.contains("notes.txt"), "{error}");
    for command in ["user", "hostname"] {
        let outcome = world.run(&[command, "list", "--database", &file]);
        assert_eq!((outcome.status, outcome.out.as_str()), (1, ""));
        assert!(outcome.error.contains("notes.txt"), "{}", outcome.error);
    }
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let world = World::new();
    let outcome = world.run(&["man", "pages"]);
    assert_eq!(outcome.status, 0, "{}", outcome.error);
    for page in ["msl-network.1", "msl-network-start.1", "msl-network-user.1"] {
        let page = fs::read_to_string(world.folder.path().join("pages").join(page)).unwrap();
        assert!(page.contains(".TH msl-network"), "{page}");
    }
    let all = world.run(&["man"]);
    assert_eq!(all.status, 0);
    assert!(all.out.contains(".TH msl-network-start") && all.out.contains("auth\\-login"), "{}", all.out);
}

#[test]
fn a_script_for_each_shell_completes_the_arguments() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = World::new().run(&["completions", shell]);
        assert_eq!((outcome.status, outcome.error.as_str()), (0, ""));
        assert!(outcome.out.contains("auth-hostname"), "{shell}");
    }
    assert_eq!(World::new().run(&["completions", "nushell-of-tomorrow"]).status, 2);
}

#[cfg(target_os = "linux")]
#[test]
fn bash_completes_the_arguments_of_each_command() {
    let world = World::new();
    let script = world.file("script", &world.run(&["completions", "bash"]).out);
    let completed = |command: &str, begun: &str| {
        let ask = format!(
            "source '{script}'; COMP_WORDS=(msl-network {command} {begun}); COMP_CWORD=2
             \"$(complete -p msl-network | sed 's/.* -F \\([^ ]*\\) .*/\\1/')\" msl-network {begun} {command}
             echo ${{COMPREPLY[@]}}"
        );
        let output = Command::new("bash").args(["-c", &ask]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    for (command, begun, whole) in [
        ("user", "--ad", "--admin"),
        ("hostname", "--da", "--database"),
        ("start", "--auth-h", "--auth-hostname"),
        ("run-example", "--disable", "--disable-tls"),
    ] {
        assert_eq!(completed(command, begun), whole, "{command}");
    }
}

#[test]
fn a_password_that_was_typed_is_warned_of_and_never_shown() {
    let world = World::new();
    let outcome = world.run(&["start", "--auth-password", "xyzzy", "plugh", "--port", "no"]);
    assert!(!outcome.out.contains("typed"), "the port is checked first");
    let outcome = world.run(&["start", "--auth-password", "xyzzy", "plugh", "--auth-login"]);
    assert!(outcome.out.contains("[WARNING] msl.network - the password of --auth-password was typed"));
    assert!(!(outcome.out + &outcome.error).contains("xyzzy"));
}

#[test]
fn a_password_in_a_file_is_not_warned_of() {
    let world = World::new();
    let file = world.file("the password", "xyzzy\n");
    let words: Vec<&str> = file.split(' ').collect();
    let outcome = world.run(&[&["start", "--auth-login", "--auth-password"], &words[..]].concat());
    assert!(!outcome.out.contains("typed"), "{}", outcome.out);
}

#[test]
fn passwords_of_devices_are_words_or_a_file_as_elsewhere() {
    let world = World::new();
    let file = world.file("empty", "\n");
    for flag in ["--password", "--manager-password"] {
        let run = |words: &[&str]| world.run(&[&["identities", "--port", "1", flag], words].concat());
        let typed = run(&["xyzzy", "plugh"]).error;
        assert!(typed.contains(&format!("the password of {flag} was typed")), "{typed}");
        assert!(!typed.contains("xyzzy"), "{typed}");
        let empty = run(&[&file]).error;
        assert!(empty.contains("ValueError: the first line of the password file is empty"), "{empty}");
    }
    let words = ["call", "--port", "1", "--password", "xyzzy", "plugh", "--", "Echo", "echo"];
    assert_eq!(world.run(&words).status, 1, "what is behind the words is read");
}

#[test]
fn an_empty_password_is_an_error() {
    let world = World::new();
    let file = world.file("empty", "\n");
    assert!(world.failure(&["--auth-password", ""]).starts_with("ValueError: "));
    assert!(world.failure(&["--auth-password", &file]).starts_with("ValueError: "));
}

#[test]
fn limits_that_contradict_each_other_are_an_error() {
    let error = World::new().failure(&["--memory", "1MiB", "--max-frame", "2MiB"]);
    assert!(error.starts_with("ValueError: max-frame"), "{error}");
}

#[test]
fn files_that_are_missing_or_wrong_are_errors() {
    let world = World::new();
    let junk = world.file("junk.pem", "junk");
    let encrypted = world.file(
        "encrypted.key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let error = world.failure(&["--key-file", "none.key"]);
    assert!(error.starts_with("FileNotFoundError: ") && error.contains("none.key"), "{error}");
    let error = world.failure(&["--cert-file", "none.crt"]);
    assert!(error.starts_with("FileNotFoundError: ") && error.contains("none.crt"), "{error}");
    let error = world.failure(&["--cert-file", &junk]);
    assert!(error.starts_with("ValueError: "), "{error}");
    let error = world.failure(&["--key-file", &encrypted]);
    assert!(error.contains("is encrypted"), "{error}");
}

#[test]
fn an_error_is_in_the_log_file_too() {
    let world = World::new();
    world.failure(&["--port", "abc"]);
    let log = fs::read_to_string(only_file(&world.home().join("logs"))).unwrap();
    assert!(
        log.ends_with(" [ERROR   ] msl.network - ValueError: The port must be a positive integer\n"),
        "{log}"
    );
}

#[test]
fn the_log_goes_to_the_file_that_was_named() {
    let world = World::new();
    world.failure(&["--port", "abc", "--log-file", "new/a.log"]);
    assert!(fs::read_to_string(world.folder.path().join("new/a.log")).unwrap().contains("ValueError"));
    assert!(!world.home().exists());
}

#[test]
fn a_log_file_that_cannot_be_made_is_an_error() {
    let world = World::new();
    let file = world.file("file", "");
    let error = world.failure(&["--log-file", &format!("{file}/a.log")]);
    assert!(error.contains("cannot make the log file"), "{error}");
}

#[test]
fn the_examples_are_listed_and_another_name_is_a_wrong_usage() {
    let world = World::new();
    let listed = world.run(&["run-example"]);
    assert_eq!(listed.status, 0, "{}", listed.error);
    for name in ["Adder", "BasicMath", "DigitalMultimeter", "Echo", "Heartbeat", "MyArray"] {
        assert!(listed.out.lines().any(|line| line.starts_with(name)), "{}", listed.out);
    }
    for arguments in [&["run-example", "Nobody"][..], &["run-example", "--client"]] {
        assert_eq!(world.run(arguments).status, 2, "{arguments:?}");
    }
    assert!(!world.home().exists());
}
