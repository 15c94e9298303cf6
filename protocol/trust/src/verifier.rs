//! Whether a Manager's certificate is one that is trusted.
//!
//! A certificate that is kept is trusted by itself, whatever it says about being an authority; it still has to be within its
//! dates, and for the host that was connected with unless that is not checked. Any other one has to be signed by a
//! certificate that is kept, by the rules of the web.

use std::error::Error as _;
use std::sync::{Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Checks certificates, and remembers the one that was shown.
#[derive(Debug)]
pub(crate) struct Verifier {
    /// The certificates that are kept; `None` at the first use, where whatever is shown counts as one of them for now.
    kept: Option<Vec<CertificateDer<'static>>>,
    check_host_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
    shown: Mutex<Option<CertificateDer<'static>>>,
}

impl Verifier {
    pub(crate) fn new(
        kept: Option<Vec<CertificateDer<'static>>>,
        check_host_name: bool,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self { kept, check_host_name, algorithms, shown: Mutex::new(None) }
    }

    /// The certificate that the Manager has shown.
    pub(crate) fn shown(&self) -> Option<CertificateDer<'static>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        let is_kept = self.kept.as_ref().is_none_or(|kept| kept.contains(certificate));
        let mut roots = RootCertStore::empty();
        if is_kept {
            roots.add(certificate.clone().into_owned())?;
        } else {
            // A file may also hold what can be no authority; it is of no use for other certificates.
            roots.add_parsable_certificates(self.kept.iter().flatten().cloned());
        }
        let algorithms = self.algorithms.all;
        let signed =
            verify_server_cert_signed_by_trust_anchor(&parsed, &roots, intermediates, now, algorithms);
        match signed {
            Err(error) if !(is_kept && says_only_who_signed(&error)) => return Err(error),
            _ => {}
        }
        if self.check_host_name { verify_server_name(&parsed, name) } else { Ok(()) }
    }
}

/// Whether an error is about the signer of a certificate alone, so that one that is trusted by itself passes. Dates and
/// purpose have errors of their own, and are checked first; a test proves for each kind that an expired one is still found.
fn says_only_who_signed(error: &Error) -> bool {
    use CertificateError::{
        BadSignature, Other, UnknownIssuer, UnsupportedSignatureAlgorithmContext,
        UnsupportedSignatureAlgorithmForPublicKeyContext,
    };
    match error {
        Error::InvalidCertificate(
            UnknownIssuer
            | BadSignature
            | UnsupportedSignatureAlgorithmContext { .. }
            | UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
        ) => true,
        // Many programs that make certificates mark every one that signs itself as an authority.
        Error::InvalidCertificate(Other(other)) => {
            let source = other.source().and_then(|source| source.downcast_ref());
            matches!(source, Some(webpki::Error::CaUsedAsEndEntity))
        }
        _ => false,
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Some(certificate.clone().into_owned());
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown;
        self.check(certificate, intermediates, name, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
        PKCS_ECDSA_P384_SHA384,
    };
    use rustls::crypto::aws_lc_rs::default_provider;
    use std::time::Duration;
    use time::OffsetDateTime;

    /// 2025-06-15, a moment at which the certificates of these tests are valid.
    const NOW: u64 = 1_750_000_000;

    fn parameters() -> CertificateParams {
        let mut parameters =
            CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        parameters.not_before = OffsetDateTime::from_unix_timestamp(NOW.cast_signed() - 1000).unwrap();
        parameters.not_after = OffsetDateTime::from_unix_timestamp(NOW.cast_signed() + 1000).unwrap();
        parameters
    }

    fn self_signed(parameters: &CertificateParams) -> CertificateDer<'static> {
        parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    fn verify_at(
        verifier: &Verifier,
        certificate: &CertificateDer<'_>,
        name: &str,
        now: u64,
    ) -> Result<(), String> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
        let outcome = verifier.verify_server_cert(certificate, &[], &name, &[], now);
        outcome.map(drop).map_err(|error| format!("{error:?}"))
    }

    fn verify(verifier: &Verifier, certificate: &CertificateDer<'_>, name: &str) -> Result<(), String> {
        verify_at(verifier, certificate, name, NOW)
    }

    fn verifier(kept: Option<Vec<CertificateDer<'static>>>, check_host_name: bool) -> Verifier {
        Verifier::new(kept, check_host_name, default_provider().signature_verification_algorithms)
    }

    /// One of each kind that people have: a leaf, an authority, one that an unknown authority signed, another algorithm.
    fn kinds() -> Vec<(&'static str, CertificateDer<'static>)> {
        let mut authority = parameters();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(authority.clone(), KeyPair::generate().unwrap()).unwrap();
        let signed = parameters().signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        let mut leaf = parameters();
        leaf.is_ca = IsCa::ExplicitNoCa;
        let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        vec![
            ("plain", self_signed(&parameters())),
            ("leaf", self_signed(&leaf)),
            ("authority", self_signed(&authority)),
            ("signed", signed.der().clone()),
            ("P-384", parameters().self_signed(&p384).unwrap().der().clone()),
        ]
    }

    #[test]
    fn a_certificate_that_is_kept_is_trusted_whoever_signed_it() {
        for (kind, certificate) in kinds() {
            let verifier = verifier(Some(vec![certificate.clone()]), true);
            assert_eq!(verify(&verifier, &certificate, "localhost"), Ok(()), "{kind}");
            assert_eq!(verify(&verifier, &certificate, "127.0.0.1"), Ok(()), "{kind}");
        }
    }

    #[test]
    fn dates_are_checked_of_every_kind() {
        for (kind, certificate) in kinds() {
            for kept in [Some(vec![certificate.clone()]), None] {
                let verifier = verifier(kept, true);
                let later = verify_at(&verifier, &certificate, "localhost", NOW + 1001).unwrap_err();
                assert!(later.contains("Expired"), "{kind}: {later}");
                let earlier = verify_at(&verifier, &certificate, "localhost", NOW - 1001).unwrap_err();
                assert!(earlier.contains("NotValidYet"), "{kind}: {earlier}");
            }
        }
    }

    #[test]
    fn the_host_name_is_checked_unless_that_is_not_wanted() {
        for (kind, certificate) in kinds() {
            let kept = Some(vec![certificate.clone()]);
            let error = verify(&verifier(kept.clone(), true), &certificate, "lab").unwrap_err();
            assert!(error.contains("NotValidForName"), "{kind}: {error}");
            assert_eq!(verify(&verifier(kept, false), &certificate, "lab"), Ok(()), "{kind}");
        }
    }

    #[test]
    fn another_certificate_is_not_trusted_even_if_it_says_the_same() {
        for (kind, certificate) in kinds() {
            let verifier = verifier(Some(vec![self_signed(&parameters())]), true);
            assert!(verify(&verifier, &certificate, "localhost").is_err(), "{kind}");
            assert_eq!(verifier.shown(), Some(certificate));
        }
    }

    #[test]
    fn an_authority_that_is_kept_vouches_for_what_it_signed() {
        let mut authority = parameters();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let signed = parameters().signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        let verifier = verifier(Some(vec![issuer.der().clone()]), true);
        assert_eq!(verify(&verifier, signed.der(), "localhost"), Ok(()));
        assert!(verify(&verifier, signed.der(), "lab").is_err());
    }

    #[test]
    fn a_certificate_that_is_not_for_servers_is_refused() {
        let mut parameters = parameters();
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = self_signed(&parameters);
        let error = verify(&verifier(Some(vec![certificate.clone()]), true), &certificate, "localhost");
        assert!(error.unwrap_err().contains("InvalidPurpose"));
    }

    #[test]
    fn at_the_first_use_any_certificate_passes_that_is_valid_by_itself() {
        for (kind, certificate) in kinds() {
            let verifier = verifier(None, true);
            assert_eq!(verify(&verifier, &certificate, "localhost"), Ok(()), "{kind}");
            assert!(verify(&verifier, &certificate, "lab").is_err(), "{kind}");
        }
    }
}
