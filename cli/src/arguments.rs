//! The arguments of the program, as `clap` reads them.
//!
//! Names, short forms and defaults are those of the Python program; the texts are our own. Values are checked later
//! where a wrong one is a failure to start (status 1, as in the Python program) and not a wrong usage (status 2).

mod certdump;
mod certgen;
mod delete;
mod device;
mod hostname;
mod import;
mod keygen;
mod limits;
mod manual;
mod user;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use msl_network_manager::log::Layout;
use msl_network_manager::store::ConnectionLimits;
use msl_network_manager::{Error, Home, Store};

pub(crate) use certdump::CertdumpArguments;
pub(crate) use certgen::CertgenArguments;
pub(crate) use delete::DeleteArguments;
pub(crate) use device::{
    CallArguments, ClientArguments, ConnectArguments, IdentitiesArguments, ListenArguments,
    RunExampleArguments,
};
pub(crate) use hostname::{HostnameAction, HostnameArguments};
pub(crate) use import::ImportArguments;
pub(crate) use keygen::{KeyAlgorithm, KeygenArguments};
pub(crate) use limits::LimitArguments;
pub(crate) use manual::{CompletionsArguments, ManArguments};
pub(crate) use user::{UserAction, UserArguments};

use crate::units::Time;

use crate::runtime::Runtime;

/// Connects the programs of a laboratory: clients send requests, services (instruments, mostly) answer them, and the
/// Manager that this program starts brings each to the other.
#[derive(Debug, Parser)]
#[command(
    name = "msl-network",
    version,
    infer_long_args = true,
    args_override_self = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the Manager and serve until it is told to stop
    Start(Box<StartArguments>),

    /// Make a private key
    Keygen(KeygenArguments),

    /// Make a self-signed certificate for this computer
    Certgen(CertgenArguments),

    /// Show the details of a certificate
    Certdump(CertdumpArguments),

    /// Add, change, remove and list the people who may log in
    User(UserArguments),

    /// Add, remove and list trusted computers
    Hostname(HostnameArguments),

    /// Take over the database of a Python Manager
    Import(ImportArguments),

    /// Delete what this program has made
    Delete(DeleteArguments),

    /// Call a method of a service and show the result
    Call(CallArguments),

    /// Show who is connected with the Manager
    Identities(IdentitiesArguments),

    /// Show the notifications of a service
    Listen(ListenArguments),

    /// Start one of the example services, or its client
    RunExample(RunExampleArguments),

    /// Print a script that completes the arguments of this program in a shell
    Completions(CompletionsArguments),

    /// Print the manual pages
    Man(ManArguments),
}

/// Start the Manager and serve until it is told to stop (Ctrl+C, or SIGTERM).
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true, after_help = EXAMPLES)]
pub(crate) struct StartArguments {
    /// Port to listen on; 0 takes a free one, which the log shows
    // The alias is an abbreviation that `--prompt` would take away.
    #[arg(short, long, alias = "p", default_value = "1875", allow_negative_numbers = true)]
    pub(crate) port: String,

    /// Host name or IP address to listen on [default: every interface]
    #[arg(short = 'H', long)]
    pub(crate) host: Option<String>,

    /// Do not encrypt connections
    #[arg(long)]
    pub(crate) disable_tls: bool,

    /// Events to log: DEBUG, INFO, WARNING, ERROR, CRITICAL, or a number as in Python's logging
    #[arg(short = 'G', long, value_name = "LEVEL", default_value = "INFO", allow_negative_numbers = true)]
    pub(crate) log_level: String,

    /// File to log to [default: a new one in the home folder, logs/manager-DATE-TIME.log]
    // The alias is an abbreviation that `--log-format` would take away.
    #[arg(short, long, alias = "log-f", value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,

    /// Lines of the log: to be read by people, or an object of JSON each
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,

    /// Runtime that carries the connections
    #[arg(long, value_enum, default_value_t)]
    pub(crate) runtime: Runtime,

    #[command(flatten)]
    pub(crate) authentication: AuthenticationArguments,

    #[command(flatten)]
    pub(crate) tls: TlsArguments,

    #[command(flatten)]
    pub(crate) history: HistoryArguments,

    #[command(flatten)]
    pub(crate) limits: LimitArguments,
}

/// What the lines of the log look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl From<LogFormat> for Layout {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Text => Self::Text,
            LogFormat::Json => Self::Json,
        }
    }
}

/// Who may connect.
#[derive(Debug, Args)]
#[command(next_help_heading = "Who may connect (one way at most)")]
pub(crate) struct AuthenticationArguments {
    /// One password for all devices. Where the words name an existing file, its first line is the password
    #[arg(short = 'P', long, num_args = 1.., action = ArgAction::Set, value_name = "WORDS or FILE", allow_negative_numbers = true)]
    pub(crate) auth_password: Option<Vec<String>>,

    /// Devices log in with a username and a password; see `msl-network user`
    #[arg(long)]
    pub(crate) auth_login: bool,

    /// Only devices on trusted computers may connect; see `msl-network hostname`
    #[arg(long)]
    pub(crate) auth_hostname: bool,

    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
}

/// Where a Manager keeps what it remembers.
#[derive(Clone, Debug, Args)]
pub(crate) struct DatabaseArguments {
    /// Database of users, trusted host names and connections; made if missing
    /// [default: manager.redb in the home folder]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
}

impl DatabaseArguments {
    /// The database that was named, or the default one.
    pub(crate) fn open(&self) -> Result<Store, Error> {
        Store::open(self.path()?)
    }

    /// The same for commands that only show what is in it.
    pub(crate) fn open_to_read(&self) -> Result<Store, Error> {
        Store::open_to_read(self.path()?)
    }

    fn path(&self) -> Result<PathBuf, Error> {
        match &self.database {
            Some(path) => Ok(path.clone()),
            None => Ok(Home::find()?.database()),
        }
    }
}

/// How much is kept of who connected when.
#[derive(Debug, Args)]
#[command(next_help_heading = "Record of connections, in the database")]
pub(crate) struct HistoryArguments {
    /// How long an entry is kept [default: 1year]
    #[arg(long, value_name = "TIME")]
    history_age: Option<Time>,

    /// How many entries are kept [default: 100000, about 15MB]
    #[arg(long, value_name = "NUMBER")]
    history_rows: Option<u64>,
}

impl HistoryArguments {
    pub(crate) fn limits(&self) -> ConnectionLimits {
        let default = ConnectionLimits::default();
        ConnectionLimits {
            age: self.history_age.map_or(default.age, Time::duration),
            rows: self.history_rows.unwrap_or(default.rows),
        }
    }
}

/// What connections are encrypted with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Certificate and private key (PEM)")]
pub(crate) struct TlsArguments {
    /// Certificate; without --key-file, the file holds the private key as well
    /// [default: certs/localhost.crt in the home folder, or HOST.crt; made if missing]
    // The alias is an abbreviation that `--connections` would take away.
    #[arg(short, long, alias = "c", value_name = "FILE")]
    pub(crate) cert_file: Option<PathBuf>,

    /// Private key; without --cert-file, the default certificate is made anew with it
    /// [default: keys/localhost.key in the home folder, or HOST.key; made if missing]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,

    /// Password of the private key. Where the words name an existing file, its first line is the password
    #[arg(short = 'D', long, num_args = 1.., action = ArgAction::Set, value_name = "WORDS or FILE", allow_negative_numbers = true)]
    pub(crate) key_file_password: Option<Vec<String>>,
}

const EXAMPLES: &str = "\
Examples:
  msl-network start                                   with the default settings
  msl-network start --port 8326                       on another port
  msl-network start --auth-password a good password   devices must know a password
  msl-network start --cert-file cert.pem --key-file key.pem

The home folder is $MSL_NETWORK_HOME, else .msl/network in your home.";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn start(arguments: &[&str]) -> Result<StartArguments, clap::Error> {
        let all = ["msl-network", "start"].iter().chain(arguments);
        Arguments::try_parse_from(all).map(|parsed| match parsed.command {
            Command::Start(arguments) => *arguments,
            other => panic!("{other:?} is not what was asked for"),
        })
    }

    #[test]
    fn the_definitions_agree_with_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_flag_has_its_short_form() {
        let parsed = start(&[
            "-p", "1", "-H", "h", "-P", "a", "b", "-c", "c", "-k", "k", "-D", "d", "e", "-G", "10", "-l",
            "l", "-d", "x",
        ])
        .unwrap();
        assert_eq!((parsed.port.as_str(), parsed.host.as_deref()), ("1", Some("h")));
        assert_eq!(parsed.authentication.auth_password.unwrap(), ["a", "b"]);
        assert_eq!(parsed.authentication.database.database.unwrap(), PathBuf::from("x"));
        assert_eq!(parsed.tls.key_file_password.unwrap(), ["d", "e"]);
        assert_eq!((parsed.log_level.as_str(), parsed.log_file), ("10", Some(PathBuf::from("l"))));
    }

    #[test]
    fn flags_may_be_abbreviated_and_an_exact_one_is_never_ambiguous() {
        let parsed = start(&["--disable", "--log-l", "DEBUG", "--key-file", "k"]).unwrap();
        assert!(parsed.disable_tls);
        assert_eq!(parsed.log_level, "DEBUG");
        assert_eq!(parsed.tls.key_file, Some(PathBuf::from("k")));
        assert!(start(&["--auth", "x"]).is_err());
    }

    #[test]
    fn what_abbreviates_a_flag_of_the_python_program_still_does() {
        let flags = [
            "auth-hostname",
            "auth-login",
            "auth-password",
            "cert-file",
            "database",
            "disable-tls",
            "host",
            "key-file",
            "key-file-password",
            "port",
            "log-level",
            "log-file",
            "help",
        ];
        for flag in flags {
            for end in 1..flag.len() {
                let short = &flag[..end];
                let unique = flags.iter().filter(|other| other.starts_with(short)).count() == 1;
                let alone = format!("--{short}");
                let with_value = format!("--{short}=1");
                if unique && flag != "help" {
                    let alone_too = ["auth-hostname", "auth-login", "disable-tls"].contains(&flag);
                    let argument = if alone_too { &alone } else { &with_value };
                    assert!(start(&[argument]).is_ok(), "{argument}");
                }
            }
        }
    }

    #[test]
    fn a_password_ends_at_the_next_flag() {
        let parsed = start(&["--auth-password", "a", "good", "-5", "-p", "7"]).unwrap();
        assert_eq!(parsed.authentication.auth_password.unwrap(), ["a", "good", "-5"]);
        assert_eq!(parsed.port, "7");
    }

    #[test]
    fn the_last_of_a_repeated_flag_counts() {
        let parsed = start(&["-p", "1", "-p", "2", "-P", "a", "-P", "b", "c"]).unwrap();
        assert_eq!(parsed.port, "2");
        assert_eq!(parsed.authentication.auth_password.unwrap(), ["b", "c"]);
    }

    #[test]
    fn a_negative_port_reaches_the_check_that_names_it() {
        assert_eq!(start(&["-p", "-5"]).unwrap().port, "-5");
    }
}
