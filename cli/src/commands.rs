//! From arguments to a command, and from its outcome to an exit status: 0 done, 1 failed, 2 wrong usage.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::{certdump, certgen, delete, device, example, hostname, import, keygen, manual, start, user};

/// Runs the command that the arguments ask for. Without any it shows the help.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.len() < 2 {
        arguments.push("--help".into());
    }
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(message) => {
            // Help and version are "errors" as well, which know where they belong: standard output, and status 0.
            // Nobody is left to tell when that fails.
            let _ = message.print();
            return if message.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match parsed.command {
        Command::Start(arguments) => start::run(*arguments),
        Command::Keygen(arguments) => keygen::run(&arguments),
        Command::Certgen(arguments) => certgen::run(&arguments),
        Command::Certdump(arguments) => certdump::run(&arguments),
        Command::User(arguments) => user::run(&arguments),
        Command::Hostname(arguments) => hostname::run(&arguments),
        Command::Delete(arguments) => delete::run(&arguments),
        Command::Call(arguments) => device::call(&arguments),
        Command::Identities(arguments) => device::identities(&arguments),
        Command::Listen(arguments) => device::listen(&arguments),
        Command::RunExample(arguments) => example::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Completions(arguments) => manual::completions(&arguments),
        Command::Man(arguments) => manual::man(&arguments),
    }
}
