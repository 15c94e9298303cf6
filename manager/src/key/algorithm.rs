//! What kinds of keys can be made, and making them.
//!
//! Offered is what TLS serves, and DSA, which it does not: other programs may want such a key from the same command.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize as RsaSize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use dsa::pkcs8::EncodePrivateKey;
use dsa::{Components, KeySize as DsaSize, SigningKey};
use getrandom::SysRng;

use crate::{Error, Kind};

/// The names of the curves, in the order in which they are listed.
const CURVES: [(&str, &EcdsaSigningAlgorithm); 3] = [
    ("SECP256R1", &ECDSA_P256_SHA256_ASN1_SIGNING),
    ("SECP384R1", &ECDSA_P384_SHA384_ASN1_SIGNING),
    ("SECP521R1", &ECDSA_P521_SHA512_ASN1_SIGNING),
];

/// A kind of private key, with its size or its curve. The default is RSA with 2048 bits.
#[derive(Clone, Copy, Debug)]
pub struct Algorithm(Choice);

#[derive(Clone, Copy, Debug)]
enum Choice {
    Rsa(RsaSize),
    Dsa(DsaSize),
    Ecc(&'static EcdsaSigningAlgorithm),
}

impl Default for Algorithm {
    fn default() -> Self {
        Self(Choice::Rsa(RsaSize::Rsa2048))
    }
}

impl Algorithm {
    /// RSA.
    ///
    /// # Errors
    /// Unless it has 2048, 3072, 4096 or 8192 bits.
    pub fn rsa(bits: u32) -> Result<Self, Error> {
        Ok(Self(Choice::Rsa(match bits {
            2048 => RsaSize::Rsa2048,
            3072 => RsaSize::Rsa3072,
            4096 => RsaSize::Rsa4096,
            8192 => RsaSize::Rsa8192,
            _ => {
                let text =
                    format!("an RSA key of {bits} bits cannot be made; 2048, 3072, 4096 and 8192 bits can");
                return Err(Error::new(Kind::Value, text));
            }
        })))
    }

    /// DSA, with a subgroup of 256 bits. TLS does not serve it. It may take a minute to make.
    ///
    /// # Errors
    /// Unless it has 2048 or 3072 bits.
    pub fn dsa(bits: u32) -> Result<Self, Error> {
        Ok(Self(Choice::Dsa(match bits {
            2048 => DsaSize::DSA_2048_256,
            3072 => DsaSize::DSA_3072_256,
            _ => {
                let text = format!("a DSA key of {bits} bits cannot be made; 2048 and 3072 bits can");
                return Err(Error::new(Kind::Value, text));
            }
        })))
    }

    /// Elliptic curves, by the name of the curve, in whatever case: SECP256R1, SECP384R1, SECP521R1.
    ///
    /// # Errors
    /// Where it is another curve.
    pub fn ecc(curve: &str) -> Result<Self, Error> {
        let curve = curve.to_uppercase();
        let Some((_, algorithm)) = CURVES.iter().find(|(name, _)| *name == curve) else {
            let names = CURVES.map(|(name, _)| name).join(", ");
            let text = format!("Invalid curve name '{curve}'. Allowed curves are\n{names}");
            return Err(Error::new(Kind::Value, text));
        };
        Ok(Self(Choice::Ecc(algorithm)))
    }

    /// A new key, as PKCS#8. A large RSA key takes seconds; a DSA key too, and if its numbers are hard to find, a minute.
    pub(super) fn generate(self) -> Result<Vec<u8>, Error> {
        let failed =
            |cause: &dyn std::fmt::Display| Error::new(Kind::Runtime, format!("cannot make a key: {cause}"));
        match self.0 {
            Choice::Rsa(size) => {
                let key = rsa::KeyPair::generate(size).map_err(|cause| failed(&cause))?;
                let der: Pkcs8V1Der<'_> = key.as_der().map_err(|cause| failed(&cause))?;
                Ok(der.as_ref().to_vec())
            }
            Choice::Ecc(curve) => {
                let key = EcdsaKeyPair::generate_pkcs8(curve, &SystemRandom::new())
                    .map_err(|cause| failed(&cause))?;
                Ok(key.as_ref().to_vec())
            }
            Choice::Dsa(size) => {
                let components = Components::try_generate_from_rng_with_key_size(&mut SysRng, size)
                    .map_err(|cause| failed(&cause))?;
                let key = SigningKey::try_generate_from_rng_with_components(&mut SysRng, components)
                    .map_err(|cause| failed(&cause))?;
                Ok(key.to_pkcs8_der().map_err(|cause| failed(&cause))?.as_bytes().to_vec())
            }
        }
    }
}
