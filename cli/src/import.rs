//! `msl-network import`: what a Manager of the Python package has kept, into the database of this one.

use std::path::Path;
use std::process::ExitCode;

use msl_network_manager::Error;
use msl_network_manager::store::{ConnectionLimits, Count, Imported};

use crate::arguments::ImportArguments;
use crate::output::{end, print};

/// Runs the command to its end.
pub(crate) fn run(arguments: &ImportArguments) -> ExitCode {
    end(import(arguments))
}

fn import(arguments: &ImportArguments) -> Result<(), Error> {
    let store = arguments.database.open()?;
    let imported = store.import(&arguments.file, &ConnectionLimits::default())?;
    print(report(&imported, &arguments.file, store.path()));
    Ok(())
}

/// What was taken over, line by line, and what was not.
fn report(imported: &Imported, from: &Path, to: &Path) -> String {
    let mut lines = vec![format!("Imported {} into {}", from.display(), to.display())];
    let counts = [
        (imported.users, "users"),
        (imported.hostnames, "trusted hostnames"),
        (imported.connections, "connections"),
    ];
    for (Count { added, present }, what) in counts {
        lines.push(match present {
            0 => format!("  {added} {what}"),
            present => format!("  {added} {what} ({present} were there already)"),
        });
    }
    if imported.too_old > 0 {
        lines.push(format!("  {} connections were too old, or too many, and left out", imported.too_old));
    }
    if imported.unreadable > 0 {
        lines.push(format!("  {} connections could not be read", imported.unreadable));
    }
    lines.extend(imported.refused.iter().map(|refused| format!("  left out: {refused}")));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_names_what_was_taken_and_what_was_not() {
        let imported = Imported {
            users: Count { added: 2, present: 1 },
            hostnames: Count { added: 3, present: 0 },
            connections: Count { added: 40, present: 0 },
            too_old: 7,
            unreadable: 1,
            refused: vec!["user 'a:1': ValueError: no".to_owned()],
        };
        let report = report(&imported, Path::new("a.sqlite3"), Path::new("b.redb"));
        assert_eq!(
            report.lines().collect::<Vec<_>>(),
            [
                "Imported a.sqlite3 into b.redb",
                "  2 users (1 were there already)",
                "  3 trusted hostnames",
                "  40 connections",
                "  7 connections were too old, or too many, and left out",
                "  1 connections could not be read",
                "  left out: user 'a:1': ValueError: no",
            ]
        );
    }
}
