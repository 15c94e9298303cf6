//! The private key of a Manager: made where there is none, read in the forms that users have.
//!
//! Read are PKCS#8, PKCS#1 (`RSA PRIVATE KEY`, what the Python Manager writes) and SEC1 (`EC PRIVATE KEY`), none of them
//! encrypted. This module never writes over an existing key: a lost key cannot be had back.

use std::fs;
use std::path::Path;

use msl_network_trust::file::{self, Readers};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::{self, PemObject};

use crate::{Error, Kind};

/// What PEM says of an encrypted key: as PKCS#8, and in the older form that Python programs write.
const MARKS_OF_ENCRYPTION: [&str; 2] = ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED"];

/// Makes an RSA key of 2048 bits at this path (PKCS#8, PEM), readable by its owner alone, unless a file is there.
///
/// # Errors
/// Where the file cannot be written.
pub fn make(path: &Path) -> Result<(), Error> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
        .map_err(|error| Error::with_source(Kind::Runtime, format!("cannot make a key: {error}"), error))?;
    // Another Manager that starts at the same moment may have been faster: its key is as good, and both must agree.
    file::write_new(path, key.serialize_pem().as_bytes(), Readers::Owner)
        .map(drop)
        .map_err(|error| Error::io("cannot write", path, error))
}

/// Reads the first private key in a PEM file; `None` where the file holds none. Certificates and parameters in it are
/// passed over.
///
/// # Errors
/// Where the file cannot be read, or its key is encrypted, damaged, or of a kind that TLS does not serve.
pub fn read(path: &Path) -> Result<Option<PrivateKeyDer<'static>>, Error> {
    let content = fs::read(path).map_err(|error| Error::io("cannot read the private key", path, error))?;
    let text = String::from_utf8_lossy(&content);
    let error = |kind, what: &str| Error::new(kind, format!("the private key '{}' {what}", path.display()));
    if MARKS_OF_ENCRYPTION.iter().any(|mark| text.contains(mark)) {
        return Err(error(
            Kind::NotImplemented,
            "is encrypted, and this version cannot decrypt keys; use one that is not encrypted",
        ));
    }
    if text.contains("-----BEGIN DSA PRIVATE KEY-----") {
        return Err(error(
            Kind::Value,
            "is a DSA key, which TLS does not serve; use an RSA or an elliptic-curve key",
        ));
    }
    let key = match PrivateKeyDer::from_pem_slice(&content) {
        Ok(key) => key,
        Err(pem::Error::NoItemsFound) => return Ok(None),
        Err(cause) => return Err(error(Kind::Value, &format!("is damaged: {cause}"))),
    };
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// A key that the `openssl` program writes; `None` on a computer without it.
    fn openssl(arguments: &[&str], path: &Path) -> Option<()> {
        let output = Command::new("openssl").args(arguments).arg("-out").arg(path).output().ok()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(())
    }

    #[test]
    fn a_key_that_was_made_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys").join("localhost.key");
        make(&path).unwrap();
        assert!(fs::read_to_string(&path).unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
        assert!(matches!(read(&path).unwrap(), Some(PrivateKeyDer::Pkcs8(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_is_readable_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_existing_file_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        fs::write(&path, "mine").unwrap();
        make(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn the_older_forms_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let rsa = folder.path().join("rsa.key");
        if openssl(&["genrsa", "-traditional"], &rsa).is_none() {
            return; // no openssl program here
        }
        assert!(matches!(read(&rsa).unwrap(), Some(PrivateKeyDer::Pkcs1(_))));
        for curve in ["prime256v1", "secp384r1", "secp521r1"] {
            // OpenSSL puts a section of parameters before the key.
            let ec = folder.path().join("ec.key");
            openssl(&["ecparam", "-genkey", "-name", curve], &ec).unwrap();
            assert!(matches!(read(&ec).unwrap(), Some(PrivateKeyDer::Sec1(_))), "{curve}");
        }
    }

    #[test]
    fn an_encrypted_key_is_an_error_that_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        for text in [
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
        ] {
            fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err();
            assert_eq!(error.kind(), Kind::NotImplemented);
            assert!(error.to_string().contains("is encrypted"), "{error}");
        }
    }

    #[test]
    fn a_file_without_a_key_is_none_and_a_damaged_key_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        fs::write(&path, "hello").unwrap();
        assert!(read(&path).unwrap().is_none());
        for damaged in [
            "-----BEGIN PRIVATE KEY-----\nAAAA\n",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\n?\n-----END PRIVATE KEY-----\n",
        ] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(read(&path).unwrap_err().kind(), Kind::Value, "{damaged}");
        }
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(&folder.path().join("none")).unwrap_err().kind(), Kind::FileNotFound);
    }
}
