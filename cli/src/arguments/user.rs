//! The arguments of `user`.

use clap::{ArgAction, Args, ValueEnum};

use super::DatabaseArguments;

/// Add, change, remove and list the people who may log in with a Manager, or administer it.
///
/// It works while a Manager runs, and counts from the next login on.
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true, after_help = EXAMPLES)]
pub(crate) struct UserArguments {
    /// What to do; `insert` is `add`, and `delete` is `remove`
    #[arg(value_enum)]
    pub(crate) action: UserAction,

    /// The user
    #[arg(value_name = "NAME")]
    pub(crate) username: Option<String>,

    /// The user is an administrator; `update` without it takes that right away
    #[arg(short, long)]
    pub(crate) admin: bool,

    #[command(flatten)]
    pub(crate) database: DatabaseArguments,

    /// The user's password; `add` asks for it on a terminal, `update` keeps the old one. Where the words name an existing
    /// file, its first line is the password
    #[arg(short, long, num_args = 1.., action = ArgAction::Set, value_name = "WORDS or FILE", allow_negative_numbers = true)]
    pub(crate) password: Option<Vec<String>>,
}

/// What can be done with users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UserAction {
    Insert,
    Add,
    Remove,
    Delete,
    Update,
    List,
}

const EXAMPLES: &str = "\
Examples:
  msl-network user add ada --admin              asks for the password
  msl-network user add bob --password pass.txt  takes the first line of a file
  msl-network user update bob --admin           makes bob an administrator, with the same password
  msl-network user remove bob
  msl-network user list

To let only users connect: msl-network start --auth-login.";
