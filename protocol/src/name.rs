//! Names and addresses of devices, and what may not be used as one (`docs/wire.md` section 3).
//!
//! A device gives its name; the Manager adds the address and so has the *network name*, `name[host:port]`,
//! which is all that a reply carries to find its way. This module looks nothing up: host names arrive from
//! outside.
//!
//! Easy to get wrong: a Python client tells the Manager's own password from a user's by the *look* of the
//! request's argument, so a username must not look like the Manager's network name.

use alloc::string::ToString;
use alloc::sync::Arc;
use core::borrow::Borrow;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use crate::json::misleads;

/// The longest name of a device, in characters.
pub const MAX_NAME_CHARACTERS: usize = 256;

/// The name that devices address the Manager by, and that none of them may have.
pub const MANAGER: &str = "Manager";

/// The name that a client or a service gives itself: checked, and cheap to clone.
///
/// 1 to [`MAX_NAME_CHARACTERS`] characters, without control characters, line separators, bidirectional controls
/// and invisible marks (logs and terminals must not be fooled), and not "Manager".
///
/// ```
/// use msl_network_protocol::name::DeviceName;
///
/// let name: DeviceName = "String Editor".parse()?;
/// assert_eq!(name.as_str(), "String Editor");
/// assert!("Manager".parse::<DeviceName>().is_err());
/// # Ok::<(), msl_network_protocol::name::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceName(Arc<str>);

impl DeviceName {
    /// Checks `name` and keeps a copy of it.
    ///
    /// # Errors
    /// When one of the rules above is broken.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        // A name's bytes are at most four times its characters: no need to count those of a huge one.
        if name.len() > 4 * MAX_NAME_CHARACTERS || name.chars().count() > MAX_NAME_CHARACTERS {
            return Err(NameError::TooLong);
        }
        if let Some(character) = name.chars().find(|&character| misleads(character)) {
            return Err(NameError::Forbidden { character });
        }
        if name == MANAGER {
            return Err(NameError::Reserved);
        }
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl Borrow<str> for DeviceName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why a device cannot have the name that it gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// There is none.
    Empty,
    /// It is longer than [`MAX_NAME_CHARACTERS`].
    TooLong,
    /// It has a character that could mislead who reads it.
    Forbidden {
        /// The first of them.
        character: char,
    },
    /// It is the Manager's.
    Reserved,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the name is empty, give the device a name"),
            Self::TooLong => {
                write!(f, "the name is too long, use at most {MAX_NAME_CHARACTERS} characters")
            }
            Self::Forbidden { character } => write!(
                f,
                "the name contains U+{:04X}, use a name without control characters, line separators, \
                 bidirectional controls and invisible marks",
                u32::from(*character)
            ),
            Self::Reserved => write!(f, "the name '{MANAGER}' is reserved, use another one"),
        }
    }
}

impl core::error::Error for NameError {}

/// Where a device is: the short name or the IP address of its computer, and its TCP port.
///
/// ```
/// use msl_network_protocol::name::Address;
///
/// assert_eq!(Address { host: "bench3".into(), port: 50123 }.to_string(), "bench3:50123");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The host name without its domain, or the IP address.
    pub host: Arc<str>,
    /// The device's own port.
    pub port: u16,
}

impl Address {
    /// An address that has no host name.
    pub fn from_ip(ip: IpAddr, port: u16) -> Self {
        Self { host: Arc::from(plain_ip(ip).to_string()), port }
    }
}

/// `host:port`; an IPv6 address is not put into brackets, as the Python Manager does not.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The name by which the network knows a device, or the Manager itself: `name[host:port]`. Cheap to clone.
///
/// ```
/// use msl_network_protocol::name::{Address, DeviceName, NetworkName};
///
/// let address = Address { host: "bench3".into(), port: 50123 };
/// let name = NetworkName::new(&"DMM".parse::<DeviceName>()?, &address);
/// assert_eq!(name.as_str(), "DMM[bench3:50123]");
/// # Ok::<(), msl_network_protocol::name::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkName(Arc<str>);

impl NetworkName {
    /// A device's network name.
    pub fn new(name: &DeviceName, address: &Address) -> Self {
        Self::from_parts(name.as_str(), address)
    }

    /// The network name of the Manager that listens at `address`.
    pub fn manager(address: &Address) -> Self {
        Self::from_parts(MANAGER, address)
    }

    fn from_parts(name: &str, address: &Address) -> Self {
        Self(alloc::format!("{name}[{address}]").into())
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lets a map with network names as its keys be asked with the text of a message. Order and equality are the
/// text's.
impl Borrow<str> for NetworkName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether a text looks like a Manager's network name, `Manager[host:port]`, to a Python client.
///
/// A client that is asked for a password with such an argument gives the Manager's password, otherwise the
/// user's.
pub fn looks_like_manager(text: &str) -> bool {
    let address = without_line_feed(text)
        .strip_prefix(MANAGER)
        .and_then(|rest| rest.strip_prefix('['))
        .and_then(|rest| rest.strip_suffix(']'));
    address.is_some_and(|address| {
        !address.contains(char::is_whitespace)
            && host_before_port(address).is_some_and(|host| !host.is_empty())
    })
}

/// Checks that a username cannot be taken for the Manager's network name or for an address.
///
/// # Errors
/// When it ends with a colon and digits, or [looks like the Manager](looks_like_manager).
pub fn valid_username(username: &str) -> Result<(), UsernameError> {
    if host_before_port(without_line_feed(username)).is_some() {
        return Err(UsernameError::EndsWithPort);
    }
    if looks_like_manager(username) {
        return Err(UsernameError::LooksLikeManager);
    }
    Ok(())
}

/// Why a text cannot be a username.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UsernameError {
    /// It ends with a colon and digits.
    EndsWithPort,
    /// It looks like `Manager[host:port]`.
    LooksLikeManager,
}

impl fmt::Display for UsernameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndsWithPort => "a username cannot end with a colon and a number, choose another one",
            Self::LooksLikeManager => "a username cannot look like 'Manager[host:port]', choose another one",
        })
    }
}

impl core::error::Error for UsernameError {}

/// What stands before the `:digits` at the end of a text. Any script's digits count, as they do in Python.
fn host_before_port(text: &str) -> Option<&str> {
    let before = text.trim_end_matches(char::is_numeric);
    if before.len() == text.len() { None } else { before.strip_suffix(':') }
}

/// To Python's patterns, one line feed may follow the end.
fn without_line_feed(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

/// A host name without its domain: `bench3.lab.example` is `bench3`. An IP address stays whole.
///
/// ```
/// use msl_network_protocol::name::short_host;
///
/// assert_eq!(short_host("bench3.lab.example"), "bench3");
/// assert_eq!(short_host("192.168.1.7"), "192.168.1.7");
/// ```
pub fn short_host(host: &str) -> &str {
    // A colon is an IPv6 address's, which may come with a zone: `fe80::1%eth0`.
    if host.contains(':') || host.parse::<IpAddr>().is_ok() {
        return host;
    }
    match host.split_once('.') {
        Some((short, _)) if !short.is_empty() => short,
        _ => host,
    }
}

/// An IP address as people know it: an IPv4 address that came in IPv6's clothes, `::ffff:a.b.c.d`, is IPv4.
#[must_use]
pub fn plain_ip(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::string::ToString;

    fn address(host: &str, port: u16) -> Address {
        Address { host: host.into(), port }
    }

    #[test]
    fn a_name_has_1_to_256_characters() {
        assert_eq!(DeviceName::new(""), Err(NameError::Empty));
        assert!(DeviceName::new("x").is_ok());
        assert!(DeviceName::new(&"😀".repeat(256)).is_ok());
        assert_eq!(DeviceName::new(&"x".repeat(257)), Err(NameError::TooLong));
        assert_eq!(DeviceName::new(&"x".repeat(1 << 20)), Err(NameError::TooLong));
    }

    #[test]
    fn a_name_has_no_characters_that_mislead() {
        for character in
            ['\n', '\0', '\u{1b}', '\u{7f}', '\u{85}', '\u{2028}', '\u{202e}', '\u{2066}', '\u{200f}']
        {
            let name = alloc::format!("a{character}b");
            assert_eq!(DeviceName::new(&name), Err(NameError::Forbidden { character }));
        }
        for name in ["String Editor", "Prüfstand 3", "測定", "a[b:1]", "it's \"x\"", "self"] {
            assert_eq!(DeviceName::new(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn nobody_is_called_manager() {
        assert_eq!(DeviceName::new("Manager"), Err(NameError::Reserved));
        assert!(DeviceName::new("Manager 2").is_ok());
    }

    #[test]
    fn an_error_shows_no_character_that_misleads() {
        let message = DeviceName::new("\u{202e}x").unwrap_err().to_string();
        assert!(message.contains("U+202E") && !message.contains('\u{202e}'), "{message}");
    }

    #[test]
    fn a_network_name_is_name_and_address() {
        let name = DeviceName::new("My Name").unwrap();
        assert_eq!(NetworkName::new(&name, &address("lab", 7)).to_string(), "My Name[lab:7]");
        assert_eq!(NetworkName::new(&name, &address("fe80::1", 65535)).as_str(), "My Name[fe80::1:65535]");
        assert_eq!(NetworkName::manager(&address("lab", 1875)).as_str(), "Manager[lab:1875]");
    }

    #[test]
    fn a_map_of_network_names_can_be_asked_with_text() {
        let name = NetworkName::new(&DeviceName::new("a").unwrap(), &address("h", 1));
        let map = BTreeMap::from([(name, 5)]);
        assert_eq!(map.get("a[h:1]"), Some(&5));
    }

    #[test]
    fn the_managers_look_is_told_from_others() {
        for text in [
            "Manager[lab:1875]",
            "Manager[fe80::1:1]",
            "Manager[]]:1]",
            "Manager[a:1]\n",
            "Manager[a:\u{661}]",
        ] {
            assert!(looks_like_manager(text), "{text}");
        }
        for text in [
            "",
            "Manager",
            "Manager[",
            "Manager[]",
            "Manager[:1]",
            "Manager[lab]",
            "Manager[lab:]",
            "Manager[lab:1a]",
            "Manager[la b:1]",
            "manager[lab:1]",
            "Manager[lab:1] ",
            " Manager[lab:1]",
            "xManager[lab:1]",
            "Manager[lab:1]x",
            "ann",
        ] {
            assert!(!looks_like_manager(text), "{text}");
        }
    }

    #[test]
    fn a_username_cannot_be_taken_for_the_manager() {
        for username in ["", "n.bohr", "a:b", "a:", "1875", "a1", "Manager", "x:1a", ":1:"] {
            assert_eq!(valid_username(username), Ok(()), "{username}");
        }
        for username in ["a:1", ":1", "lab:1875", "a:1\n"] {
            assert_eq!(valid_username(username), Err(UsernameError::EndsWithPort), "{username}");
        }
        assert_eq!(valid_username("Manager[lab:1875]"), Err(UsernameError::LooksLikeManager));
    }

    #[test]
    fn a_host_is_known_without_its_domain() {
        for (host, short) in [
            ("bench3.lab.example", "bench3"),
            ("bench3.", "bench3"),
            ("bench3", "bench3"),
            ("", ""),
            (".lab", ".lab"),
            ("10.0.0.1", "10.0.0.1"),
            ("::1", "::1"),
            ("fe80::1%eth0.5", "fe80::1%eth0.5"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ] {
            assert_eq!(short_host(host), short);
        }
    }

    #[test]
    fn an_ipv4_address_in_ipv6_is_plain_ipv4() {
        for (given, plain) in [
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("10.0.0.1", "10.0.0.1"),
            ("::1", "::1"),
            ("fe80::1", "fe80::1"),
        ] {
            assert_eq!(plain_ip(given.parse().unwrap()).to_string(), plain);
        }
    }
}
