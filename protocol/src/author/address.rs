//! Where a Manager listens, as authors write it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::device::{Error, ErrorKind};

/// The port of a Manager, unless it was told another one.
pub const PORT: u16 = 1875;

/// The longest host name of the domain name system, in bytes.
const LONGEST_HOST: usize = 253;

/// A host and a port: `"lab7"`, `"lab7:1875"`, `"[::1]:1875"`, `("lab7", 1875)`, a [`SocketAddr`].
///
/// What is no address is reported when it is used, not by a panic here.
///
/// ```
/// use msl_network_protocol::author::Address;
///
/// assert_eq!(Address::from("lab7").to_string(), "lab7:1875");
/// assert_eq!(Address::from(("::1", 2000)).to_string(), "[::1]:2000");
/// assert!(Address::from("lab7:port").parts().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    /// `None`: there is something else in its place.
    port: Option<u16>,
}

impl Address {
    /// The host, without brackets, and the port.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`]: it is not an address.
    pub fn parts(&self) -> Result<(&str, u16), Error> {
        // The host becomes part of a file's name (that of its certificate).
        let is_host = !self.host.is_empty()
            && self.host.len() <= LONGEST_HOST
            && !self.host.starts_with('.')
            && !self.host.contains(|c: char| c.is_whitespace() || c.is_control() || "/\\[]".contains(c));
        match self.port {
            Some(port) if is_host && port > 0 => Ok((&self.host, port)),
            _ => {
                let text =
                    format!("{:?} is not the address of a Manager, like lab7 or lab7:{PORT}", self.host);
                Err(Error::new(ErrorKind::Invalid, text))
            }
        }
    }

    fn parse(text: &str) -> Self {
        let text = text.trim();
        let address = |host: &str, port| Self { host: host.to_string(), port };
        if text.parse::<Ipv6Addr>().is_ok() {
            return address(text, Some(PORT));
        }
        let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (host, port) = match bracketed {
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, Some(rest.strip_prefix(':').unwrap_or(rest))),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        match port.map(str::parse) {
            None => address(host, Some(PORT)),
            Some(Ok(port)) => address(host, Some(port)),
            Some(Err(_)) => address(text, None),
        }
    }
}

/// As it is written, also where it is wrong.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) if self.host.contains(':') => write!(f, "[{}]:{port}", self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        Self::parse(text)
    }
}

impl From<&String> for Address {
    fn from(text: &String) -> Self {
        Self::parse(text)
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl From<(&str, u16)> for Address {
    fn from((host, port): (&str, u16)) -> Self {
        Self { host: host.to_string(), port: Some(port) }
    }
}

impl From<(String, u16)> for Address {
    fn from((host, port): (String, u16)) -> Self {
        Self { host, port: Some(port) }
    }
}

impl From<(IpAddr, u16)> for Address {
    fn from((ip, port): (IpAddr, u16)) -> Self {
        Self { host: ip.to_string(), port: Some(port) }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::from((address.ip(), address.port()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_stands_alone_or_with_a_port() {
        for (text, host, port) in [
            ("lab7", "lab7", 1875),
            (" lab7.example.org:80 ", "lab7.example.org", 80),
            ("127.0.0.1:1", "127.0.0.1", 1),
            ("::1", "::1", 1875),
            ("[::1]", "::1", 1875),
            ("[fe80::1%eth0]:65535", "fe80::1%eth0", 65535),
        ] {
            assert_eq!(Address::from(text).parts().unwrap(), (host, port), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_an_error_that_shows_it() {
        for text in
            ["", ":", "lab7:", "lab7:0", "lab7:65536", "a:b:c", "[::1]x", "..", "a b", "../x", "a/b:1"]
        {
            let error = Address::from(text).parts().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
            assert!(error.message().contains("is not the address"), "{error}");
        }
    }
}
