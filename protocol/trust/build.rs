//! Notes the version of the compiler: a Manager says in its identity which language it is written in.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC");
    // "rustc 1.95.0 (...)": the second word. A compiler that says something else costs the exact version only.
    let version = env::var_os("RUSTC")
        .and_then(|rustc| Command::new(rustc).arg("--version").output().ok())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .and_then(|text| text.split_whitespace().nth(1).map(str::to_owned))
        .or_else(|| env::var("CARGO_PKG_RUST_VERSION").ok())
        .unwrap_or_default();
    println!("cargo::rustc-env=MSL_NETWORK_RUST_VERSION={version}");
}
