//! The arguments of `keygen`.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

/// Make a private key.
#[derive(Debug, Args)]
#[command(infer_long_args = true, args_override_self = true, after_help = EXAMPLES)]
pub(crate) struct KeygenArguments {
    /// Kind of key; TLS serves rsa and ecc
    #[arg(value_enum, default_value = "rsa")]
    pub(crate) algorithm: KeyAlgorithm,

    /// Elliptic curve of an ecc key: SECP256R1, SECP384R1 or SECP521R1
    #[arg(short, long, default_value = "SECP384R1")]
    pub(crate) curve: String,

    /// Encrypt the key with this password; without words, it is asked for. Where the words name an existing file, its first
    /// line is the password
    #[arg(short, long, num_args = 0.., action = ArgAction::Set, value_name = "WORDS or FILE", allow_negative_numbers = true)]
    pub(crate) password: Option<Vec<String>>,

    /// File to write; one that is there is replaced [default: keys/localhost.key in the home folder]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Size of an rsa key (2048, 3072, 4096 or 8192) or a dsa key (2048 or 3072) in bits
    #[arg(short, long, value_name = "BITS", default_value = "2048", allow_negative_numbers = true)]
    pub(crate) size: String,
}

/// What keys can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyAlgorithm {
    Rsa,
    Dsa,
    Ecc,
}

const EXAMPLES: &str = "\
Examples:
  msl-network keygen                             RSA, 2048 bits, not encrypted, in the home folder
  msl-network keygen ecc --curve SECP256R1       with an elliptic curve
  msl-network keygen --password --out key.pem    encrypted with a password that is asked for

To use a key: msl-network certgen, msl-network start --key-file.";
