//! `msl-network certgen`: a self-signed certificate in a file.

use std::process::ExitCode;

use msl_network_manager::certificate::{self, Hash, Subject, Terms};
use msl_network_manager::{Error, Home, Kind, computer, key};

use crate::arguments::CertgenArguments;
use crate::output::{end, print};
use crate::password;

/// Runs the command.
pub(crate) fn run(arguments: &CertgenArguments) -> ExitCode {
    end(make(arguments))
}

fn make(arguments: &CertgenArguments) -> Result<(), Error> {
    let years = arguments.years_valid.trim().parse().ok().filter(|years| *years > 0.0);
    let years: f64 =
        years.ok_or_else(|| Error::new(Kind::Value, "The --years-valid value must be a positive number"))?;
    let given = arguments.key_file_password.as_deref();
    let mut password = password::of_flag(given, "--key-file-password", "key password")?;
    let hash = arguments.algorithm.as_deref().map(Hash::parse).transpose()?;
    let key_path = if let Some(path) = &arguments.key_file {
        path.clone()
    } else {
        let path = Home::find()?.default_key(None);
        key::make_missing(&path, password.as_ref())?;
        path
    };
    if password.is_none() {
        password = password::ask_for_key(&key_path)?;
    }
    let key = key::read(&key_path, password.as_ref())?.ok_or_else(|| key::none_in(&key_path))?;
    let path = match &arguments.out {
        Some(path) => path.clone(),
        None => Home::find()?.default_certificate(None),
    };
    let subject = Subject::this_computer(&computer::host_name(), None);
    certificate::make(&path, &key, &subject, Terms { years, hash })?;
    print(format_args!("Created the self-signed certificate '{}'", path.display()));
    if arguments.show {
        print(format_args!("\n{}", certificate::details(&path)?));
    }
    Ok(())
}
