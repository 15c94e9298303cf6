//! What a Manager was told when it was started.
//!
//! Every value here has been checked: whoever has a [`Config`] need not ask again whether it makes sense. Where the values
//! come from (a command line, a program that embeds a Manager) is not this module's business.

use std::path::PathBuf;
use std::time::Duration;

use crate::log::Level;
use crate::{Error, Kind, Limits, Secret};

/// The port where nobody says otherwise.
pub const DEFAULT_PORT: u16 = 1875;

/// The longest host name there can be (RFC 1035), and so the longest to listen on.
const LONGEST_HOST: usize = 253;

/// The longest time that a limit may be: far beyond any use, and small enough that a clock plus a limit never overflows.
const LONGEST_TIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The longest time and the most questions of TCP's keep-alive that Linux takes.
const LONGEST_KEEP_ALIVE: Duration = Duration::from_secs(32_767);
const MOST_PROBES: u32 = 127;

/// The largest size that a limit may be: sums of a few of them must not overflow.
const LARGEST_SIZE: usize = usize::MAX / 8;

/// What a Manager was told.
#[derive(Clone, Debug)]
pub struct Config {
    /// The host name or IP address to listen on; every interface when missing.
    pub host: Option<String>,
    /// The port to listen on; 0 takes a free one. [`DEFAULT_PORT`] as a default.
    pub port: u16,
    /// What a device must know or be to get in.
    pub authentication: Authentication,
    /// Whether connections are encrypted, and with what.
    pub tls: Tls,
    /// Which events are logged. `INFO` as a default.
    pub log_level: Level,
    /// The log file; a new one in the home folder's `logs` when missing.
    pub log_file: Option<PathBuf>,
    /// How much the Manager takes upon itself.
    pub limits: Limits,
}

/// How devices show that they may connect (`docs/wire.md` section 4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Everybody may.
    #[default]
    None,
    /// One password for all.
    Password(Secret),
    /// A username and a password for each person.
    Login,
    /// Computers in a table of trusted host names.
    HostNames,
}

/// Whether connections are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// They are not.
    Disabled,
    /// They are, with these files.
    Enabled(TlsFiles),
}

/// The files for TLS that were named. [`crate::tls::Files`] says what happens where one is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate.
    pub certificate: Option<PathBuf>,
    /// The private key.
    pub key: Option<PathBuf>,
    /// The password of the private key.
    pub key_password: Option<Secret>,
}

impl Default for Tls {
    fn default() -> Self {
        Self::Enabled(TlsFiles::default())
    }
}

impl Config {
    /// The defaults, with these limits.
    pub fn new(limits: Limits) -> Self {
        Self {
            host: None,
            port: DEFAULT_PORT,
            authentication: Authentication::None,
            tls: Tls::default(),
            log_level: Level::default(),
            log_file: None,
            limits,
        }
    }

    /// The line that tells people and scripts that the Manager listens, on which port, and whether with TLS. The host is
    /// the one that was named, else the computer's name.
    ///
    /// ```
    /// use msl_network_manager::{Config, Limits};
    ///
    /// let config = Config::new(Limits::for_memory(1 << 30));
    /// assert_eq!(config.running("lab-7", 1875), "Network Manager running on lab-7:1875 (TLS ENABLED)");
    /// ```
    pub fn running(&self, host_name: &str, port: u16) -> String {
        let host = self.host.as_deref().unwrap_or(host_name);
        let tls = if self.tls == Tls::Disabled { "DISABLED" } else { "ENABLED" };
        format!("Network Manager running on {host}:{port} (TLS {tls})")
    }
}

impl Authentication {
    /// The one way that was asked for.
    ///
    /// # Errors
    /// When more than one was: a device would not know what it is going to be asked.
    pub fn choose(password: Option<Secret>, login: bool, host_names: bool) -> Result<Self, Error> {
        match (password, login, host_names) {
            (None, false, false) => Ok(Self::None),
            (Some(password), false, false) => Ok(Self::Password(password)),
            (None, true, false) => Ok(Self::Login),
            (None, false, true) => Ok(Self::HostNames),
            _ => Err(Error::new(Kind::Plain, "Cannot specify multiple authentication methods")),
        }
    }
}

/// Reads a port: 1 to 65535, or 0 for a free one.
///
/// # Errors
/// When it is none.
pub fn port(text: &str) -> Result<u16, Error> {
    match text.trim().parse::<i128>() {
        Ok(number) if number >= 0 => u16::try_from(number).map_err(|_| {
            Error::new(Kind::Value, format!("there is no port {number}; the largest port is 65535"))
        }),
        _ => Err(Error::new(Kind::Value, "The port must be a positive integer")),
    }
}

/// Checks a host name or IP address to listen on. Files are named after it, so it must not lead to another folder.
///
/// # Errors
/// When it can be neither.
pub fn host(text: &str) -> Result<String, Error> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    if text.is_empty()
        || text.len() > LONGEST_HOST
        || text.starts_with(['.', '-'])
        || !text.chars().all(allowed)
    {
        return Err(Error::new(
            Kind::Value,
            format!("{text:?} is neither a host name nor an IP address to listen on"),
        ));
    }
    Ok(text.to_owned())
}

/// Checks that limits make sense, each by itself and together.
///
/// # Errors
/// Names the limit, and the values it may have.
pub fn check(limits: &Limits) -> Result<(), Error> {
    let sizes = [
        ("memory", limits.memory),
        ("max-frame", limits.max_frame),
        ("max-handshake-frame", limits.max_handshake_frame),
        ("service-mailbox", limits.service_mailbox),
        ("client-mailbox", limits.client_mailbox),
        ("notifications", limits.notifications),
        ("handshakes", limits.handshakes),
        ("handshakes-per-address", limits.handshakes_per_address),
        ("connections", limits.connections),
        ("open-requests", limits.open_requests),
        ("keep-alive-probes", limits.keep_alive_probes as usize),
    ];
    for (name, size) in sizes {
        if !(1..=LARGEST_SIZE).contains(&size) {
            return Err(Error::new(Kind::Value, format!("{name} must be between 1 and {LARGEST_SIZE}")));
        }
    }
    let times = [
        ("service-wait", limits.service_wait),
        ("write-timeout", limits.write_timeout),
        ("first-answer", limits.first_answer),
        ("prompt", limits.prompt),
        ("name-wait", limits.name_wait),
        ("keep-alive-idle", limits.keep_alive_idle),
        ("keep-alive-interval", limits.keep_alive_interval),
        ("unacknowledged", limits.unacknowledged),
        ("shutdown", limits.shutdown),
        ("linger", limits.linger),
        ("leave", limits.leave),
    ];
    // What the operating system takes.
    if limits.keep_alive_idle.max(limits.keep_alive_interval) > LONGEST_KEEP_ALIVE {
        let text = format!("keep-alive times are at most {} s", LONGEST_KEEP_ALIVE.as_secs());
        return Err(Error::new(Kind::Value, text));
    }
    if limits.keep_alive_probes > MOST_PROBES {
        return Err(Error::new(Kind::Value, format!("keep-alive-probes is at most {MOST_PROBES}")));
    }
    for (name, time) in times {
        if time.is_zero() || time > LONGEST_TIME {
            return Err(Error::new(
                Kind::Value,
                format!("{name} must be more than nothing and at most a year"),
            ));
        }
    }
    if limits.max_frame > limits.memory {
        return Err(Error::new(
            Kind::Value,
            format!(
                "max-frame ({} bytes) is more than memory ({} bytes): such a frame could never be held",
                limits.max_frame, limits.memory
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::for_memory(1 << 30)
    }

    #[test]
    fn the_default_limits_pass_their_own_check() {
        check(&limits()).unwrap();
    }

    #[test]
    fn what_the_system_would_refuse_silently_is_refused_by_name() {
        let long = Duration::from_secs(36_000);
        for limits in [
            Limits { keep_alive_idle: long, ..limits() },
            Limits { keep_alive_interval: long, ..limits() },
            Limits { keep_alive_probes: 128, ..limits() },
        ] {
            assert!(check(&limits).unwrap_err().to_string().contains("keep-alive"));
        }
    }

    #[test]
    fn a_limit_of_nothing_is_refused_by_name() {
        let error = check(&Limits { handshakes: 0, ..limits() }).unwrap_err();
        assert!(error.to_string().starts_with("ValueError: handshakes must"), "{error}");
        let error = check(&Limits { linger: Duration::ZERO, ..limits() }).unwrap_err();
        assert!(error.to_string().starts_with("ValueError: linger must"), "{error}");
    }

    #[test]
    fn a_time_that_a_clock_cannot_add_is_refused() {
        assert!(check(&Limits { prompt: Duration::MAX, ..limits() }).is_err());
    }

    #[test]
    fn a_frame_must_fit_into_the_memory() {
        assert!(check(&Limits { max_frame: 2 << 30, ..limits() }).is_err());
    }

    #[test]
    fn ports_are_0_to_65535() {
        assert_eq!(port("1875").unwrap(), 1875);
        assert_eq!(port("0").unwrap(), 0);
        assert_eq!(port("65535").unwrap(), 65535);
        for text in ["65536", "99999999999"] {
            assert!(
                port(text).unwrap_err().to_string().starts_with("ValueError: there is no port"),
                "{text}"
            );
        }
        for text in ["-1", "abc", "", "1.5"] {
            assert_eq!(
                port(text).unwrap_err().to_string(),
                "ValueError: The port must be a positive integer"
            );
        }
    }

    #[test]
    fn a_host_never_leads_to_another_folder() {
        for good in ["localhost", "lab-7.example.org", "::1", "fe80::1%eth0", "10.0.0.1", "0.0.0.0"] {
            assert_eq!(host(good).unwrap(), good);
        }
        for bad in ["", "../x", "a/b", "a\\b", "..", "a b", "a\nb", "-x"] {
            assert!(host(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn one_way_of_authentication_at_most() {
        let secret = || Some(Secret::new("hush"));
        assert_eq!(Authentication::choose(None, false, false).unwrap(), Authentication::None);
        assert_eq!(Authentication::choose(None, true, false).unwrap(), Authentication::Login);
        assert!(matches!(
            Authentication::choose(secret(), false, false).unwrap(),
            Authentication::Password(_)
        ));
        for (password, login, host_names) in
            [(secret(), true, false), (secret(), false, true), (None, true, true)]
        {
            let error = Authentication::choose(password, login, host_names).unwrap_err();
            assert_eq!(error.to_string(), "Cannot specify multiple authentication methods");
        }
    }

    #[test]
    fn a_config_does_not_show_its_password() {
        let mut config = Config::new(limits());
        config.authentication = Authentication::Password(Secret::new("hush"));
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn the_line_names_the_host_that_was_named() {
        let mut config = Config::new(limits());
        config.host = Some("127.0.0.1".into());
        config.tls = Tls::Disabled;
        assert_eq!(config.running("lab-7", 1), "Network Manager running on 127.0.0.1:1 (TLS DISABLED)");
    }
}
