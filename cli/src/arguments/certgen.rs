//! The arguments of `certgen`.

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// Make a self-signed certificate for this computer.
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true, after_help = EXAMPLES)]
pub(crate) struct CertgenArguments {
    /// File to write; one that is there is replaced [default: certs/localhost.crt in the home folder]
    pub(crate) out: Option<PathBuf>,

    /// Hash function of the signature: SHA256, SHA384 or SHA512 [default: SHA256, or that of the key's curve]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) algorithm: Option<String>,

    /// Private key to sign with [default: keys/localhost.key in the home folder; made if missing]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,

    /// Password of the private key. Where the words name an existing file, its first line is the password
    #[arg(short = 'p', long, num_args = 1.., action = ArgAction::Set, value_name = "WORDS or FILE", allow_negative_numbers = true)]
    pub(crate) key_file_password: Option<Vec<String>>,

    /// Years that the certificate is valid; 0.25 is three months
    #[arg(short, long, value_name = "YEARS", default_value = "100", allow_negative_numbers = true)]
    pub(crate) years_valid: String,

    /// Show the details of the new certificate
    #[arg(long)]
    pub(crate) show: bool,
}

const EXAMPLES: &str = "\
Examples:
  msl-network certgen                                  with the default key, in the home folder
  msl-network certgen cert.pem --key-file key.pem      with a key of your own
  msl-network certgen --years-valid 0.5 --show         valid for half a year

Devices trust exactly this certificate: each of them needs the new one.";
