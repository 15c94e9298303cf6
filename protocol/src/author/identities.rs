//! Who is connected with a Manager.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::python_repr;

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identities {
    /// The computer that the Manager runs on.
    pub hostname: String,
    /// Its port.
    pub port: u16,
    /// What can be asked of the Manager, with the signatures.
    pub attributes: BTreeMap<String, Value>,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceIdentity {
    /// Its address, `host:port`.
    pub address: String,
    /// Its attributes: signatures of methods, values of constants.
    pub attributes: BTreeMap<String, Value>,
    /// The language that it is written in.
    pub language: String,
    /// The operating system that it runs on.
    pub os: String,
    /// How many clients may be linked; any number if it is not above 0.
    pub max_clients: i64,
}

impl fmt::Display for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Manager[{}:{}]", self.hostname, self.port)?;
        writeln!(f, "  attributes:")?;
        for (name, signature) in &self.attributes {
            writeln!(f, "    {name}{}", Python(signature))?;
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
                let is_signature = value.as_str().is_some_and(|text| text.starts_with('('));
                let arrow = if is_signature { "" } else { "() -> " };
                write!(f, "\n      {attribute}{arrow}{}", Python(value))?;
            }
            write!(f, "\n    language: {}", service.language)?;
            write!(f, "\n    max_clients: {}", service.max_clients)?;
            write!(f, "\n    os: {}", service.os)?;
        }
        Ok(())
    }
}

/// A JSON value as Python's `str` writes it.
struct Python<'a>(&'a Value);

impl fmt::Display for Python<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text) => f.write_str(text),
            other => repr(other, f),
        }
    }
}

fn repr(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Null => f.write_str("None"),
        Value::Bool(true) => f.write_str("True"),
        Value::Bool(false) => f.write_str("False"),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => repr_float(float, f),
            _ => write!(f, "{number}"),
        },
        Value::String(text) => f.write_str(&python_repr(text)),
        Value::Array(values) => {
            f.write_char('[')?;
            for (index, value) in values.iter().enumerate() {
                f.write_str(if index > 0 { ", " } else { "" })?;
                repr(value, f)?;
            }
            f.write_char(']')
        }
        Value::Object(members) => {
            f.write_char('{')?;
            for (index, (key, value)) in members.iter().enumerate() {
                write!(f, "{}{}: ", if index > 0 { ", " } else { "" }, python_repr(key))?;
                repr(value, f)?;
            }
            f.write_char('}')
        }
    }
}

/// The same digits as Rust's, but an exponent below -4 and from 16 on, with a sign and two digits.
fn repr_float(float: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            write!(f, "{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => write!(f, "{float:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_shown_as_python_shows_them() {
        for (value, shown) in [
            (json!(null), "None"),
            (json!([true, false, "it's", {"a": -1}]), r#"[True, False, "it's", {'a': -1}]"#),
            (json!(0.1), "0.1"),
            (json!(2.0), "2.0"),
            (json!(1e15), "1000000000000000.0"),
            (json!(1.5e16), "1.5e+16"),
            (json!(1e-4), "0.0001"),
            (json!(-1e-5), "-1e-05"),
            (json!(1e300), "1e+300"),
            (json!("as it is"), "as it is"),
        ] {
            assert_eq!(Python(&value).to_string(), shown);
        }
    }
}
