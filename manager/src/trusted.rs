//! Whether a computer is one of the trusted ones: `--auth-hostname`.
//!
//! The table holds what people know computers by: host names, with the domain or without, and IP addresses. An address in it
//! counts by itself. A name counts for a computer only when two things hold: the computer's address has that name (in
//! full, or its first part), and that name, as it stands in the table, resolves back to the address.
//!
//! Easy to get wrong: who owns an address decides what its reverse name says, so that alone proves nothing. Nor does it help
//! to confirm the full name and then compare its first part: `bench-3.example.net` may well lead back to a stranger's
//! address, and is not the `bench-3` that was meant. So it is the entry of the table that has to lead there.
//!
//! This blocks, for as long as the computer's resolver does.

use std::fmt;
use std::net::IpAddr;

use msl_network_protocol::json::python_repr;

use crate::computer;

/// The names that this computer itself has for devices on it, besides its host name.
const LOCALHOST: &str = "localhost";

type Reverse = dyn Fn(IpAddr) -> Option<String> + Send + Sync;
type Forward = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// Looks for computers in a table of trusted ones.
pub(crate) struct Trust {
    own: String,
    reverse: Box<Reverse>,
    forward: Box<Forward>,
    addresses: Box<dyn Fn() -> Vec<IpAddr> + Send + Sync>,
}

/// Why a computer is not trusted. It begins as the Python Manager's text does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Distrust {
    /// No name or address of this computer is in the table.
    Unlisted { name: String },
    /// Its name is, but leads elsewhere.
    Unconfirmed { name: String, ip: IpAddr },
}

impl Trust {
    /// As this computer's resolver knows names.
    pub(crate) fn new(host_name: &str) -> Self {
        Self {
            own: host_name.to_owned(),
            reverse: Box::new(|ip| dns_lookup::lookup_addr(&ip).ok()),
            forward: Box::new(|name| {
                dns_lookup::lookup_host(name).map(Iterator::collect).unwrap_or_default()
            }),
            addresses: Box::new(computer::addresses),
        }
    }

    /// Whether the computer with this address is in the table.
    ///
    /// # Errors
    /// Why it is not.
    pub(crate) fn check(&self, ip: IpAddr, table: &[String]) -> Result<(), Distrust> {
        let ip = ip.to_canonical();
        let listed = |name: &str| table.iter().any(|entry| entry.eq_ignore_ascii_case(name));
        if table.iter().any(|entry| entry.parse::<IpAddr>().is_ok_and(|entry| entry.to_canonical() == ip)) {
            return Ok(());
        }
        // This computer knows its own names without asking.
        let here = ip.is_loopback() || (self.addresses)().contains(&ip);
        if here {
            let name = if ip.is_loopback() { LOCALHOST } else { &self.own };
            return if listed(&self.own) || listed(LOCALHOST) {
                Ok(())
            } else {
                Err(Distrust::Unlisted { name: name.to_owned() })
            };
        }
        let Some(full) = (self.reverse)(ip).filter(|name| name.parse::<IpAddr>().is_err()) else {
            return Err(Distrust::Unlisted { name: ip.to_string() });
        };
        let full = full.trim_end_matches('.');
        let short = full.split('.').next().unwrap_or(full);
        let mut unconfirmed = None;
        for name in [full, short] {
            if listed(name) {
                if (self.forward)(name).iter().any(|found| found.to_canonical() == ip) {
                    return Ok(());
                }
                unconfirmed = Some(Distrust::Unconfirmed { name: name.to_owned(), ip });
            }
        }
        Err(unconfirmed.unwrap_or_else(|| Distrust::Unlisted { name: short.to_owned() }))
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlisted { name } => write!(f, "{} is not a trusted hostname", python_repr(name)),
            Self::Unconfirmed { name, ip } => write!(
                f,
                "{} is not a trusted hostname for {ip}, to which it does not resolve; correct the name server, or \
                 trust the full name or the address",
                python_repr(name)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network of which a name server tells this: address, its reverse name; name, its address.
    fn trust(
        reverse: &'static [(&'static str, &'static str)],
        forward: &'static [(&'static str, &'static str)],
    ) -> Trust {
        let find = |list: &[(&str, &'static str)], key: &str| {
            list.iter().filter(|(found, _)| *found == key).map(|(_, value)| *value).collect::<Vec<_>>()
        };
        Trust {
            own: "lab-7".into(),
            reverse: Box::new(move |ip| find(reverse, &ip.to_string()).first().map(|&name| name.into())),
            forward: Box::new(move |name| {
                find(forward, name).iter().map(|address| address.parse().unwrap()).collect()
            }),
            addresses: Box::new(|| vec!["10.0.0.7".parse().unwrap()]),
        }
    }

    fn check(trust: &Trust, ip: &str, table: &[&str]) -> Result<(), String> {
        let table: Vec<String> = table.iter().map(|&entry| entry.to_owned()).collect();
        trust.check(ip.parse().unwrap(), &table).map_err(|distrust| distrust.to_string())
    }

    const REVERSE: &[(&str, &str)] = &[("10.0.0.3", "Bench-3.example.org"), ("10.0.0.9", "bench-3.evil.net")];
    const FORWARD: &[(&str, &str)] = &[
        ("bench-3.example.org", "10.0.0.3"),
        ("Bench-3.example.org", "10.0.0.3"),
        ("Bench-3", "10.0.0.3"),
        ("bench-3", "10.0.0.3"),
        ("bench-3.evil.net", "10.0.0.9"),
    ];

    #[test]
    fn an_empty_table_trusts_nobody() {
        let trust = trust(REVERSE, FORWARD);
        assert_eq!(check(&trust, "127.0.0.1", &[]), Err("'localhost' is not a trusted hostname".into()));
        assert_eq!(check(&trust, "10.0.0.3", &[]), Err("'Bench-3' is not a trusted hostname".into()));
        assert_eq!(check(&trust, "10.0.0.4", &[]), Err("'10.0.0.4' is not a trusted hostname".into()));
    }

    #[test]
    fn a_computer_is_known_by_its_name_with_the_domain_or_without_in_any_case() {
        let trust = trust(REVERSE, FORWARD);
        for entry in ["bench-3", "BENCH-3", "bench-3.example.org", "10.0.0.3", "::ffff:10.0.0.3"] {
            assert_eq!(check(&trust, "10.0.0.3", &["other", entry]), Ok(()), "{entry}");
            assert_eq!(check(&trust, "::ffff:10.0.0.3", &[entry]), Ok(()), "{entry}");
        }
        for entry in ["bench-3.example", "example.org", "bench", "10.0.0.33", ""] {
            assert!(check(&trust, "10.0.0.3", &[entry]).is_err(), "{entry}");
        }
    }

    #[test]
    fn a_stranger_who_names_his_computer_like_a_trusted_one_is_not_trusted() {
        let trust = trust(REVERSE, FORWARD);
        let error = check(&trust, "10.0.0.9", &["bench-3"]).unwrap_err();
        assert!(error.starts_with("'bench-3' is not a trusted hostname"), "{error}");
        assert!(error.contains("10.0.0.9"), "{error}");
        assert_eq!(check(&trust, "10.0.0.9", &["bench-3.evil.net"]), Ok(()), "he is who he is");
    }

    #[test]
    fn this_computer_is_known_by_its_own_names_without_a_name_server() {
        let trust = trust(&[], &[]);
        for ip in ["127.0.0.1", "::1", "10.0.0.7"] {
            for entry in ["lab-7", "localhost", ip] {
                assert_eq!(check(&trust, ip, &[entry]), Ok(()), "{ip} {entry}");
            }
            assert!(check(&trust, ip, &["lab-8"]).is_err());
        }
    }

    #[test]
    fn an_address_that_is_given_as_a_name_is_no_name() {
        let trust = trust(&[("10.0.0.4", "10.0.0.5")], &[("10.0.0.5", "10.0.0.4")]);
        assert!(check(&trust, "10.0.0.4", &["10.0.0.5"]).is_err());
    }
}
