//! The hash functions that certificates are signed with, and which key takes which.

use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_RSA_SHA256,
    PKCS_RSA_SHA384, PKCS_RSA_SHA512,
};
use rustls::pki_types::PrivateKeyDer;

use super::failed;
use crate::{Error, Kind};

/// A hash function that a certificate is signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// The one of that name, in whatever case: SHA256, SHA384, SHA512.
    ///
    /// # Errors
    /// Where it is another one.
    pub fn parse(name: &str) -> Result<Self, Error> {
        let name = name.to_uppercase();
        let known = [Self::Sha256, Self::Sha384, Self::Sha512];
        known.into_iter().find(|hash| hash.name() == name).ok_or_else(|| {
            let names = known.map(Self::name).join(", ");
            Error::new(
                Kind::Value,
                format!("Invalid hash algorithm '{name}'. Allowed algorithms are\n{names}"),
            )
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA256",
            Self::Sha384 => "SHA384",
            Self::Sha512 => "SHA512",
        }
    }
}

/// The key as it signs: RSA with any hash function, others with one only.
pub(super) fn key_pair(key: &PrivateKeyDer<'_>, hash: Option<Hash>) -> Result<KeyPair, Error> {
    let pair = KeyPair::try_from(key).map_err(failed)?;
    let Some(hash) = hash else { return Ok(pair) };
    let own = match pair.algorithm() {
        rsa if *rsa == PKCS_RSA_SHA256 => {
            let algorithm = match hash {
                Hash::Sha256 => &PKCS_RSA_SHA256,
                Hash::Sha384 => &PKCS_RSA_SHA384,
                Hash::Sha512 => &PKCS_RSA_SHA512,
            };
            return KeyPair::from_der_and_sign_algo(key, algorithm).map_err(failed);
        }
        curve if *curve == PKCS_ECDSA_P256_SHA256 => Hash::Sha256,
        curve if *curve == PKCS_ECDSA_P384_SHA384 => Hash::Sha384,
        curve if *curve == PKCS_ECDSA_P521_SHA512 => Hash::Sha512,
        _ => {
            return Err(Error::new(
                Kind::Value,
                "this key signs without a choice of hash algorithm; leave it out",
            ));
        }
    };
    if own == hash {
        return Ok(pair);
    }
    let text = format!("a key of this curve signs with {}, and not with {}", own.name(), hash.name());
    Err(Error::new(Kind::Value, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{self, Algorithm};

    #[test]
    fn rsa_keys_sign_with_every_hash_and_a_curve_with_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let all = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
        for (algorithm, allowed) in [
            (Algorithm::default(), &all[..]),
            (Algorithm::ecc("SECP256R1").unwrap(), &all[..1]),
            (Algorithm::ecc("secp384r1").unwrap(), &all[1..2]),
            (Algorithm::ecc("SECP521R1").unwrap(), &all[2..]),
        ] {
            key::make(&path, algorithm, None).unwrap();
            let key = key::read(&path, None).unwrap().unwrap();
            assert!(key_pair(&key, None).is_ok());
            for hash in all {
                assert_eq!(
                    key_pair(&key, Some(hash)).is_ok(),
                    allowed.contains(&hash),
                    "{algorithm:?} {hash:?}"
                );
            }
        }
    }

    #[test]
    fn a_hash_has_its_name_in_whatever_case() {
        assert_eq!(Hash::parse("sha384").unwrap(), Hash::Sha384);
        let error = Hash::parse("md5").unwrap_err().to_string();
        assert!(error.starts_with("ValueError: Invalid hash algorithm 'MD5'. "), "{error}");
    }
}
