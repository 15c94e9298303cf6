//! The private key in a PEM file, among whatever else is there.
//!
//! A key that is not encrypted is read by the parser of rustls; this module knows where it stands, and what is done about
//! the others.

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::{Error as PemError, PemObject};

use super::{encrypted, legacy};

/// A section of a PEM file that says of itself that it is a private key.
pub(super) struct Section<'a> {
    /// What stands between `-----BEGIN ` and `-----`.
    label: &'a str,
    /// From the line with the label on, to the end of the file.
    text: &'a [u8],
}

/// Why a section does not yield a key.
#[derive(Debug)]
pub(super) enum Problem {
    /// The password is wrong. A damaged file looks the same.
    Password,
    /// It is known what it is, and it cannot be read: "encrypted with ...".
    Unsupported(String),
    /// It is not what its label says.
    Damaged(String),
}

impl<'a> Section<'a> {
    /// The first private key in a file.
    pub(super) fn first_key(content: &'a [u8]) -> Option<Self> {
        let mut start = 0;
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            if let Some(label) = label(line)
                && label.ends_with("PRIVATE KEY")
            {
                return Some(Self { label, text: &content[start..] });
            }
            start += line.len();
        }
        None
    }

    /// Whether it takes a password to read it.
    pub(super) fn is_encrypted(&self) -> bool {
        self.label == "ENCRYPTED PRIVATE KEY" || self.has_encryption_header()
    }

    /// Whether its label says that it is a DSA key; in PKCS#8, only the content does.
    pub(super) fn is_dsa(&self) -> bool {
        self.label == "DSA PRIVATE KEY"
    }

    /// The header is the first line of the section (RFC 1421, section 4.6).
    fn has_encryption_header(&self) -> bool {
        let second = self.text.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
        second.starts_with(b"Proc-Type:") && second.trim_ascii().ends_with(b"ENCRYPTED")
    }

    /// The key itself. The password counts only where it is encrypted, and an empty one is tried where none is given.
    pub(super) fn key(&self, password: Option<&str>) -> Result<PrivateKeyDer<'static>, Problem> {
        let password = password.unwrap_or_default().as_bytes();
        match self.label {
            "OPENSSH PRIVATE KEY" => {
                Err(Problem::Unsupported("in the form of OpenSSH (`ssh-keygen -p -m PEM` changes it)".into()))
            }
            "ENCRYPTED PRIVATE KEY" => {
                let key = encrypted::decrypt(self.parse()?.contents(), password)?;
                Ok(PrivateKeyDer::Pkcs8(key.into()))
            }
            "RSA PRIVATE KEY" if self.has_encryption_header() => {
                Ok(PrivateKeyDer::Pkcs1(legacy::decrypt(self.parse()?, password)?.into()))
            }
            "EC PRIVATE KEY" if self.has_encryption_header() => {
                Ok(PrivateKeyDer::Sec1(legacy::decrypt(self.parse()?, password)?.into()))
            }
            "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "PRIVATE KEY" => PrivateKeyDer::from_pem_slice(self.text)
                .map_err(|cause| match cause {
                    PemError::NoItemsFound => Problem::Damaged("it has no end".into()),
                    cause => Problem::Damaged(cause.to_string()),
                }),
            label => Err(Problem::Unsupported(format!("of the kind '{label}'"))),
        }
    }

    fn parse(&self) -> Result<pem::Pem, Problem> {
        pem::parse(self.text).map_err(|cause| Problem::Damaged(cause.to_string()))
    }
}

fn label(line: &[u8]) -> Option<&str> {
    let label = line.trim_ascii().strip_prefix(b"-----BEGIN ")?.strip_suffix(b"-----")?;
    str::from_utf8(label).ok()
}
