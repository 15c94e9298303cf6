//! The self-signed certificate of a Manager.
//!
//! Devices trust exactly this certificate: it is its own trust anchor and a leaf, not an authority that could sign others.
//! So it says `CA:FALSE`: some TLS libraries refuse an authority as a server's certificate.
//!
//! Easy to get wrong: it has no key usage extension. One without "certificate signing" makes OpenSSL 1.1, which older
//! Python installations carry, deny that the certificate signed itself; one with it is not allowed in a leaf.

mod details;
mod hash;

use std::net::IpAddr;
use std::path::Path;

use msl_network_trust::certificate::{self as stored, ReadError};
use msl_network_trust::file::{self, Readers};
use rcgen::string::Ia5String;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, SanType, SerialNumber,
};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, DnsName, PrivateKeyDer};
use time::{Duration, OffsetDateTime};

pub use details::details;
pub use hash::Hash;

use crate::{Error, Kind, computer};

/// How many years a default certificate is valid. Devices in a laboratory have copies of it that nobody renews.
pub const YEARS_VALID: f64 = 100.0;

/// What a certificate certifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The common name, of subject and issuer: the computer's host name.
    pub common_name: String,
    /// The host names and IP addresses that devices may call the Manager by.
    pub alternative_names: Vec<String>,
}

impl Subject {
    /// This computer: its host name, `localhost`, the loopback and its IPv4 addresses, and the host that the Manager was
    /// told to listen on.
    pub fn this_computer(host_name: &str, host: Option<&str>) -> Self {
        let mut names: Vec<String> = Vec::new();
        let fixed = [host_name, "localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let own = computer::addresses().into_iter().filter(IpAddr::is_ipv4).map(|ip| ip.to_string());
        for name in fixed.into_iter().chain(own).chain(host.map(str::to_owned)) {
            // "0.0.0.0" to listen on is every interface, and nobody's address.
            let nobody = name.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
            if !nobody && !names.contains(&name) {
                names.push(name);
            }
        }
        Self { common_name: host_name.to_owned(), alternative_names: names }
    }
}

/// How a certificate is signed, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// The years that it is valid from now on, and any fraction of one.
    pub years: f64,
    /// The hash function; `None` is the usual one of the key: that of its curve, SHA-256 for RSA.
    pub hash: Option<Hash>,
}

impl Default for Terms {
    fn default() -> Self {
        Self { years: YEARS_VALID, hash: None }
    }
}

/// Makes a certificate with this key at this path (PEM). Replaces a file that is there.
///
/// # Errors
/// Where the file cannot be written, the key does not sign with this hash function, or a certificate cannot be valid for so
/// long.
pub fn make(path: &Path, key: &PrivateKeyDer<'_>, subject: &Subject, terms: Terms) -> Result<(), Error> {
    let pem = sign(key, subject, terms)?;
    file::write(path, pem.as_bytes(), Readers::Everybody)
        .map_err(|error| Error::io("cannot write", path, error))
}

/// Makes a certificate as [`make`] does, with the default [`Terms`], unless a file is there.
///
/// # Errors
/// Where the file cannot be written.
pub fn make_missing(path: &Path, key: &PrivateKeyDer<'_>, subject: &Subject) -> Result<(), Error> {
    let pem = sign(key, subject, Terms::default())?;
    // Another Manager that starts at the same moment may have been faster. Devices trust what is in the file, so that is what
    // both must serve with.
    file::write_new(path, pem.as_bytes(), Readers::Everybody)
        .map(drop)
        .map_err(|error| Error::io("cannot write", path, error))
}

/// Reads the certificates in a PEM file, the Manager's own first. A private key in it is passed over.
///
/// # Errors
/// Where the file cannot be read, or holds no certificate, or a damaged one.
pub fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    stored::read(path).map_err(|error| match error {
        ReadError::Io(error) => Error::io("cannot read the certificate", path, error),
        ReadError::Damaged(error) => {
            Error::new(Kind::Value, format!("the certificate '{}' is damaged: {error}", path.display()))
        }
        ReadError::None => Error::new(
            Kind::Value,
            format!("there is no certificate in '{}'; a PEM file is expected", path.display()),
        ),
    })
}

fn sign(key: &PrivateKeyDer<'_>, subject: &Subject, terms: Terms) -> Result<String, Error> {
    let key = hash::key_pair(key, terms.hash)?;
    let now = OffsetDateTime::now_utc();
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, subject.common_name.as_str());
    parameters.subject_alt_names =
        subject.alternative_names.iter().filter_map(|name| alternative(name)).collect();
    parameters.not_before = now;
    parameters.not_after = years_after(now, terms.years).ok_or_else(|| {
        let text =
            format!("a certificate cannot be valid for {} years; the year 9999 is the last", terms.years);
        Error::new(Kind::Value, text)
    })?;
    parameters.serial_number = Some(serial_number().map_err(failed)?);
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters.self_signed(&key).map_err(failed)?.pem())
}

fn failed(error: rcgen::Error) -> Error {
    Error::with_source(Kind::Runtime, format!("cannot make a certificate: {error}"), error)
}

/// A name that no certificate can carry (not ASCII, say) is left out: the others still count, and some TLS libraries
/// refuse a certificate as a whole for one malformed name in it.
fn alternative(name: &str) -> Option<SanType> {
    if let Ok(ip) = name.parse() {
        return Some(SanType::IpAddress(ip));
    }
    DnsName::try_from(name).ok()?;
    Ia5String::try_from(name).ok().map(SanType::DnsName)
}

/// 16 random bytes: a certificate made anew with the same names must not look like the one before.
fn serial_number() -> Result<SerialNumber, rcgen::Error> {
    let mut bytes = [0; 16];
    default_provider().secure_random.fill(&mut bytes).map_err(|_| rcgen::Error::RingUnspecified)?;
    // Positive, and without a leading zero byte, whatever was drawn.
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// `None` where there is no such day: certificates know four digits of a year, and no time before their beginning.
fn years_after(start: OffsetDateTime, years: f64) -> Option<OffsetDateTime> {
    if years.is_nan() || years < 0.0 {
        return None;
    }
    // Infinity becomes the largest number, which is too large a year.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "of numbers that are too large, the largest is as good"
    )]
    let year = start.year().checked_add(years.trunc() as i32)?;
    // 29 February has no counterpart in most years; the day after its eve does.
    let whole = start.replace_year(year).or_else(|_| (start - Duration::days(1)).replace_year(year)).ok()?;
    whole.checked_add(Duration::days(365) * years.fract())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key;
    use rustls::pki_types::{ServerName, UnixTime};
    use std::fs;
    use std::process::Command;
    use std::sync::Arc;

    fn made(folder: &Path, host: Option<&str>) -> std::path::PathBuf {
        let key_path = folder.join("a.key");
        let path = folder.join("a.crt");
        key::make_missing(&key_path, None).unwrap();
        let key = key::read(&key_path, None).unwrap().unwrap();
        make(&path, &key, &Subject::this_computer("lab-7", host), Terms::default()).unwrap();
        path
    }

    #[test]
    fn a_client_that_trusts_it_accepts_it_under_every_name() {
        let folder = tempfile::tempdir().unwrap();
        let chain = read(&made(folder.path(), Some("lab.example.org"))).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(chain[0].clone()).unwrap();
        let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::new(default_provider()),
        )
        .build()
        .unwrap();
        let check = |name: &str| {
            use rustls::client::danger::ServerCertVerifier;
            let name = ServerName::try_from(name.to_owned()).unwrap();
            verifier.verify_server_cert(&chain[0], &[], &name, &[], UnixTime::now())
        };
        for name in ["lab-7", "localhost", "127.0.0.1", "::1", "lab.example.org"] {
            check(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        assert!(check("elsewhere").is_err());
    }

    #[test]
    fn openssl_accepts_it_also_when_it_is_strict() {
        let folder = tempfile::tempdir().unwrap();
        let path = made(folder.path(), None);
        for name in ["lab-7", "localhost"]
            .map(|name| ["-verify_hostname", name])
            .into_iter()
            .chain(["127.0.0.1", "::1"].map(|ip| ["-verify_ip", ip]))
        {
            let Ok(output) = Command::new("openssl")
                .args(["verify", "-x509_strict", "-purpose", "sslserver"])
                .args(name)
                .arg("-CAfile")
                .args([&path, &path])
                .output()
            else {
                return; // no openssl program here
            };
            assert!(output.status.success(), "{name:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }

    #[test]
    fn an_address_to_listen_on_everywhere_is_not_a_name() {
        let subject = Subject::this_computer("lab-7", Some("0.0.0.0"));
        assert!(!subject.alternative_names.contains(&"0.0.0.0".to_owned()));
    }

    #[test]
    fn a_name_is_listed_once() {
        let names = Subject::this_computer("localhost", Some("127.0.0.1")).alternative_names;
        assert_eq!(names[..3], ["localhost", "127.0.0.1", "::1"]);
        assert_eq!(names.iter().filter(|name| *name == "127.0.0.1").count(), 1);
    }

    #[test]
    fn a_name_that_no_certificate_can_carry_is_left_out() {
        for name in ["māori", "fe80::1%eth0", "a b", ""] {
            assert_eq!(alternative(name), None, "{name}");
        }
        assert_eq!(alternative("::1"), Some(SanType::IpAddress("::1".parse().unwrap())));
        assert!(matches!(alternative("lab_7"), Some(SanType::DnsName(_))));
    }

    #[test]
    fn a_host_name_that_is_not_ascii_does_not_prevent_a_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let key_path = folder.path().join("a.key");
        key::make_missing(&key_path, None).unwrap();
        let key = key::read(&key_path, None).unwrap().unwrap();
        let path = folder.path().join("a.crt");
        make(&path, &key, &Subject::this_computer("māori", None), Terms::default()).unwrap();
        assert_eq!(read(&path).unwrap().len(), 1);
    }

    #[test]
    fn two_certificates_of_one_key_differ_in_their_serial_numbers() {
        assert_ne!(serial_number().unwrap(), serial_number().unwrap());
    }

    #[test]
    fn a_hundred_years_after_a_leap_day_is_a_day() {
        let leap_day = OffsetDateTime::from_unix_timestamp(1_709_208_000).unwrap(); // 2024-02-29
        let end = years_after(leap_day, 101.0).unwrap();
        assert_eq!((end.year(), u8::from(end.month()), end.day()), (2125, 2, 28));
    }

    #[test]
    fn a_fraction_of_a_year_is_that_part_of_365_days() {
        let start = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        assert_eq!(years_after(start, 0.5).unwrap() - start, Duration::hours(4380));
        let whole = years_after(start, 2.0).unwrap();
        assert_eq!(years_after(start, 2.5).unwrap() - whole, Duration::hours(4380));
    }

    #[test]
    fn no_certificate_ends_after_the_year_9999_or_before_its_beginning() {
        let start = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        assert_eq!(years_after(start, f64::from(9999 - start.year())).unwrap().year(), 9999);
        for years in [8000.0, 1e300, f64::INFINITY, f64::NAN, -1.0] {
            assert_eq!(years_after(start, years), None, "{years}");
        }
    }

    #[test]
    fn a_file_without_a_certificate_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.crt");
        fs::write(&path, "hello").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("no certificate"));
        fs::write(&path, "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("damaged"));
    }
}
