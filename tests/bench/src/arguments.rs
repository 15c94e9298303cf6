//! The arguments of the program, as `clap` reads them.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::peer::Kind;

/// Measures what a Manager costs, beside a bare relay, the Python Manager and NATS.
#[derive(Debug, Parser)]
#[command(max_term_width = 100, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) mode: Option<Mode>,

    #[command(flatten)]
    pub(crate) measure: MeasureArguments,
}

/// What a child of this program is.
#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    /// The bare relay (the program starts it by itself)
    #[command(hide = true)]
    Relay {
        port: u16,
        /// With TLS
        certificate: Option<PathBuf>,
        key: Option<PathBuf>,
    },
    /// A service that is written with this project's library (the program starts it by itself)
    #[command(hide = true)]
    Service {
        port: u16,
        /// With TLS
        certificate: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct MeasureArguments {
    /// Rows whose name has one of these in it, e.g. `16x16;TLS`; with `=` before it, a row of just that name [default: all]
    #[arg(long, value_delimiter = ';', value_name = "NAME;...")]
    pub(crate) rows: Vec<String>,

    /// Who is measured; the first one is what the others are compared with
    #[arg(long, value_delimiter = ',', default_value = "relay,ours-tokio,ours-smol,nats,python")]
    pub(crate) peers: Vec<Kind>,

    /// How long each measurement takes
    #[arg(long, default_value = "2")]
    seconds: f64,

    /// How often each is made; the table shows medians
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,

    /// The program of this project [default: built now]
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) ours: Option<PathBuf>,

    /// Another build of it, to compare with: the peers `other-tokio` and `other-smol`
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) other: Option<PathBuf>,

    /// A Python interpreter that has the package [default: an environment is made, as for the tests]
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) python: Option<PathBuf>,
}

impl MeasureArguments {
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// Whether the row of that name is asked for.
    pub(crate) fn wants(&self, row: impl Display) -> bool {
        let row = row.to_string();
        self.rows.is_empty()
            || self.rows.iter().any(|wanted| match wanted.strip_prefix('=') {
                Some(name) => name == row,
                None => row.contains(wanted),
            })
    }
}
