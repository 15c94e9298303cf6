//! The program `msl-network`.
//!
//! Here is only what belongs to a command line: arguments, messages and exit statuses. What a Manager keeps is in
//! `msl-network-manager`, and what it serves comes from a runtime crate.

mod arguments;
mod certdump;
mod certgen;
mod commands;
mod delete;
mod device;
mod example;
mod hostname;
mod import;
mod keygen;
mod manual;
mod output;
mod password;
mod runtime;
mod serve;
mod start;
mod units;
mod user;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run(std::env::args_os())
}
