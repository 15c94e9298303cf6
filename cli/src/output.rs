//! What the commands show, and how they end.
//!
//! Much of it was written by others: results, errors, names. To a terminal it goes without the control characters by which a
//! service could steer it; to a file or another program it goes as it came.

use std::fmt::{Display, Write as _};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use msl_network_protocol::device::{Error, ErrorKind};
use msl_network_protocol::json::escaped;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What it asked for was not done.
    Device(Error),
    /// What it was given cannot be used.
    Given(msl_network_manager::Error),
    /// What it has to show cannot be written.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Device(error)
    }
}

impl From<msl_network_manager::Error> for Failure {
    fn from(error: msl_network_manager::Error) -> Self {
        Self::Given(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    /// Tells why, and gives the exit status. Who reads no further, as `head` does, has what was wanted.
    pub(crate) fn end(&self) -> ExitCode {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Self::Output(error) => tell(format_args!("OSError: cannot show the result: {error}")),
            Self::Given(error) => tell(error),
            Self::Device(error) => {
                tell(error);
                if error.kind() == ErrorKind::Tls {
                    tell(
                        "The flags for this: --auto-save, --cert-file FILE, --any-host-name, --disable-tls; see --help",
                    );
                }
            }
        }
        ExitCode::FAILURE
    }
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

/// A line of what was asked for, on standard output.
///
/// # Errors
/// It cannot be written; often because its reader has gone.
pub(crate) fn show(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout();
    let is_terminal = out.is_terminal();
    writeln!(out, "{}", shown(&text.to_string(), is_terminal))
}

/// A line on standard output of a command that does its work also if nobody reads what it says.
pub(crate) fn print(text: impl Display) {
    let _ = show(text);
}

/// A line for a person, on standard error. If that is closed, there is nobody to be told.
pub(crate) fn tell(text: impl Display) {
    ask(&format!("{text}\n"));
}

/// As [`tell`], without a line end: the answer follows.
pub(crate) fn ask(text: &str) {
    let mut error = io::stderr();
    let is_terminal = error.is_terminal();
    let _ = write!(error, "{}", shown(text, is_terminal));
}

/// The text as a terminal may get it: what could mislead its reader is shown as an escape. Line ends and tabs stay.
fn shown(text: &str, is_terminal: bool) -> String {
    if !is_terminal {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(['\n', '\t']) {
        let inside = piece.trim_end_matches(['\n', '\t']);
        // Writing to a String never fails.
        let _ = write!(shown, "{}{}", escaped(inside), &piece[inside.len()..]);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_control_characters_but_line_ends_and_tabs() {
        let text = "a\tb\n\nc\r\n\u{1b}[2J\u{9b}31m µ\u{202e}\u{7}\n";
        let to_terminal = "a\tb\n\nc\\r\n\\u{1b}[2J\\u{9b}31m µ\\u{202e}\\u{7}\n";
        assert_eq!(shown(text, true), to_terminal);
        assert_eq!(shown(text, false), text);
    }
}
