//! Who is connected with a Manager.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::json::JsonText;

/// The Manager and all devices that are connected with it.
///
/// As text it is the list that the Python package shows:
///
/// ```text
/// Manager[lab:1875]
///   attributes:
///     identity() -> dict
///   language: Rust 1.95.0
///   os: Linux 6.1.0 x86_64
/// Clients [0]:
/// Services [1]:
///   BasicMath[lab:50000]
///     attributes:
///       add(x: float, y: float) -> float
///       pi() -> 3.14
///     language: Python 3.11.2
///     max_clients: -1
///     os: Linux 6.1.0 x86_64
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Identities {
    /// The computer that the Manager runs on.
    pub hostname: String,
    /// Its port.
    pub port: u16,
    /// What can be asked of the Manager, with the signatures.
    pub attributes: BTreeMap<String, JsonText>,
    /// The language that the Manager is written in.
    pub language: String,
    /// The operating system that it runs on.
    pub os: String,
    /// The clients by network name.
    pub clients: BTreeMap<String, ClientIdentity>,
    /// The services by name.
    pub services: BTreeMap<String, ServiceIdentity>,
}

/// A client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ClientIdentity {
    /// Its name.
    pub name: String,
    /// Its address, `host:port`.
    pub address: String,
    /// The language that it is written in.
    pub language: String,
    /// The operating system that it runs on.
    pub os: String,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ServiceIdentity {
    /// Its address, `host:port`.
    pub address: String,
    /// Its attributes: signatures of methods, values of constants.
    pub attributes: BTreeMap<String, JsonText>,
    /// The language that it is written in.
    pub language: String,
    /// The operating system that it runs on.
    pub os: String,
    /// How many clients may be linked; any number if it is not above 0.
    #[serde(deserialize_with = "saturating")]
    pub max_clients: i64,
}

impl fmt::Display for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Manager[{}:{}]", self.hostname, self.port)?;
        writeln!(f, "  attributes:")?;
        for (name, signature) in &self.attributes {
            writeln!(f, "    {name}{signature}")?;
        }
        writeln!(f, "  language: {}", self.language)?;
        writeln!(f, "  os: {}", self.os)?;
        writeln!(f, "Clients [{}]:", self.clients.len())?;
        for (network_name, client) in &self.clients {
            writeln!(f, "  {network_name}")?;
            writeln!(f, "    language: {}", client.language)?;
            writeln!(f, "    os: {}", client.os)?;
        }
        write!(f, "Services [{}]:", self.services.len())?;
        for (name, service) in &self.services {
            write!(f, "\n  {name}[{}]", service.address)?;
            write!(f, "\n    attributes:")?;
            for (attribute, value) in &service.attributes {
                let is_signature = value.text().is_some_and(|text| text.starts_with('('));
                let arrow = if is_signature { "" } else { "() -> " };
                write!(f, "\n      {attribute}{arrow}{value}")?;
            }
            write!(f, "\n    language: {}", service.language)?;
            write!(f, "\n    max_clients: {}", service.max_clients)?;
            write!(f, "\n    os: {}", service.os)?;
        }
        Ok(())
    }
}

/// A whole number; as Python takes it, but one beyond the range is the last of it.
pub(super) fn saturating<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = JsonText::deserialize(deserializer)?;
    let number = text.as_json().parse().ok();
    let number = number.or_else(|| text.as_json().parse::<f64>().ok().map(whole));
    number.ok_or_else(|| D::Error::custom(format!("{} is no number", text.as_json())))
}

#[expect(clippy::cast_possible_truncation, reason = "it saturates, as wanted")]
fn whole(float: f64) -> i64 {
    float as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::from_text;

    #[test]
    fn a_whole_number_beyond_the_range_is_the_last_of_it() {
        #[derive(Deserialize)]
        struct Number(#[serde(deserialize_with = "saturating")] i64);
        for (json, number) in
            [("-1", -1), ("1e400", i64::MAX), ("-99999999999999999999", i64::MIN), ("3.0", 3)]
        {
            assert_eq!(from_text::<Number>(json.as_bytes()).unwrap().0, number, "{json}");
        }
        assert!(from_text::<Number>(b"\"1\"").is_err());
    }
}
