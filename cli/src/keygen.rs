//! `msl-network keygen`: a private key in a file.

use std::process::ExitCode;

use msl_network_manager::key::{self, Algorithm};
use msl_network_manager::{Error, Home, Kind};

use crate::arguments::{KeyAlgorithm, KeygenArguments};
use crate::output::{end, print, tell};
use crate::password;

/// Runs the command.
pub(crate) fn run(arguments: &KeygenArguments) -> ExitCode {
    if asks(arguments) && !password::can_ask() {
        tell("error: --password needs words or the name of a file where there is no terminal to ask on");
        return ExitCode::from(2);
    }
    end(make(arguments))
}

/// `--password` without words.
fn asks(arguments: &KeygenArguments) -> bool {
    arguments.password.as_ref().is_some_and(Vec::is_empty)
}

fn make(arguments: &KeygenArguments) -> Result<(), Error> {
    let bits = arguments.size.trim().parse().ok().filter(|bits| *bits > 0);
    let bits: u32 =
        bits.ok_or_else(|| Error::new(Kind::Value, "The --size value must be a positive integer"))?;
    let (algorithm, name) = match arguments.algorithm {
        KeyAlgorithm::Rsa => (Algorithm::rsa(bits)?, "RSA"),
        KeyAlgorithm::Dsa => (Algorithm::dsa(bits)?, "DSA"),
        KeyAlgorithm::Ecc => (Algorithm::ecc(&arguments.curve)?, "ECC"),
    };
    let password = if asks(arguments) {
        Some(password::ask_for_new()?)
    } else {
        password::of_flag(arguments.password.as_deref(), "--password", "key password")?
    };
    let path = match &arguments.out {
        Some(path) => path.clone(),
        None => Home::find()?.default_key(None),
    };
    key::make(&path, algorithm, password.as_ref())?;
    print(format_args!("Created private {name} key '{}'", path.display()));
    Ok(())
}
