//! Measures Managers: how many requests a second, at what cost, beside the limit of this machine and other programs.
//!
//! `cargo run --release -p msl-network-bench` prints a table of everything; `docs/performance.md` says what its rows mean.
//! Every peer is a process of its own, so that its CPU time can be told; the load is this process. The peers take turns in
//! each round, so that none has the quieter machine.

mod arguments;
mod bystander;
mod connections;
mod devices;
mod dial;
mod idle;
mod load;
mod peer;
mod process;
mod protocol;
mod rates;
mod relay;
mod rows;
mod socket;
mod table;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Parser;

use crate::arguments::{Arguments, MeasureArguments, Mode};
use crate::peer::{Kind, Programs};

/// What went wrong, for people.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.mode {
        Some(Mode::Relay { port, certificate, key }) => run_relay(port, certificate.zip(key)),
        Some(Mode::Service { port, certificate }) => devices::serve(port, certificate.as_deref()),
        None => run(&arguments.measure),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run_relay(port: u16, files: Option<(PathBuf, PathBuf)>) -> Result<(), Failure> {
    let tls = files.map(|(certificate, key)| peer::server_config(&certificate, &key)).transpose()?;
    relay::run(port, tls)
}

fn run(arguments: &MeasureArguments) -> Result<(), Failure> {
    let ours = arguments.ours.clone().map_or_else(build, Ok)?;
    let python = arguments.peers.contains(&Kind::Python).then(|| {
        arguments.python.clone().unwrap_or_else(|| msl_network_tests::python::interpreter().to_owned())
    });
    let programs = Programs::new(ours, arguments.other.clone(), python)?;
    let mut kinds = arguments.peers.clone();
    kinds.retain(|kind| {
        let has = programs.has(*kind);
        if !has {
            eprintln!("{kind} is left out: it is not on this machine");
        }
        has
    });
    rates::measure(arguments, &programs, &kinds)?;
    devices::measure(arguments, &programs, &kinds)?;
    idle::measure(arguments, &programs, &kinds)?;
    bystander::measure(arguments, &programs, &kinds)
}

/// Builds the program of this project as it is now, with the profile of this one.
fn build() -> Result<PathBuf, Failure> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet", "-p", "msl-network"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    if !command.status()?.success() {
        return Err("the program does not build".into());
    }
    Ok(std::env::current_exe()?.with_file_name("msl-network"))
}
