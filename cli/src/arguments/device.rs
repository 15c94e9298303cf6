//! The arguments of the commands that are clients: `call`, `identities`, `listen`.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::units::Time;

/// Call a method of a service, or ask for one of its values, and show the result.
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true, after_help = CALL_EXAMPLES)]
pub(crate) struct CallArguments {
    /// Name of the service
    pub(crate) service: String,

    /// What is asked for: a method, a property, a constant
    pub(crate) attribute: String,

    /// Values (numbers, true, false, none, lists, objects; else text) and KEY=VALUE
    #[arg(value_name = "ARG", allow_negative_numbers = true)]
    pub(crate) arguments: Vec<String>,

    #[command(flatten)]
    pub(crate) connection: ConnectArguments,
}

/// Show who is connected with the Manager.
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true)]
pub(crate) struct IdentitiesArguments {
    #[command(flatten)]
    pub(crate) connection: ConnectArguments,
}

/// Link with a service and show its notifications until Ctrl+C.
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true)]
pub(crate) struct ListenArguments {
    /// Name of the service
    pub(crate) service: String,

    #[command(flatten)]
    pub(crate) connection: ConnectArguments,
}

/// How to reach the Manager.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectArguments {
    /// Host of the Manager
    #[arg(short = 'H', long, default_value = "localhost")]
    pub(crate) host: String,

    /// Its port
    #[arg(short, long, default_value = "1875")]
    pub(crate) port: u16,

    /// Name of this client
    #[arg(short, long, default_value = "msl-network")]
    pub(crate) name: String,

    /// Time to connect, and to wait for an answer [default: connecting 10s, answers for ever]
    #[arg(short, long, value_name = "TIME")]
    pub(crate) timeout: Option<Time>,

    /// Username, for a Manager that asks for a login
    #[arg(short, long)]
    pub(crate) username: Option<String>,

    /// That user's password; better let the program ask for it
    #[arg(long)]
    pub(crate) password: Option<String>,

    /// Password of the Manager; better let the program ask for it
    #[arg(short = 'P', long)]
    pub(crate) manager_password: Option<String>,

    /// The Manager was started with --disable-tls
    #[arg(long)]
    pub(crate) disable_tls: bool,

    /// File with the certificate to trust [default: certs/HOST.crt in the home folder]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) cert_file: Option<PathBuf>,

    /// Accept a certificate that is for another host name
    #[arg(long)]
    pub(crate) any_host_name: bool,

    /// Trust a certificate that is not known, and save it, without asking
    #[arg(long)]
    pub(crate) auto_save: bool,

    /// Show JSON, to be read by another program
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) json: bool,
}

const CALL_EXAMPLES: &str = "\
Examples:
  msl-network call BasicMath add 1 2
  msl-network call BasicMath power 3 n=4
  msl-network call --json Echo echo 'two words' [1,2] x=true
  msl-network call Echo echo -- -text-that-begins-with-a-dash";
