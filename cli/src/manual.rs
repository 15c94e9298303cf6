//! `msl-network completions` and `msl-network man`: made from the definitions of the arguments, so that they never differ
//! from them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use msl_network_manager::Error;

use crate::arguments::{Arguments, CompletionsArguments, ManArguments};
use crate::output::{end, print};

/// What `clap_complete` calls this program in its script for bash, in the one place and in the other: where a name has a hyphen
/// they differ, and no command is completed (clap-rs/clap#6421).
const MISNAMED: (&str, &str) = ("msl__subcmd__network", "msl__network");

/// Runs `completions`.
pub(crate) fn completions(arguments: &CompletionsArguments) -> ExitCode {
    // Into memory first: it panics where it cannot write, and whoever reads the output may have gone.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "msl-network", &mut script);
    let script = String::from_utf8_lossy(&script).replace(MISNAMED.0, MISNAMED.1);
    let _ = io::stdout().write_all(script.as_bytes());
    ExitCode::SUCCESS
}

/// Runs `man`.
pub(crate) fn man(arguments: &ManArguments) -> ExitCode {
    let pages = pages();
    let Some(folder) = &arguments.folder else {
        for (_, page) in pages {
            let _ = io::stdout().write_all(&page);
        }
        return ExitCode::SUCCESS;
    };
    end(write(folder, &pages))
}

fn write(folder: &Path, pages: &[(String, Vec<u8>)]) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|error| Error::io("cannot make the folder", folder, error))?;
    for (name, page) in pages {
        let path = folder.join(name);
        fs::write(&path, page).map_err(|error| Error::io("cannot write", &path, error))?;
        print(path.display());
    }
    Ok(())
}

/// The page of the program and one for each command, with the names of their files.
fn pages() -> Vec<(String, Vec<u8>)> {
    let mut program = Arguments::command();
    // Gives the commands their full names.
    program.build();
    std::iter::once(&program).chain(program.get_subcommands()).map(page).collect()
}

fn page(command: &Command) -> (String, Vec<u8>) {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    // A list of bytes takes everything.
    let _ = man.render(&mut page);
    (man.get_filename(), page)
}
