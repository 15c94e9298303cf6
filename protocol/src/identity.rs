//! What a device says about itself (docs/wire.md, section 4).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use bytes::Bytes;

use crate::error::{Exception, Refusal};
use crate::json::{self, python_repr};
use crate::name::{DeviceName, NameError};
use crate::terminal::Typed;

/// The longest `language` and `os`, in characters: they are shown to everybody, in every identity of the Manager.
pub const MAX_DESCRIPTION: usize = 256;

/// A device that has said who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its name, without the address.
    pub name: DeviceName,
    /// The language that it is written in.
    pub language: String,
    /// The operating system that it runs on.
    pub os: String,
    /// Client or service.
    pub role: Role,
}

/// What a device is, and what only that kind of device says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends requests.
    Client,
    /// Executes requests.
    Service {
        /// A JSON object, names and signatures; kept to the byte.
        attributes: Bytes,
        /// How many clients may be linked; `None`: any number.
        max_clients: Option<u32>,
    },
}

impl Identity {
    /// Reads the `result` of an answer to the identity request: raw JSON that was checked already.
    ///
    /// # Errors
    /// The refusal that the device gets: a member is missing or has the wrong type, the name is not acceptable.
    pub fn read(result: &Bytes) -> Result<Self, Refusal> {
        let Some(members) = json::members(result) else {
            let shown = String::from_utf8_lossy(&result[..result.len().min(64)]).into_owned();
            return Err(Refusal::new(Exception::Type, format!("an identity is a JSON object, not {shown}")));
        };
        // As in Python, the last one of several members of the same name counts.
        let find =
            |key: &str| members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        let text = |key: &'static str| find(key).map(|raw| member_text(key, &raw)).transpose();
        let name = text("name")?.ok_or(Refusal::new(Exception::Key, "name"))?;
        let kind = text("type")?.ok_or(Refusal::new(Exception::Key, "type"))?.to_lowercase();
        let role = match kind.as_str() {
            "client" => Role::Client,
            "service" => {
                let attributes = find("attributes").ok_or(Refusal::new(Exception::Key, "attributes"))?;
                if attributes.first() != Some(&b'{') {
                    return Err(Refusal::new(
                        Exception::Type,
                        "the attributes of a service are a JSON object",
                    ));
                }
                let max_clients = find("max_clients").map_or(Ok(None), |raw| max_clients(&raw))?;
                Role::Service { attributes: Bytes::copy_from_slice(&attributes), max_clients }
            }
            _ => {
                return Err(Refusal::new(
                    Exception::Type,
                    format!(
                        "Unknown connection type {}. Must be \"client\" or \"service\"",
                        python_repr(&shortened(&kind))
                    ),
                ));
            }
        };
        let language = description("language", text("language")?)?;
        let os = description("os", text("os")?)?;
        Ok(Self { name: device_name(&name)?, language, os, role })
    }

    /// Reads what a person typed in answer to the identity request: only `client [NAME...]` says who somebody is.
    ///
    /// # Errors
    /// As [`Identity::read`].
    pub fn from_typed(line: &str) -> Result<Self, Refusal> {
        match crate::terminal::read(line) {
            Ok(Typed::Client { name }) => {
                Ok(Self { name: device_name(&name)?, language: unknown(), os: unknown(), role: Role::Client })
            }
            _ => Err(Refusal::new(Exception::Key, "name")),
        }
    }

    /// Whether this is a service.
    pub fn is_service(&self) -> bool {
        matches!(self.role, Role::Service { .. })
    }
}

fn unknown() -> String {
    "unknown".to_string()
}

fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(64) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}...", &text[..end])),
    }
}

fn device_name(name: &str) -> Result<DeviceName, Refusal> {
    DeviceName::new(name).map_err(|error: NameError| Refusal::new(Exception::Value, error.to_string()))
}

fn member_text(key: &'static str, raw: &[u8]) -> Result<String, Refusal> {
    match json::unquote(raw) {
        Some(text) => Ok(text.into_owned()),
        None => Err(Refusal::new(Exception::Type, format!("the {key} in an identity is a string"))),
    }
}

fn description(key: &'static str, text: Option<String>) -> Result<String, Refusal> {
    let text = text.unwrap_or_else(unknown);
    if text.chars().nth(MAX_DESCRIPTION).is_some() {
        let refusal = format!("the {key} in an identity has at most {MAX_DESCRIPTION} characters");
        return Err(Refusal::new(Exception::Value, refusal));
    }
    Ok(text)
}

/// `null` and anything below one mean no limit; a number with a fraction is cut.
fn max_clients(raw: &[u8]) -> Result<Option<u32>, Refusal> {
    if raw == b"null" {
        return Ok(None);
    }
    let number = serde_json::from_slice::<f64>(raw).map_err(|_| {
        Refusal::new(Exception::Type, "max_clients in an identity is a whole number, or null")
    })?;
    // Saturating is what is wanted: more than u32::MAX clients are as good as that many.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok(if number < 1.0 { None } else { Some(number as u32) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> Result<Identity, String> {
        Identity::read(&Bytes::from_static(text.as_bytes())).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn optional_members_have_defaults_and_the_type_is_case_insensitive() {
        let identity = read(r#"{"type": "Client", "name": "Ann"}"#).unwrap();
        assert_eq!((identity.language.as_str(), identity.os.as_str()), ("unknown", "unknown"));
        assert_eq!(identity.role, Role::Client);
    }

    #[test]
    fn attributes_are_kept_to_the_byte_whatever_their_values() {
        let identity = read(r#"{"type":"SERVICE","name":"S","attributes":{"a": NaN, "b":1.10}}"#).unwrap();
        let Role::Service { attributes, max_clients } = identity.role else { panic!("not a service") };
        assert_eq!(&attributes[..], br#"{"a": NaN, "b":1.10}"#);
        assert_eq!(max_clients, None);
    }

    #[test]
    fn no_positive_number_of_clients_means_no_limit() {
        for (given, meant) in
            [("null", None), ("-1", None), ("0", None), ("3", Some(3)), ("1e99", Some(u32::MAX))]
        {
            assert_eq!(max_clients(given.as_bytes()), Ok(meant), "{given}");
        }
        assert!(max_clients(b"\"3\"").is_err());
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (given, message) in [
            (r#"{"type": "client"}"#, "KeyError: 'name'"),
            (r#"{"name": "A"}"#, "KeyError: 'type'"),
            (
                r#"{"type": "robot", "name": "R"}"#,
                "TypeError: Unknown connection type 'robot'. Must be \"client\" or \"service\"",
            ),
            (r#"{"type": "service", "name": "S"}"#, "KeyError: 'attributes'"),
            (
                r#"{"type": "service", "name": "S", "attributes": []}"#,
                "TypeError: the attributes of a service are a JSON object",
            ),
            ("null", "TypeError: an identity is a JSON object, not null"),
            (r#"{"type": "client", "name": 7}"#, "TypeError: the name in an identity is a string"),
        ] {
            assert_eq!(read(given), Err(message.to_string()), "{given}");
        }
    }

    #[test]
    fn what_a_device_says_of_itself_has_at_most_256_characters_each() {
        for key in ["language", "os"] {
            let identity = |length: usize| {
                let text = "é".repeat(length);
                let result = format!(r#"{{"type": "client", "name": "A", "{key}": "{text}"}}"#);
                Identity::read(&result.into()).map(drop).map_err(|refusal| refusal.to_string())
            };
            assert_eq!(identity(256), Ok(()));
            let refusal = format!("ValueError: the {key} in an identity has at most 256 characters");
            assert_eq!(identity(257), Err(refusal));
        }
    }

    #[test]
    fn a_person_can_only_be_a_client() {
        assert_eq!(Identity::from_typed("client My Name").unwrap().name.as_str(), "My Name");
        assert_eq!(Identity::from_typed("hello there").unwrap_err().to_string(), "KeyError: 'name'");
        assert_eq!(Identity::from_typed("").unwrap_err().to_string(), "KeyError: 'name'");
    }
}
