//! Measures Managers: how many requests a second, at what cost, beside the limit of this machine and other programs.
//!
//! `cargo run --release -p msl-network-bench` prints a table of everything; `docs/performance.md` says what its rows mean.
//! Every peer is a process of its own, so that its CPU time can be told; the load is this process. The peers take turns in
//! each round, so that none has the quieter machine.

mod arguments;
mod dial;
mod load;
mod measure;
mod peer;
mod process;
mod protocol;
mod relay;
mod rows;
mod socket;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Parser;

use crate::arguments::{Arguments, MeasureArguments, Mode};
use crate::peer::{Encryption, Kind, Peer, Programs};
use crate::rows::Row;

/// What went wrong, for people.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.mode {
        Some(Mode::Relay { port, certificate, key }) => run_relay(port, certificate.zip(key)),
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
    println!("{}", table::head(&kinds));
    for encryption in [Encryption::Plain, Encryption::Tls] {
        let mut peers = BTreeMap::new();
        for row in Row::all().filter(|row| row.encryption == encryption) {
            if arguments.wants(&row.to_string()) {
                measure_row(arguments, &programs, &kinds, &mut peers, row)?;
            }
        }
    }
    Ok(())
}

/// Measures all peers in turn, again and again. They are started for the first row that needs them.
fn measure_row(
    arguments: &MeasureArguments,
    programs: &Programs,
    kinds: &[Kind],
    peers: &mut BTreeMap<usize, Peer>,
    row: Row,
) -> Result<(), Failure> {
    let mut rounds = Vec::new();
    for _ in 0..arguments.rounds {
        let mut round = Vec::new();
        for (number, kind) in kinds.iter().enumerate() {
            if !peers.contains_key(&number) {
                peers.insert(number, Peer::start(programs, *kind, row.encryption, &[])?);
            }
            let figures = measure::measure(&peers[&number], row.what, arguments.duration())
                .map_err(|failure| format!("{kind}, {row}: {failure}"))?;
            round.push(figures);
        }
        rounds.push(round);
    }
    println!("{}", table::row(&row.to_string(), &rounds));
    Ok(())
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
