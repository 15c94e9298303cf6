//! The arguments of `import`.

use std::path::PathBuf;

use clap::Args;

use super::DatabaseArguments;

/// Take over what a Manager of the Python package has kept: users with their passwords, trusted host names, connections.
///
/// The file is not changed, and may be imported again: what is here already stays as it is.
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true, after_help = EXAMPLES)]
pub(crate) struct ImportArguments {
    /// Database of the Python package, mostly manager.sqlite3 in the home folder
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
}

const EXAMPLES: &str = "\
Examples:
  msl-network import ~/.msl/network/manager.sqlite3
  msl-network import old.sqlite3 --database /data/manager.redb";
