//! What an author sees of the common mistakes, and where. The texts of the compiler change from version to version, so this
//! runs on one; on others the mistakes are still covered by the tests within the crate.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

/// The version whose words stand in `ui/*.stderr`.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn mistakes_are_shown_where_they_stand() {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(compiler).arg("--version").output().unwrap().stdout;
    if version.starts_with(COMPILER.as_bytes()) {
        trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
    }
}
