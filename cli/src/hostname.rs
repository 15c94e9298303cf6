//! `msl-network hostname`: the computers that are trusted.
//!
//! The lines are those of the Python program, as scripts look for them.

use std::process::ExitCode;

use msl_network_manager::{Error, Kind, Store};

use crate::arguments::{HostnameAction, HostnameArguments};
use crate::output::{end, print, tell};

/// Runs the command.
pub(crate) fn run(arguments: &HostnameArguments) -> ExitCode {
    let names = &arguments.names;
    // Participle, and the past tense that begins a line.
    let (adds, verb, done, line) = match arguments.action {
        HostnameAction::Insert => (true, "insert", "inserted", "Inserted"),
        HostnameAction::Add => (true, "add", "added", "Added"),
        HostnameAction::Remove => (false, "remove", "removed", "Removed"),
        HostnameAction::Delete => (false, "delete", "deleted", "Deleted"),
        HostnameAction::List => return end(arguments.database.open_to_read().and_then(|store| list(&store))),
    };
    if names.is_empty() {
        tell(format_args!("No hostnames were {done}"));
        return ExitCode::from(2);
    }
    let store = match arguments.database.open() {
        Ok(store) => store,
        Err(error) => return end(Err(error)),
    };
    let mut failed = false;
    for name in names {
        let hostnames = store.hostnames();
        match if adds { hostnames.insert(name) } else { hostnames.remove(name, verb) } {
            Ok(()) => print(format_args!("{line} {name}")),
            Err(error) => {
                failed = true;
                tell(worded(&error, adds));
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// A name that cannot be removed is told without a kind, as scripts know it.
fn worded(error: &Error, adds: bool) -> String {
    if error.kind() == Kind::Value && !adds { error.text().to_owned() } else { error.to_string() }
}

fn list(store: &Store) -> Result<(), Error> {
    let names = store.hostnames().list()?;
    print(format_args!("Trusted devices in {}\n\nHostnames:", store.path().display()));
    for name in names {
        print(format_args!("  {name}"));
    }
    Ok(())
}
