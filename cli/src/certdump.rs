//! `msl-network certdump`: the details of a certificate, to be read.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use msl_network_manager::{Error, Kind, certificate};

use crate::arguments::CertdumpArguments;
use crate::output::{end, print};

/// Runs the command.
pub(crate) fn run(arguments: &CertdumpArguments) -> ExitCode {
    end(dump(arguments))
}

fn dump(arguments: &CertdumpArguments) -> Result<(), Error> {
    let path = &arguments.certificate;
    if !path.is_file() {
        return Err(Error::new(Kind::Plain, format!("Cannot find {}", path.display())));
    }
    let details = certificate::details(path)?;
    match &arguments.out {
        None => print(details),
        Some(out) => {
            write(out, &format!("Certificate details for {}\n{details}\n", path.display()))
                .map_err(|error| Error::io("cannot write", out, error))?;
            print(format_args!("Dumped the certificate details to {}", out.display()));
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}
