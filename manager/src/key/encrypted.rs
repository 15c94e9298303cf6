//! PKCS#8, encrypted with a password (PBES2) or not: how keys are written, and the newer way of reading them.
//!
//! Easy to get wrong: the file says how much work its password takes, so a file can ask for a day of work or for more memory
//! than there is. Such files are refused before the work begins.

use pem::{EncodeConfig, LineEnding, Pem};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, SecretDocument};
use rustls::crypto::aws_lc_rs::default_provider;

use super::section::Problem;
use crate::{Error, Kind, Secret};

/// Rounds of HMAC-SHA-256 between a password and a key that is written: what OWASP advises, some tenths of a second. Not
/// scrypt: the Python Manager's OpenSSL has too low a limit on its memory for good parameters.
const ROUNDS: u32 = 600_000;

/// The most rounds in a file that is read: about ten seconds.
const MOST_ROUNDS: u32 = 20_000_000;

/// The most memory that scrypt may take for a file that is read, in bytes; OpenSSL's default takes 16 MiB.
const MOST_MEMORY: u64 = 512 * 1024 * 1024;

/// How often scrypt may go over its memory; the usual value is 1.
const MOST_PASSES: u16 = 16;

/// A key as the text of a PEM file, encrypted where there is a password.
pub(super) fn to_pem(der: &[u8], password: Option<&Secret>) -> Result<String, Error> {
    let (label, content) = match password {
        None => ("PRIVATE KEY", der.to_vec()),
        Some(password) => ("ENCRYPTED PRIVATE KEY", encrypt(der, password)?.as_bytes().to_vec()),
    };
    Ok(pem::encode_config(&Pem::new(label, content), EncodeConfig::new().set_line_ending(LineEnding::LF)))
}

fn encrypt(der: &[u8], password: &Secret) -> Result<SecretDocument, Error> {
    let failed =
        |cause: &dyn std::fmt::Display| Error::new(Kind::Runtime, format!("cannot encrypt the key: {cause}"));
    let (mut salt, mut vector) = ([0; 16], [0; 16]);
    for random in [&mut salt, &mut vector] {
        default_provider().secure_random.fill(random).map_err(|_| failed(&"there is no randomness"))?;
    }
    let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, vector)
        .map_err(|cause| failed(&cause))?;
    PrivateKeyInfoRef::try_from(der)
        .map_err(|cause| failed(&cause))?
        .encrypt_with_params(parameters, password.expose())
        .map_err(|cause| failed(&cause))
}

/// Decrypts the content of `ENCRYPTED PRIVATE KEY`: PBES2 with PBKDF2 or scrypt, AES or DES.
pub(super) fn decrypt(der: &[u8], password: &[u8]) -> Result<Vec<u8>, Problem> {
    // What is not known to the parser looks like what is damaged.
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|cause| {
        Problem::Unsupported(format!("damaged, or encrypted in an unusual way ({cause})"))
    })?;
    let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return Err(Problem::Unsupported("encrypted as PKCS#5 1.5 does it".into()));
    };
    if is_too_costly(&parameters.kdf) {
        return Err(Problem::Unsupported("encrypted with a key that takes too much work to derive".into()));
    }
    let key = info.decrypt(password).map_err(|_| Problem::Password)?;
    Ok(key.as_bytes().to_vec())
}

fn is_too_costly(derivation: &Kdf) -> bool {
    match derivation {
        Kdf::Pbkdf2(parameters) => parameters.iteration_count > MOST_ROUNDS,
        Kdf::Scrypt(parameters) => {
            let memory = parameters.cost_parameter.saturating_mul(128 * u64::from(parameters.block_size));
            memory > MOST_MEMORY || parameters.parallelization > MOST_PASSES
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pkcs8::der::Encode;
    use pkcs8::der::asn1::OctetStringRef;

    fn file(parameters: Parameters) -> Vec<u8> {
        let encrypted_data = OctetStringRef::new(&[0; 16]).unwrap();
        EncryptedPrivateKeyInfoRef { encryption_algorithm: parameters.into(), encrypted_data }
            .to_der()
            .unwrap()
    }

    #[test]
    fn a_file_that_asks_for_endless_work_is_refused_at_once() {
        let few = Parameters::generate_pbkdf2_sha256_aes256cbc(1, &[0; 8], [0; 16]).unwrap();
        assert!(matches!(decrypt(&file(few), b"hush"), Err(Problem::Password)));
        let many = Parameters::generate_pbkdf2_sha256_aes256cbc(MOST_ROUNDS + 1, &[0; 8], [0; 16]).unwrap();
        assert!(matches!(decrypt(&file(many), b"hush"), Err(Problem::Unsupported(_))));
    }

    #[test]
    fn a_file_that_asks_for_all_memory_is_refused() {
        let scrypt = |log_n, r, p| {
            let parameters = pkcs8::pkcs5::scrypt::Params::new(log_n, r, p).unwrap();
            Parameters::generate_scrypt_aes256cbc(parameters, &[0; 8], [0; 16]).unwrap()
        };
        assert!(!is_too_costly(&scrypt(14, 8, 1).kdf));
        assert!(is_too_costly(&scrypt(20, 8, 1).kdf));
        assert!(is_too_costly(&scrypt(14, 8, 100).kdf));
    }
}
