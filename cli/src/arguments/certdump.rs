//! The arguments of `certdump`.

use std::path::PathBuf;

use clap::Args;

/// Show the details of a certificate.
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true, after_help = EXAMPLES)]
pub(crate) struct CertdumpArguments {
    /// The certificate (PEM)
    #[arg(value_name = "CERT")]
    pub(crate) certificate: PathBuf,

    /// File to write the details to [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  msl-network certdump cert.pem                    on the terminal
  msl-network certdump cert.pem --out details.txt  in a file";
