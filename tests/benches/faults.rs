//! Every fault at full size, and what it costs.
//!
//! `cargo bench -p msl-network-tests --bench faults` prints a table, a row as soon as it is there; with words behind `--`, of
//! the rows whose first two columns have all of them (`... -- storm tokio`). Nearly all devices are threads of this process, and
//! the Manager is the program, on the same computer: what the devices need of the processors is missing to the Manager, also
//! for the bystanders. A fault that breaks a rule is shown, and ends the program with a failure once all have been run.

use std::panic::catch_unwind;
use std::process::ExitCode;

use msl_network_tests::faults::{Fault, Size, raise_descriptors};
use msl_network_tests::setup::{Runtime, Setup, Tls};

fn main() -> ExitCode {
    // Cargo adds a flag of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    raise_descriptors();
    println!(
        "| fault | Manager | size | what became of the faulty | p99 without / with | peak memory | processor |"
    );
    println!("| --- | --- | --- | --- | ---: | ---: | ---: |");
    let mut failed = false;
    for fault in Fault::ALL {
        for tls in [Tls::Disabled, Tls::Enabled] {
            for runtime in [Runtime::Tokio, Runtime::Smol] {
                let setup = Setup { runtime, tls };
                let encryption = if tls == Tls::Enabled { ", TLS" } else { "" };
                let begin = format!("| {} | {}{encryption} ", fault.name, runtime.name());
                if !words.iter().all(|word| begin.contains(word.as_str())) {
                    continue;
                }
                let outcome = catch_unwind(|| (fault.run)(setup, Size::Full));
                failed |= outcome.is_err();
                let row = outcome
                    .map_or_else(|_| "| | **failed** | | | |".to_owned(), |outcome| outcome.to_string());
                println!("{begin}{row}");
            }
        }
    }
    ExitCode::from(u8::from(failed))
}
