//! The extensions of a certificate, a few lines each.

use std::net::IpAddr;

use x509_parser::extensions::{
    AuthorityKeyIdentifier, ExtendedKeyUsage, GeneralName, ParsedExtension, X509Extension,
};

use super::{BYTES_IN_A_LINE, Named, hexadecimal};

/// The most bytes that are shown of an extension that is not known.
const MOST_BYTES: usize = 16 * BYTES_IN_A_LINE;

/// What an extension says. The lines are not escaped yet.
pub(super) fn lines(extension: &X509Extension<'_>) -> Vec<String> {
    match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => names.general_names.iter().map(name).collect(),
        ParsedExtension::BasicConstraints(constraints) => {
            let is_authority = if constraints.ca { "yes" } else { "no" };
            let mut lines = vec![format!("Certificate authority: {is_authority}")];
            lines.extend(constraints.path_len_constraint.map(|length| format!("Longest path: {length}")));
            lines
        }
        ParsedExtension::KeyUsage(usage) => vec![usage.to_string().trim_end_matches([',', ' ']).to_owned()],
        ParsedExtension::ExtendedKeyUsage(usage) => purposes(usage),
        ParsedExtension::SubjectKeyIdentifier(identifier)
        | ParsedExtension::AuthorityKeyIdentifier(AuthorityKeyIdentifier {
            key_identifier: Some(identifier),
            authority_cert_issuer: None,
            authority_cert_serial: None,
        }) => vec![hexadecimal(identifier.0)],
        _ => unknown(extension.value),
    }
}

fn name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => format!("DNS: {name}"),
        GeneralName::IPAddress(bytes) => format!("IP address: {}", address(bytes)),
        GeneralName::RFC822Name(name) => format!("Email: {name}"),
        GeneralName::URI(uri) => format!("URI: {uri}"),
        other => other.to_string(),
    }
}

fn address(bytes: &[u8]) -> String {
    let address = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let address = address.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
    address.map_or_else(|_| hexadecimal(bytes), |address| address.to_string())
}

fn purposes(usage: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let known = [
        (usage.any, "any"),
        (usage.server_auth, "TLS server"),
        (usage.client_auth, "TLS client"),
        (usage.code_signing, "code signing"),
        (usage.email_protection, "email"),
        (usage.time_stamping, "time stamping"),
        (usage.ocsp_signing, "OCSP signing"),
    ];
    let known = known.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned());
    known.chain(usage.other.iter().map(|purpose| Named(purpose).to_string())).collect()
}

fn unknown(value: &[u8]) -> Vec<String> {
    let shown = &value[..value.len().min(MOST_BYTES)];
    let mut lines: Vec<String> = shown.chunks(BYTES_IN_A_LINE).map(hexadecimal).collect();
    if shown.len() < value.len() {
        lines.push(format!("... ({} bytes)", value.len()));
    }
    lines
}
