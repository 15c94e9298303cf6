//! What the commands print, and how they end.
//!
//! Whoever reads a stream may have gone: what cannot be printed is dropped, and the program does not panic.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// A line of the result, on standard output.
pub(crate) fn print(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// A line for a person, on standard error.
pub(crate) fn tell(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// The exit status of a command; an error is told first.
pub(crate) fn end(outcome: Result<(), impl Display>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(error);
            ExitCode::FAILURE
        }
    }
}
