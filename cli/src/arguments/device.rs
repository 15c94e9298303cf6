//! The arguments of the commands that are devices: `call`, `identities`, `listen`, `run-example`.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use msl_network_examples::Example;

use crate::runtime::Runtime;
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
    pub(crate) client: ClientArguments,
}

/// Show who is connected with the Manager.
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true)]
pub(crate) struct IdentitiesArguments {
    #[command(flatten)]
    pub(crate) client: ClientArguments,
}

/// Link with a service and show its notifications until Ctrl+C.
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true)]
pub(crate) struct ListenArguments {
    /// Name of the service
    pub(crate) service: String,

    #[command(flatten)]
    pub(crate) client: ClientArguments,
}

/// Start one of the example services, or run its client. Without a name they are listed.
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true)]
pub(crate) struct RunExampleArguments {
    /// Which one
    #[arg(value_name = "NAME", value_parser = example())]
    pub(crate) example: Option<Example>,

    /// Run its client, which shows what the service does
    #[arg(long, requires = "example")]
    pub(crate) client: bool,

    #[command(flatten)]
    pub(crate) connection: ConnectArguments,
}

/// How to reach the Manager, and how to show what it says.
#[derive(Debug, Args)]
pub(crate) struct ClientArguments {
    /// Show JSON, to be read by another program
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) connection: ConnectArguments,
}

fn example() -> impl TypedValueParser<Value = Example> {
    let names = Example::ALL.map(|example| PossibleValue::new(example.name()).help(example.about()));
    PossibleValuesParser::new(names).try_map(|name| {
        Example::ALL.into_iter().find(|example| example.name() == name).ok_or("there is no such example")
    })
}

/// How to reach the Manager.
#[derive(Debug, Args)]
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

    /// Time for each step: to connect, to link, to wait for an answer [default: connecting 10s, others for ever]
    #[arg(short, long, value_name = "TIME")]
    pub(crate) timeout: Option<Time>,

    /// Username, for a Manager that asks for a login
    #[arg(short, long)]
    pub(crate) username: Option<String>,

    /// That user's password; better let the program ask for it. Where the words name an existing file, its first line is
    /// the password. A flag or `--` ends the words
    #[arg(long, num_args = 1.., action = ArgAction::Set, value_name = "WORDS or FILE", allow_negative_numbers = true)]
    pub(crate) password: Option<Vec<String>>,

    /// Password of the Manager; the same
    #[arg(short = 'P', long, num_args = 1.., action = ArgAction::Set, value_name = "WORDS or FILE", allow_negative_numbers = true)]
    pub(crate) manager_password: Option<Vec<String>>,

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

    /// Runtime that carries the connection
    #[arg(long, value_enum, default_value_t)]
    pub(crate) runtime: Runtime,
}

const CALL_EXAMPLES: &str = "\
Examples:
  msl-network call BasicMath add 1 2
  msl-network call BasicMath power 3 n=4
  msl-network call --json Echo echo 'two words' [1,2] x=true
  msl-network call Echo echo -- -text-that-begins-with-a-dash";
