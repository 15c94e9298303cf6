//! The arguments of `completions` and `man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Print a script that completes the arguments of this program in a shell.
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Print the manual pages, or write them into a folder, a file each.
#[derive(Debug, Args)]
#[command(after_help = MAN_EXAMPLES)]
pub(crate) struct ManArguments {
    /// Folder to write them into
    pub(crate) folder: Option<PathBuf>,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  msl-network completions bash > ~/.local/share/bash-completion/completions/msl-network
  msl-network completions fish > ~/.config/fish/completions/msl-network.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  msl-network man | man -l -
  msl-network man ~/.local/share/man/man1";
