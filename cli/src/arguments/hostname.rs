//! The arguments of `hostname`.

use clap::{Args, ValueEnum};

use super::DatabaseArguments;

/// Add, remove and list the computers that a Manager trusts.
///
/// A computer is known by its host name, with the domain or without, if that name leads back to its address, or by its IP
/// address. It works while a Manager runs, and counts from the next connection on.
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true, after_help = EXAMPLES)]
pub(crate) struct HostnameArguments {
    /// What to do; `insert` is `add`, and `delete` is `remove`
    #[arg(value_enum)]
    pub(crate) action: HostnameAction,

    /// Host names or IP addresses
    pub(crate) names: Vec<String>,

    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
}

/// What can be done with host names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HostnameAction {
    Insert,
    Add,
    Remove,
    Delete,
    List,
}

const EXAMPLES: &str = "\
Examples:
  msl-network hostname add bench-3 10.1.2.3
  msl-network hostname remove bench-3
  msl-network hostname list

To let only these connect: msl-network start --auth-hostname.";
