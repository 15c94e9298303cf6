//! The encryption of PEM before PKCS#8: two headers before the content say how it is encrypted.
//!
//! OpenSSL's `-traditional` writes it, and so do the Python package and its kin. It is read only: the key comes from the
//! password by a single round of MD5, which protects weak passwords badly.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use des::{Des, TdesEde3};
use md5::{Digest, Md5};
use pem::Pem;
use pkcs8::der::{AnyRef, Decode};

use super::section::Problem;

/// The first bytes of the initialisation vector are the salt of the password, too.
const SALT: usize = 8;

/// Decrypts a section with the headers `Proc-Type: 4,ENCRYPTED` and `DEK-Info: CIPHER,IV`.
pub(super) fn decrypt(section: Pem, password: &[u8]) -> Result<Vec<u8>, Problem> {
    let damaged = |what: &str| Problem::Damaged(what.into());
    let information =
        section.headers().get("DEK-Info").ok_or_else(|| damaged("it lacks the header DEK-Info"))?;
    let (cipher, vector) =
        information.split_once(',').ok_or_else(|| damaged("its header DEK-Info has no second part"))?;
    let (cipher, vector) = (cipher.trim().to_ascii_uppercase(), bytes(vector.trim()));
    let vector = vector.ok_or_else(|| damaged("its initialisation vector is not hexadecimal"))?;
    let content = section.into_contents();
    match cipher.as_str() {
        "AES-256-CBC" => cbc::<Aes256>(content, &vector, password),
        "AES-192-CBC" => cbc::<Aes192>(content, &vector, password),
        "AES-128-CBC" => cbc::<Aes128>(content, &vector, password),
        "DES-EDE3-CBC" => cbc::<TdesEde3>(content, &vector, password),
        "DES-CBC" => cbc::<Des>(content, &vector, password),
        other => Err(Problem::Unsupported(format!("encrypted with {}", other.escape_debug()))),
    }
}

fn cbc<Cipher>(mut content: Vec<u8>, vector: &[u8], password: &[u8]) -> Result<Vec<u8>, Problem>
where
    Cipher: BlockCipherDecrypt + KeyInit,
{
    let salt = vector.get(..SALT).unwrap_or(vector);
    let key = derive(password, salt, Cipher::key_size());
    let cipher = Decryptor::<Cipher>::new_from_slices(&key, vector)
        .map_err(|_| Problem::Damaged("its initialisation vector has the wrong length".into()))?;
    let length = cipher.decrypt_padded::<Pkcs7>(&mut content).map_err(|_| Problem::Password)?.len();
    content.truncate(length);
    // With a wrong password the padding is right by chance once in 256 times.
    AnyRef::from_der(&content).map_err(|_| Problem::Password)?;
    Ok(content)
}

/// OpenSSL's `EVP_BytesToKey` with one round of MD5: hash upon hash until there are bytes enough.
fn derive(password: &[u8], salt: &[u8], length: usize) -> Vec<u8> {
    let mut key = Vec::new();
    let mut hash = Vec::new();
    while key.len() < length {
        hash = Md5::new().chain_update(&hash).chain_update(password).chain_update(salt).finalize().to_vec();
        key.extend_from_slice(&hash);
    }
    key.truncate(length);
    key
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hexadecimal
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_in_pairs() {
        assert_eq!(bytes("00fFA0"), Some(vec![0, 255, 160]));
        assert_eq!(bytes("0"), None);
        assert_eq!(bytes("0g"), None);
        assert_eq!(bytes("é"), None);
    }
}
