//! A certificate as text for a person.
//!
//! The certificate may be a stranger's: whatever it says is shown with control characters escaped, and what is not known is
//! shown as bytes.

mod extension;

use std::fmt::{self, Display, Write};
use std::path::Path;

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use time::OffsetDateTime;
use x509_parser::asn1_rs::Oid;
use x509_parser::certificate::X509Certificate;
use x509_parser::objects::oid_registry;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use super::read;
use crate::log::escape::Escaped;
use crate::{Error, Kind};

/// Bytes in one line of hexadecimal numbers.
const BYTES_IN_A_LINE: usize = 24;

/// The details of the first certificate in a PEM file, some lines each: version, serial number, validity, fingerprints,
/// issuer, subject, public key, signature, extensions. The last line has no end.
///
/// # Errors
/// Where the file cannot be read, or holds no certificate, or a damaged one.
pub fn details(path: &Path) -> Result<String, Error> {
    let chain = read(path)?;
    let damaged = |cause: &dyn Display| {
        Error::new(Kind::Value, format!("the certificate '{}' is damaged: {cause}", path.display()))
    };
    let first = chain.first().ok_or_else(|| damaged(&"it is empty"))?;
    let (_, certificate) = X509Certificate::from_der(first).map_err(|cause| damaged(&cause))?;
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = write(&mut text, first, &certificate);
    text.truncate(text.trim_end().len());
    Ok(text)
}

fn write(text: &mut String, der: &[u8], certificate: &X509Certificate<'_>) -> fmt::Result {
    writeln!(text, "Version: {}", certificate.version())?;
    writeln!(text, "Serial number: {}", hexadecimal(certificate.raw_serial()))?;
    writeln!(text, "Valid from:  {}", Moment(certificate.validity().not_before.to_datetime()))?;
    writeln!(text, "Valid until: {}", Moment(certificate.validity().not_after.to_datetime()))?;
    for (name, algorithm) in [("SHA-256", &SHA256), ("SHA-1", &SHA1_FOR_LEGACY_USE_ONLY)] {
        let fingerprint = hexadecimal(digest::digest(algorithm, der).as_ref()).to_uppercase();
        writeln!(text, "Fingerprint ({name}):\n  {fingerprint}")?;
    }
    writeln!(text, "Issuer:")?;
    write_name(text, certificate.issuer())?;
    writeln!(text, "Subject:")?;
    write_name(text, certificate.subject())?;
    writeln!(text, "Public key:")?;
    write_key(text, certificate.public_key())?;
    writeln!(text, "Signature:")?;
    writeln!(text, "  Algorithm: {}", Named(&certificate.signature_algorithm.algorithm))?;
    write_bytes(text, "Value", &certificate.signature_value.data)?;
    if !certificate.extensions().is_empty() {
        writeln!(text, "Extensions:")?;
    }
    for extension in certificate.extensions() {
        let critical = if extension.critical { ", critical" } else { "" };
        writeln!(text, "  {}{critical}:", Named(&extension.oid))?;
        for line in extension::lines(extension) {
            writeln!(text, "    {}", shown(&line))?;
        }
    }
    Ok(())
}

fn write_name(text: &mut String, name: &X509Name<'_>) -> fmt::Result {
    for attribute in name.iter_attributes() {
        let kind = Named(attribute.attr_type());
        match attribute.as_str() {
            Ok(value) => writeln!(text, "  {kind}: {}", shown(value))?,
            Err(_) => writeln!(text, "  {kind}: {}", hexadecimal(attribute.as_slice()))?,
        }
    }
    Ok(())
}

fn write_key(text: &mut String, key: &SubjectPublicKeyInfo<'_>) -> fmt::Result {
    writeln!(text, "  Algorithm: {}", Named(&key.algorithm.algorithm))?;
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            writeln!(text, "  Size: {} bits", bits(rsa.modulus))?;
            match rsa.try_exponent() {
                Ok(exponent) => writeln!(text, "  Exponent: {exponent}")?,
                Err(_) => write_bytes(text, "Exponent", rsa.exponent)?,
            }
            write_bytes(text, "Modulus", rsa.modulus)
        }
        Ok(PublicKey::EC(point)) => {
            if let Some(curve) = key.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok()) {
                writeln!(text, "  Curve: {}", Named(&curve))?;
            }
            write_bytes(text, "Point", point.data())
        }
        Ok(PublicKey::DSA(y)) => {
            let parameters = key.algorithm.parameters.as_ref().and_then(dsa_parameters);
            if let Some([p, q, g]) = parameters {
                writeln!(text, "  Size: {} bits", bits(p))?;
                write_bytes(text, "P", p)?;
                write_bytes(text, "Q", q)?;
                write_bytes(text, "G", g)?;
            }
            write_bytes(text, "Y", y)
        }
        _ => write_bytes(text, "Value", &key.subject_public_key.data),
    }
}

/// P, Q and G: a sequence of three numbers (RFC 3279, section 2.3.2).
fn dsa_parameters<'a>(parameters: &x509_parser::asn1_rs::Any<'a>) -> Option<[&'a [u8]; 3]> {
    use x509_parser::der_parser::der::parse_der_integer;
    let mut rest = parameters.data;
    let mut numbers = [&[][..]; 3];
    for number in &mut numbers {
        let (after, parsed) = parse_der_integer(rest).ok()?;
        *number = parsed.content.as_slice().ok()?;
        rest = after;
    }
    Some(numbers)
}

fn write_bytes(text: &mut String, name: &str, bytes: &[u8]) -> fmt::Result {
    writeln!(text, "  {name}:")?;
    for line in bytes.chunks(BYTES_IN_A_LINE) {
        writeln!(text, "    {}", hexadecimal(line))?;
    }
    Ok(())
}

/// The size of a number, without zeroes before it.
fn bits(number: &[u8]) -> usize {
    let zeroes = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeroes).map_or(0, |first| (number.len() - zeroes) * 8 - first.leading_zeros() as usize)
}

/// Bytes as `65:c7:b0`.
fn hexadecimal(bytes: &[u8]) -> String {
    let numbers: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    numbers.join(":")
}

/// An object identifier: its name and its numbers, or the numbers alone.
struct Named<'a>(&'a Oid<'a>);

impl Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match oid_registry().get(self.0) {
            Some(entry) => write!(f, "{} ({})", entry.sn(), self.0),
            None => self.0.fmt(f),
        }
    }
}

/// A time to the second.
struct Moment(OffsetDateTime);

impl Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = (self.0.date(), self.0.time());
        write!(f, "{:04}-{:02}-{:02} ", date.year(), u8::from(date.month()), date.day())?;
        write!(f, "{:02}:{:02}:{:02} UTC", time.hour(), time.minute(), time.second())
    }
}

/// Text of the certificate's maker, made harmless for a terminal.
fn shown(text: &str) -> String {
    let mut line = String::new();
    // It cuts what is too long, and does not fail.
    let _ = Escaped::new(&mut line).write_str(text);
    line
}

#[cfg(test)]
mod tests;
