//! The arguments of `delete`.

use std::path::PathBuf;

use clap::Args;

/// Delete what this program has made: certificates, keys, log files, the database.
///
/// Other files are left alone, and so is what links lead to.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(infer_long_args = true, args_override_self = true, after_help = EXAMPLES)]
pub(crate) struct DeleteArguments {
    /// Delete all of them
    #[arg(short, long)]
    pub(crate) all: bool,

    /// Delete the certificates
    #[arg(short, long)]
    pub(crate) certs: bool,

    /// Delete the database
    #[arg(short, long)]
    pub(crate) database: bool,

    /// Delete the private keys
    #[arg(short, long)]
    pub(crate) keys: bool,

    /// Delete the log files
    #[arg(short, long)]
    pub(crate) logs: bool,

    /// Folder in which they are [default: the home folder]
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) root: Option<PathBuf>,

    /// Print nothing but questions and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Do not ask before deleting
    #[arg(short, long)]
    pub(crate) yes: bool,
}

const EXAMPLES: &str = "\
Examples:
  msl-network delete --logs
  msl-network delete --all --yes";
