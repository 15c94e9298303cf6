//! One TLS connection of a device: what it trusts, and what follows from the certificate that it is shown.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use msl_network_protocol::author::{ConnectOptions, Trust, UnknownCertificate};
use msl_network_protocol::device::{Error, ErrorKind};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, IpAddr, Ipv4Addr, ServerName};
use rustls::{CertificateError, ClientConfig};

use crate::certificate::{self, ReadError, fingerprint};
use crate::file::{self, Readers};
use crate::home::Home;
use crate::verifier::Verifier;

/// A TLS connection that is about to be made.
#[derive(Debug)]
pub struct Handshake {
    verifier: Arc<Verifier>,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    options: ConnectOptions,
    /// Where the certificate is, or is to be saved.
    path: PathBuf,
    known: bool,
}

/// What is to be done once the TLS handshake is over.
#[derive(Debug)]
pub enum FirstUse {
    /// The certificate is trusted: go on.
    Trusted,
    /// Somebody has to be asked, with [`Asking::ask`], which may take long. So this connection is to be ended, and another
    /// one made after a yes.
    Ask(Box<Asking>),
}

/// A certificate that somebody has to be asked about.
#[derive(Debug)]
pub struct Asking {
    handshake: Handshake,
    certificate: CertificateDer<'static>,
}

impl Handshake {
    /// Reads what is trusted for this connection. It reads one small file.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`]: a file cannot be read; [`ErrorKind::Invalid`]: the address is none.
    pub fn new(options: &ConnectOptions) -> Result<Self, Error> {
        let (host, _) = options.address.parts()?;
        let path = match &options.tls.certificate {
            Some(path) => path.clone(),
            None => home(options)?.default_certificate(Some(host)),
        };
        let kept = match certificate::read(&path) {
            Ok(certificates) => Some(certificates),
            Err(ReadError::Io(error))
                if error.kind() == io::ErrorKind::NotFound && options.tls.certificate.is_none() =>
            {
                None
            }
            Err(error) => {
                return Err(tls(format!("cannot use the certificate '{}': {error}", path.display())));
            }
        };
        let known = kept.is_some();
        let provider = Arc::new(default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let verifier = Arc::new(Verifier::new(kept, options.tls.check_host_name, algorithms));
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| tls(format!("TLS cannot be used: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        let (name, options) = (server_name(host, options)?, options.clone());
        Ok(Self { verifier, config: Arc::new(config), name, options, path, known })
    }

    /// The configuration for the TLS stream.
    pub fn config(&self) -> Arc<ClientConfig> {
        self.config.clone()
    }

    /// The name for the TLS stream.
    pub fn server_name(&self) -> ServerName<'static> {
        self.name.clone()
    }

    /// What is to be done after the handshake, before anything is sent. It may write one small file.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`]: the certificate is not known, and not to be trusted just so; or it cannot be saved.
    pub fn finish(self) -> Result<FirstUse, Error> {
        if self.known {
            return Ok(FirstUse::Trusted);
        }
        let Some(certificate) = self.verifier.shown() else {
            return Err(tls(format!("{} has shown no certificate", self.options.address)));
        };
        match &self.options.tls.trust {
            Trust::Known => Err(tls(format!(
                "the certificate of {} is not known; its SHA-256 fingerprint is {}. If that is the Manager's, save it \
                 by connecting once with trust(Trust::Save), or copy the Manager's certificate to '{}'",
                self.options.address,
                fingerprint(&certificate),
                self.path.display()
            ))),
            Trust::Save => {
                save(&self.path, &certificate)?;
                Ok(FirstUse::Trusted)
            }
            Trust::Ask(_) => Ok(FirstUse::Ask(Box::new(Asking { handshake: self, certificate }))),
        }
    }

    /// Why the TLS handshake failed, and what to do about it.
    pub fn explain(&self, error: &io::Error) -> Error {
        let address = &self.options.address;
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        tls(match cause {
            Some(rustls::Error::InvalidCertificate(why)) => self.explain_certificate(why),
            Some(rustls::Error::InvalidMessage(_)) => format!(
                "{address} does not speak TLS; if the Manager was started with --disable-tls, connect without TLS"
            ),
            Some(cause) => format!("TLS with {address} failed: {cause}"),
            None => format!("{address} ended the connection during the TLS handshake: {error}"),
        })
    }

    fn explain_certificate(&self, why: &CertificateError) -> String {
        use CertificateError::{
            Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
        };
        let ConnectOptions { address, .. } = &self.options;
        match why {
            NotValidForName | NotValidForNameContext { .. } => {
                let names = match why {
                    NotValidForNameContext { presented, .. } if !presented.is_empty() => {
                        let names: Vec<String> = presented.iter().map(|name| plain(name)).collect();
                        format!(" but for {}", names.join(", "))
                    }
                    _ => String::new(),
                };
                format!(
                    "the certificate of {address} is not for that host{names}; connect by a name that it is for or, if \
                     you trust the connection, without the check of the host name"
                )
            }
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => {
                format!(
                    "the certificate of {address} cannot be used now ({why}); the Manager needs a new one, or this \
                     computer's clock is wrong"
                )
            }
            why if self.known => {
                let (path, trusted) = (self.path.display(), self.options.tls.certificate.is_some());
                let shown = self.verifier.shown().map(|shown| fingerprint(&shown)).unwrap_or_default();
                let what = if trusted {
                    "give the file with its certificate"
                } else {
                    "delete that file and connect again"
                };
                format!(
                    "the certificate of {address} is not the one in '{path}' ({why}); its SHA-256 fingerprint is {shown}. \
                     Either the Manager has a new certificate, or this is not the Manager. If you know that it is, {what}"
                )
            }
            why => format!("the certificate of {address} cannot be used: {why}"),
        }
    }
}

impl Asking {
    /// Asks, and saves the certificate if the answer is yes. It may block for as long as a person takes.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`]: the answer is no, or the certificate cannot be saved.
    pub fn ask(self) -> Result<(), Error> {
        let Handshake { options, path, .. } = self.handshake;
        let (host, _) = options.address.parts()?;
        let Trust::Ask(answer) = &options.tls.trust else { return Ok(()) };
        let unknown = UnknownCertificate {
            host: host.to_string(),
            fingerprint: fingerprint(&self.certificate),
            pem: certificate::to_pem(&self.certificate),
            path: path.clone(),
        };
        if !answer(&unknown) {
            return Err(tls(format!("the certificate of {} is not trusted", options.address)));
        }
        save(&path, &self.certificate)
    }
}

fn home(options: &ConnectOptions) -> Result<Home, Error> {
    match &options.tls.home {
        Some(folder) => Ok(Home::at(folder)),
        None => Home::find().map_err(|error| tls(error.to_string())),
    }
}

/// A name in a certificate, of which rustls tells `DnsName("lab")` or `IpAddress(0::1)`.
fn plain(presented: &str) -> String {
    let inside = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(presented);
    let name = inside.trim_matches('"');
    name.parse().map_or_else(|_| name.to_string(), |ip: std::net::IpAddr| ip.to_string())
}

/// The name that the certificate has to be for. Without a check, a host of any form will do: an address is never sent.
fn server_name(host: &str, options: &ConnectOptions) -> Result<ServerName<'static>, Error> {
    match ServerName::try_from(host.to_string()) {
        Ok(name) => Ok(name),
        Err(_) if !options.tls.check_host_name => {
            Ok(ServerName::IpAddress(IpAddr::V4(Ipv4Addr::from([0, 0, 0, 0]))))
        }
        Err(_) => Err(tls(format!(
            "no certificate can be for the host {host}; connect without the check of the host name"
        ))),
    }
}

/// Saves a certificate. Another connection may do the same at this moment; a different one is never overwritten.
fn save(path: &Path, certificate: &CertificateDer<'static>) -> Result<(), Error> {
    let cannot = |error: &dyn std::fmt::Display| {
        tls(format!("cannot save the certificate as '{}': {error}", path.display()))
    };
    let pem = certificate::to_pem(certificate);
    if file::write_new(path, pem.as_bytes(), Readers::Everybody).map_err(|error| cannot(&error))? {
        return Ok(());
    }
    let kept = certificate::read(path).map_err(|error| cannot(&error))?;
    if kept.contains(certificate) { Ok(()) } else { Err(cannot(&"another one was saved at the same time")) }
}

fn tls(text: String) -> Error {
    Error::new(ErrorKind::Tls, text)
}
