//! Passwords as they are kept: hashes in the PHC string form, `$algorithm$parameters$salt$hash`.
//!
//! New ones are Argon2id. Those of the Python package are PBKDF2 with SHA-256; they are checked, and replaced by one of
//! ours when the password is known, at a login.
//!
//! Easy to get wrong: the time must not tell who is a user. An unknown user costs a check against a hash that fits no
//! password; and as long as hashes of the Python package are left, everybody costs a check of both kinds.

use std::num::NonZeroU32;

use argon2::password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::pbkdf2;

use crate::{Error, Kind, Secret};

/// The longest password in bytes: the protocol takes no longer one.
pub(super) const LONGEST: usize = 4096;

/// Memory in KiB, passes and lanes of Argon2id: the least that OWASP recommends, as a Manager may be a Raspberry Pi.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What no password hashes to, with the parameters above.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The Python package's algorithm, as a PHC string names it, and how often that package repeats it.
const PYTHON: &str = "pbkdf2-sha256";
const PYTHON_ITERATIONS: u32 = 100_000;

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Another password.
    Wrong,
    /// The password.
    Right,
    /// The password. Its hash is one of the Python package, and this is what to keep instead.
    RightButOld(String),
}

/// The hash of a new password, with a salt of its own.
pub(super) fn hash(password: &Secret) -> Result<String, Error> {
    hash_of(password.expose())
}

fn hash_of(password: &str) -> Result<String, Error> {
    let hash: PasswordHash = argon2().hash_password(password.as_bytes()).map_err(failed)?;
    Ok(hash.to_string())
}

/// Checks a password against the hash of a user, or against nothing where there is none; both take the same time. With
/// `with_python_records`, some users still have hashes of the Python package.
pub(super) fn verify(
    hash: Option<&str>,
    password: &str,
    with_python_records: bool,
) -> Result<Verdict, Error> {
    match hash {
        Some(hash) if is_of_python(hash) => {
            if verify_python(hash, password)? {
                return hash_of(password).map(Verdict::RightButOld);
            }
            verify_ours(NOBODY, password)?;
            Ok(Verdict::Wrong)
        }
        hash => {
            if with_python_records {
                verify_python(&of_python(&[0; 32], &[0; 16])?, password)?;
            }
            let right = verify_ours(hash.unwrap_or(NOBODY), password)?;
            Ok(if right && hash.is_some() { Verdict::Right } else { Verdict::Wrong })
        }
    }
}

/// Whether the Python package has made this hash.
pub(super) fn is_of_python(hash: &str) -> bool {
    hash.strip_prefix('$')
        .and_then(|rest| rest.strip_prefix(PYTHON))
        .is_some_and(|rest| rest.starts_with('$'))
}

/// A key and a salt as the Python package keeps them.
///
/// # Errors
/// When they are none that a password could be checked with.
pub(super) fn of_python(key: &[u8], salt: &[u8]) -> Result<String, Error> {
    let make = || -> Result<_, argon2::password_hash::phc::Error> {
        let mut params = ParamsString::new();
        params.add_decimal("i", PYTHON_ITERATIONS)?;
        Ok(PasswordHash {
            algorithm: Ident::new(PYTHON)?,
            version: None,
            params,
            salt: Some(Salt::new(salt)?),
            hash: Some(Output::new(key)?),
        })
    };
    make().map(|hash| hash.to_string()).map_err(|error| damaged(&error.to_string()))
}

fn verify_ours(hash: &str, password: &str) -> Result<bool, Error> {
    let hash = PasswordHash::new(hash).map_err(|error| damaged(&error.to_string()))?;
    match argon2().verify_password(password.as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

fn verify_python(hash: &str, password: &str) -> Result<bool, Error> {
    let hash = PasswordHash::new(hash).map_err(|error| damaged(&error.to_string()))?;
    let iterations = hash.params.get_decimal("i").and_then(NonZeroU32::new);
    let (Some(iterations), Some(salt), Some(key)) = (iterations, &hash.salt, &hash.hash) else {
        return Err(damaged("it is incomplete"));
    };
    let verified =
        pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password.as_bytes(), key.as_bytes());
    Ok(verified.is_ok())
}

fn argon2() -> Argon2<'static> {
    let params =
        Params::new(MEMORY, PASSES, LANES, None).expect("the parameters are constants that Argon2 takes");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn failed(error: password_hash::Error) -> Error {
    Error::with_source(Kind::Runtime, format!("a password cannot be hashed: {error}"), error)
}

fn damaged(what: &str) -> Error {
    Error::new(Kind::Runtime, format!("the hash of a password is damaged; give that user a new one: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the Python package has made of the password "x" and this salt.
    const PYTHON_SALT: &[u8; 16] = b"0123456789abcdef";
    const PYTHON_KEY: [u8; 32] = [
        0x07, 0x6a, 0xa7, 0xcf, 0x64, 0x7f, 0x6a, 0xa7, 0xe0, 0x63, 0xc8, 0xd4, 0x9f, 0xbd, 0x27, 0x6e, 0x5d,
        0xfe, 0x0f, 0x96, 0x90, 0x3d, 0x8b, 0xec, 0xab, 0x0c, 0xcf, 0x09, 0x66, 0x69, 0xe0, 0xf9,
    ];

    #[test]
    fn a_password_fits_its_hash_and_no_other_does() {
        let hash = hash(&Secret::new("open sesame")).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(verify(Some(&hash), "open sesame", false).unwrap(), Verdict::Right);
        assert_eq!(verify(Some(&hash), "open sesam", true).unwrap(), Verdict::Wrong);
    }

    #[test]
    fn equal_passwords_have_different_hashes() {
        let secret = Secret::new("open sesame");
        assert_ne!(hash(&secret).unwrap(), hash(&secret).unwrap());
    }

    #[test]
    fn a_hash_of_the_python_package_is_checked_and_renewed() {
        let hash = of_python(&PYTHON_KEY, PYTHON_SALT).unwrap();
        assert_eq!(verify(Some(&hash), "y", true).unwrap(), Verdict::Wrong);
        let Verdict::RightButOld(renewed) = verify(Some(&hash), "x", true).unwrap() else {
            panic!("it is the password");
        };
        assert!(!is_of_python(&renewed));
        assert_eq!(verify(Some(&renewed), "x", false).unwrap(), Verdict::Right);
    }

    #[test]
    fn nobody_has_a_password() {
        assert_eq!(verify(None, "", true).unwrap(), Verdict::Wrong);
        assert_eq!(verify(None, "x", false).unwrap(), Verdict::Wrong);
    }

    #[test]
    fn the_hash_that_stands_for_nobody_costs_as_much_as_a_real_one() {
        let parts = |hash: &str| {
            let hash = PasswordHash::new(hash).unwrap();
            (hash.algorithm, hash.version, hash.params, hash.salt.unwrap().len(), hash.hash.unwrap().len())
        };
        assert_eq!(parts(NOBODY), parts(&hash(&Secret::new("x")).unwrap()));
    }

    #[test]
    fn a_damaged_hash_is_an_error_and_no_way_in() {
        for damaged in
            ["", "x", "$argon2id$", "$pbkdf2-sha256$i=0$AAAA$AAAA", "$pbkdf2-sha256$i=1", "$md5$AAAA$AAAA"]
        {
            assert!(verify(Some(damaged), "x", true).is_err(), "{damaged:?}");
        }
        assert!(of_python(b"", b"").is_err());
    }
}
