//! The arguments of `import`.

use std::path::PathBuf;

use clap::Args;

/// Take over what a Manager of the Python package has kept: users with their passwords, trusted host names, connections.
///
/// The file is not changed, and may be imported again: what is here already stays as it is.
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true, after_help = EXAMPLES)]
pub(crate) struct ImportArguments {
    /// Database of the Python package, mostly manager.sqlite3 in the home folder
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Database to take it over into; made if missing [default: manager.redb in the home folder]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  msl-network import ~/.msl/network/manager.sqlite3
  msl-network import old.sqlite3 --database /data/manager.redb";
