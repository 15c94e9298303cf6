//! Certificates in files, and their fingerprints.

use std::error::Error;
use std::fmt::{self, Write};
use std::fs;
use std::io;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The certificates that are read from one file at most: a chain is a handful, and a file of thousands is a mistake.
const MOST: usize = 32;

/// Reads the certificates in a PEM file, in order. What else is in it, such as a private key, is passed over.
///
/// # Errors
/// The file cannot be read, holds no certificate, or a damaged one.
pub fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, ReadError> {
    let content = fs::read(path).map_err(ReadError::Io)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).take(MOST).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(ReadError::None),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(ReadError::Damaged(error.to_string())),
    }
}

/// Why there are no certificates.
#[derive(Debug)]
pub enum ReadError {
    /// The file cannot be read.
    Io(io::Error),
    /// The file holds no certificate.
    None,
    /// One of them is damaged.
    Damaged(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::None => f.write_str("there is no certificate in it; a PEM file is expected"),
            Self::Damaged(error) => write!(f, "it is damaged: {error}"),
        }
    }
}

impl Error for ReadError {}

/// The SHA-256 fingerprint of a certificate: hexadecimal numbers with colons, as OpenSSL and browsers show it.
///
/// ```
/// let fingerprint = msl_network_trust::certificate::fingerprint(&b"abc".as_slice().into());
/// assert!(fingerprint.starts_with("BA:78:16:BF:"));
/// assert_eq!(fingerprint.len(), 32 * 3 - 1);
/// ```
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let mut text = String::new();
    for (index, byte) in digest(&SHA256, certificate).as_ref().iter().enumerate() {
        let colon = if index > 0 { ":" } else { "" };
        // Writing to a String never fails.
        let _ = write!(text, "{colon}{byte:02X}");
    }
    text
}

/// The certificate as the text of a PEM file.
pub(crate) fn to_pem(certificate: &CertificateDer<'_>) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new("CERTIFICATE", certificate.to_vec()), config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_as_pem_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.crt");
        let certificate = CertificateDer::from(vec![7; 100]);
        fs::write(&path, to_pem(&certificate)).unwrap();
        assert_eq!(read(&path).unwrap(), [certificate]);
    }

    #[test]
    fn a_file_without_a_certificate_is_an_error_that_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.crt");
        assert!(matches!(read(&path), Err(ReadError::Io(_))));
        fs::write(&path, "hello").unwrap();
        assert!(matches!(read(&path), Err(ReadError::None)));
        fs::write(&path, "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n").unwrap();
        assert!(matches!(read(&path), Err(ReadError::Damaged(_))));
    }
}
