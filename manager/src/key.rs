//! The private key of a Manager: made where there is none, read in the forms that users have.
//!
//! Read are PKCS#8, PKCS#1 (`RSA PRIVATE KEY`) and SEC1 (`EC PRIVATE KEY`); encrypted as PKCS#8 does it and as the older
//! header `Proc-Type: 4,ENCRYPTED` says it, which the Python Manager writes. Written is PKCS#8 alone.
//!
//! Easy to get wrong: a lost key cannot be had back. Only [`make`], which a person asks for by name, replaces a file.

mod algorithm;
mod encrypted;
mod legacy;
mod section;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ::pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use msl_network_trust::file::{self, Readers};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;

pub use algorithm::Algorithm;

use crate::{Error, Kind, Secret};
use section::{Problem, Section};

/// The largest file that is read for a key, in bytes. A key and a chain of certificates need a hundredth of it.
const LARGEST_FILE: u64 = 1024 * 1024;

/// The mark of a DSA key in PKCS#8: id-dsa of RFC 3279.
const DSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");

/// Makes a key at this path (PKCS#8, PEM), readable by its owner alone, encrypted where a password is given. Replaces a
/// file that is there.
///
/// # Errors
/// Where the file cannot be written.
pub fn make(path: &Path, algorithm: Algorithm, password: Option<&Secret>) -> Result<(), Error> {
    let pem = encrypted::to_pem(&algorithm.generate()?, password)?;
    file::write(path, pem.as_bytes(), Readers::Owner).map_err(|error| Error::io("cannot write", path, error))
}

/// Makes a key as [`make`] does, of the default [`Algorithm`], unless a file is there.
///
/// # Errors
/// Where the file cannot be written.
pub fn make_missing(path: &Path, password: Option<&Secret>) -> Result<(), Error> {
    if path.exists() {
        return Ok(());
    }
    let pem = encrypted::to_pem(&Algorithm::default().generate()?, password)?;
    // Another Manager that starts at the same moment may have been faster: its key is as good, and both must agree.
    file::write_new(path, pem.as_bytes(), Readers::Owner)
        .map(drop)
        .map_err(|error| Error::io("cannot write", path, error))
}

/// Whether the first private key in a PEM file is encrypted; `None` where there is no file, or no key in it.
///
/// # Errors
/// Where the file cannot be read.
pub fn is_encrypted(path: &Path) -> Result<Option<bool>, Error> {
    if !path.exists() {
        return Ok(None);
    }
    Ok(Section::first_key(&content(path)?).map(|section| section.is_encrypted()))
}

/// Reads the first private key in a PEM file, for TLS; `None` where the file holds none. Certificates and parameters in it
/// are passed over.
///
/// # Errors
/// Where the file cannot be read; its key is damaged, or of a kind that TLS does not serve; or where a password is
/// missing, wrong, or given for a key that is not encrypted.
pub fn read(path: &Path, password: Option<&Secret>) -> Result<Option<PrivateKeyDer<'static>>, Error> {
    let content = content(path)?;
    let Some(section) = Section::first_key(&content) else { return Ok(None) };
    let error = |kind, what: &str| Error::new(kind, format!("the private key '{}' {what}", path.display()));
    let is_dsa =
        || error(Kind::Value, "is a DSA key, which TLS does not serve; use an RSA or an elliptic-curve key");
    if section.is_dsa() {
        return Err(is_dsa());
    }
    let key = match (section.is_encrypted(), password) {
        (true, None) => {
            return Err(error(Kind::Type, "is encrypted; give its password with --key-file-password"));
        }
        (false, Some(_)) => return Err(error(Kind::Type, "is not encrypted; leave the password out")),
        (_, password) => section.key(password.map(Secret::expose)),
    };
    let key = key.map_err(|problem| match problem {
        Problem::Password => error(
            Kind::Value,
            "cannot be decrypted: the password is wrong, or the file is damaged",
        ),
        Problem::Unsupported(what) => error(
            Kind::Value,
            &format!(
                "is {what}, which is not supported; `openssl pkcs8 -topk8 -v2 aes256` writes it in a form that is"
            ),
        ),
        Problem::Damaged(what) => error(Kind::Value, &format!("is damaged: {what}")),
    })?;
    if let PrivateKeyDer::Pkcs8(der) = &key
        && PrivateKeyInfoRef::try_from(der.secret_pkcs8_der()).is_ok_and(|info| info.algorithm.oid == DSA)
    {
        return Err(is_dsa());
    }
    any_supported_type(&key).map_err(|cause| {
        error(
            Kind::Value,
            &format!(
                "cannot be used; RSA keys of 2048 bits and more, P-256, P-384, P-521 and Ed25519 can: {cause}"
            ),
        )
    })?;
    Ok(Some(key))
}

/// The error for a file that should hold a private key, and holds none.
pub fn none_in(path: &Path) -> Error {
    let text = format!("there is no private key in '{}'; a PEM file is expected", path.display());
    Error::new(Kind::Value, text)
}

fn content(path: &Path) -> Result<Vec<u8>, Error> {
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut content))
        .map_err(|error| Error::io("cannot read the private key", path, error))?;
    if content.len() as u64 > LARGEST_FILE {
        let text = format!("'{}' is no private key: it is larger than {LARGEST_FILE} bytes", path.display());
        return Err(Error::new(Kind::Value, text));
    }
    Ok(content)
}

#[cfg(test)]
mod tests;
