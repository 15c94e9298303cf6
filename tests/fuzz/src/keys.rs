//! Any bytes in a file that is read as a private key, and as certificates.
//!
//! The rules: an error at most, never a panic; and a key is either encrypted or not.

use std::fs;

use msl_network_manager::{Secret, certificate, key};

/// Decrypting takes as long as such a file says, up to many seconds: that is for tests of its own.
const SLOW: &[u8] = b"ENCRYPTED PRIVATE KEY";

/// Any bytes in a file that is read as a private key, and as certificates.
pub fn keys(data: &[u8]) {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let path = folder.path().join("a.pem");
    fs::write(&path, data).expect("a temporary file can be written");

    let encrypted = key::is_encrypted(&path).expect("the file can be read");
    let plain = key::read(&path, None);
    match encrypted {
        None => assert!(matches!(plain, Ok(None)), "a key where none is: {plain:?}"),
        Some(true) => assert!(plain.is_err(), "read without its password"),
        Some(false) => {
            assert!(
                key::read(&path, Some(&Secret::new("secret"))).is_err(),
                "read with a password that it has not"
            );
        }
    }
    if encrypted == Some(true) && !data.windows(SLOW.len()).any(|window| window == SLOW) {
        // Whether it can be read depends on the file.
        let _ = key::read(&path, Some(&Secret::new("secret")));
    }
    if let Ok(certificates) = certificate::read(&path) {
        assert!(!certificates.is_empty(), "no certificate is an error");
    }
    if let Ok(details) = certificate::details(&path) {
        assert!(certificate::read(&path).is_ok(), "details of no certificate: {details}");
    }
}
