//! How to reach a Manager, and what a device says there: plain values, for a runtime crate to act upon.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Address, Reconnect};
use crate::device::{Credentials, Error, ErrorKind, Prompt, READ_LIMIT};

/// How long each step of connecting may take, unless the author says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Answers what only a person knows: a username, a password. `None` gives up.
///
/// It may block; it is called on a thread where that holds nobody up.
pub type AnswerPrompt = Arc<dyn Fn(&Prompt) -> Option<String> + Send + Sync>;

/// Decides whether a certificate that is not known yet is to be trusted from now on. It may block.
pub type AnswerTrust = Arc<dyn Fn(&UnknownCertificate) -> bool + Send + Sync>;

/// What to do with the certificate of a Manager that was not met before.
#[derive(Clone, Default)]
pub enum Trust {
    /// It is an error. The certificate has to be in its place before.
    #[default]
    Known,
    /// It is saved, and trusted from now on.
    Save,
    /// Somebody is asked; the certificate is saved if the answer is yes.
    Ask(AnswerTrust),
}

impl Trust {
    /// Asks this function.
    pub fn ask(answer: impl Fn(&UnknownCertificate) -> bool + Send + Sync + 'static) -> Self {
        Self::Ask(Arc::new(answer))
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Known => "Known",
            Self::Save => "Save",
            Self::Ask(_) => "Ask",
        })
    }
}

/// A certificate that a Manager has shown, and that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCertificate {
    /// The host that was connected with.
    pub host: String,
    /// The SHA-256 fingerprint: 32 bytes as hexadecimal numbers with colons.
    pub fingerprint: String,
    /// The certificate itself.
    pub pem: String,
    /// Where it is going to be saved.
    pub path: PathBuf,
}

/// Whether and how the connection is encrypted.
#[derive(Clone, Debug)]
pub struct TlsOptions {
    /// Whether the Manager uses TLS.
    pub enabled: bool,
    /// The file with the certificates to trust, in place of the one in the home folder.
    pub certificate: Option<PathBuf>,
    /// Whether the certificate has to be for the host that is connected with.
    pub check_host_name: bool,
    /// What to do with a certificate that is not known.
    pub trust: Trust,
    /// The home folder, where certificates are kept; that of the user if `None`.
    pub home: Option<PathBuf>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self { enabled: true, certificate: None, check_host_name: true, trust: Trust::Known, home: None }
    }
}

/// How to reach a Manager, and what to answer there.
#[derive(Clone)]
pub struct ConnectOptions {
    /// Where the Manager is.
    pub address: Address,
    /// How long each step of connecting may take. The time in which a person is asked something does not count.
    pub timeout: Duration,
    /// What to answer when the Manager asks for a login.
    pub credentials: Credentials,
    /// Is asked for what the credentials lack. Without it, the connection ends then.
    pub answer_prompt: Option<AnswerPrompt>,
    /// The longest line that is read, in bytes.
    pub read_limit: usize,
    /// Whether and how the connection is encrypted.
    pub tls: TlsOptions,
    /// Whether and how the connection is restored when it was lost.
    pub reconnect: Option<Reconnect>,
}

impl ConnectOptions {
    /// For a Manager with TLS that asks for no login.
    pub fn new(address: impl Into<Address>) -> Self {
        Self {
            address: address.into(),
            timeout: TIMEOUT,
            credentials: Credentials::default(),
            answer_prompt: None,
            read_limit: READ_LIMIT,
            tls: TlsOptions::default(),
            reconnect: None,
        }
    }
}

/// What went wrong on the way to the Manager, in the words that all runtimes share.
impl ConnectOptions {
    /// The socket could not be opened.
    pub fn cannot_connect(&self, error: &io::Error) -> Error {
        let Self { address, .. } = self;
        let text = match error.kind() {
            io::ErrorKind::ConnectionRefused if self.is_this_computer() => {
                format!("no Manager is running at {address} on this computer; `msl-network start` starts one")
            }
            io::ErrorKind::ConnectionRefused => {
                format!("no Manager is running at {address}, or a firewall is in front of it: {error}")
            }
            _ => format!("cannot connect to {address}: {error}"),
        };
        Error::new(ErrorKind::Io, text)
    }

    /// A step on the network has taken too long.
    pub fn timed_out(&self) -> Error {
        let Self { address, timeout, .. } = self;
        let text = format!(
            "cannot connect to {address} within {timeout:?}: is the address right, and the network up?"
        );
        Error::new(ErrorKind::TimedOut, text)
    }

    /// The Manager has taken the connection and says nothing.
    pub(super) fn silent(&self) -> Error {
        let Self { address, timeout, .. } = self;
        let hint = if self.tls.enabled { "" } else { "; it may wait for TLS, which is switched off here" };
        let text = format!("{address} has not asked who is there within {timeout:?}{hint}");
        Error::new(ErrorKind::TimedOut, text)
    }

    fn is_this_computer(&self) -> bool {
        let Ok((host, _)) = self.address.parts() else { return false };
        host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("address", &self.address)
            .field("timeout", &self.timeout)
            .field("credentials", &self.credentials)
            .field("read_limit", &self.read_limit)
            .field("tls", &self.tls)
            .field("reconnect", &self.reconnect)
            .finish_non_exhaustive()
    }
}
