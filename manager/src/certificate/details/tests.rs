use super::*;
use crate::certificate::{Subject, Terms, make};
use crate::key;
use proptest::prelude::*;
use rcgen::string::Ia5String;
use rcgen::{CertificateParams, CustomExtension, DnType, KeyPair, SanType};
use std::fs;
use std::sync::LazyLock;

#[test]
fn everything_that_our_own_certificate_says_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (key_path, path) = (folder.path().join("a.key"), folder.path().join("a.crt"));
    key::make_missing(&key_path, None).unwrap();
    let key = key::read(&key_path, None).unwrap().unwrap();
    make(&path, &key, &Subject::this_computer("lab-7", None), Terms::default()).unwrap();

    let text = details(&path).unwrap();

    for line in [
        "Version: V3",
        "  commonName (2.5.4.3): lab-7",
        "  Algorithm: rsaEncryption (1.2.840.113549.1.1.1)",
        "  Size: 2048 bits",
        "  Exponent: 65537",
        "  Algorithm: sha256WithRSAEncryption (1.2.840.113549.1.1.11)",
        "    DNS: localhost",
        "    IP address: 127.0.0.1",
        "    IP address: ::1",
        "    Certificate authority: no",
        "    TLS server",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn what_a_stranger_writes_cannot_command_a_terminal() {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "a\u{1b}[2Jb\nc");
    parameters.subject_alt_names = vec![SanType::DnsName(Ia5String::try_from("d\re").unwrap())];
    parameters.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 3, 9999, 1], vec![7; 1000])];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.crt");
    fs::write(&path, parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()).unwrap();

    let text = details(&path).unwrap();

    assert!(text.contains(r"a\u{1b}[2Jb\nc"), "{text}");
    assert!(text.contains(r"DNS: d\re"), "{text}");
    assert!(text.contains("... (1000 bytes)"), "{text}");
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
}

#[test]
fn the_size_of_a_number_is_without_zeroes_before_it() {
    assert_eq!(bits(&[0, 0x80, 0]), 16);
    assert_eq!(bits(&[0x01, 0]), 9);
    assert_eq!(bits(&[0, 0]), 0);
    assert_eq!(bits(&[]), 0);
}

proptest! {
    /// Bytes that were changed anywhere in a certificate give some text or an error.
    #[test]
    fn no_certificate_is_a_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        static CERTIFICATE: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let mut parameters = CertificateParams::new(["lab-7".to_owned()]).unwrap();
            parameters.distinguished_name.push(DnType::CommonName, "lab-7");
            parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
        });
        let mut der = CERTIFICATE.clone();
        for (index, byte) in changes {
            *index.get_mut(&mut der) = byte;
        }
        if let Ok((_, certificate)) = X509Certificate::from_der(&der) {
            let _ = write(&mut String::new(), &der, &certificate);
        }
    }
}
