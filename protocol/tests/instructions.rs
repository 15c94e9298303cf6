//! How many instructions it takes to forward a message, counted by valgrind: the same on every machine with the same compiler.
//! Where there is no valgrind this is left out.
//!
//! What the program needs to start cancels out in the difference of two runs. The bounds have a fifth to spare, for other
//! compilers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// How often a message is forwarded in the first run; in the second, twice as often.
const TIMES: u64 = 10;

#[test]
fn forwarding_takes_no_more_instructions_than_this() {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        println!("left out: there is no valgrind");
        return;
    }
    let program = built();
    for (kind, most) in [
        ("request", 26_000),
        ("large-string", 641_000),
        ("large-array", 1_145_000),
        ("notification", 232_000),
    ] {
        let needed = (instructions(&program, kind, 2 * TIMES) - instructions(&program, kind, TIMES)) / TIMES;
        println!("{kind}: {needed} instructions");
        assert!(needed <= most, "{kind} takes {needed} instructions, and not at most {most}");
    }
}

/// The example `forward`, optimised.
fn built() -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(["build", "--release", "--example", "forward", "--message-format", "json"]);
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "the example does not build");
    let messages = String::from_utf8(output.stdout).unwrap();
    let messages = messages.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut examples = messages.filter(|message| message["target"]["name"] == "forward");
    let example = examples.next_back().unwrap();
    example["executable"].as_str().unwrap().into()
}

/// How many instructions this program takes in all.
fn instructions(program: &Path, kind: &str, times: u64) -> u64 {
    let counts = program.with_file_name(format!("callgrind.{kind}.{times}.{}", std::process::id()));
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", &format!("--callgrind-out-file={}", counts.display())]);
    let output = command.arg(program).args([kind, &times.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(&counts).unwrap();
    fs::remove_file(&counts).unwrap();
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap();
    total.trim().parse().unwrap()
}
