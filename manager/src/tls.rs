//! TLS of a Manager: which key and certificate it uses, and the configuration for rustls.
//!
//! The rules are those of `msl-network start`: what is missing is made where that cannot do harm, and is an error that says
//! what to do otherwise. Easy to get wrong: a certificate is never replaced because its *key* is missing, as devices
//! trust that certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{InconsistentKeys, ServerConfig};

use crate::certificate::{self, Subject};
use crate::config::TlsFiles;
use crate::{Error, Home, Kind, key};

/// The certificate and the private key that a Manager serves with. Both may be the same file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate, with its chain where it has one.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Files {
    /// Decides which files to use, and makes those that are missing.
    ///
    /// - Neither named: the default ones of this host; both are made where there is no key, the certificate where there
    ///   is only a key.
    /// - Only a key named: the default certificate is made anew with it.
    /// - Only a certificate named: the file holds both.
    ///
    /// # Errors
    /// Where a named file is missing, a certificate is there and its key is not, or a file cannot be written.
    pub fn prepare(
        named: &TlsFiles,
        home: &Home,
        host: Option<&str>,
        host_name: &str,
    ) -> Result<Self, Error> {
        let subject = || Subject::this_computer(host_name, host);
        match (&named.certificate, &named.key) {
            (Some(certificate), Some(key)) => Ok(Self { certificate: certificate.clone(), key: key.clone() }),
            (Some(both), None) => Ok(Self { certificate: both.clone(), key: both.clone() }),
            (None, Some(key)) => {
                let certificate = home.default_certificate(host);
                certificate::make(&certificate, &existing_key(key)?, &subject())?;
                Ok(Self { certificate, key: key.clone() })
            }
            (None, None) => {
                let files = Self { certificate: home.default_certificate(host), key: home.default_key(host) };
                if !files.key.exists() {
                    if files.certificate.exists() {
                        return Err(key_is_missing(&files));
                    }
                    if named.key_password.is_some() {
                        return Err(Error::new(
                            Kind::NotImplemented,
                            "there is no private key yet, and this version cannot make an encrypted one; \
                             start without a password for the key",
                        ));
                    }
                    key::make(&files.key)?;
                }
                if !files.certificate.exists() {
                    certificate::make(&files.certificate, &existing_key(&files.key)?, &subject())?;
                }
                Ok(files)
            }
        }
    }

    /// The configuration for rustls: TLS 1.2 and 1.3, sessions are resumed, clients need no certificate.
    ///
    /// # Errors
    /// Where a file cannot be read, or key and certificate do not belong together.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, Error> {
        let chain = certificate::read(&self.certificate)?;
        let Some(key) = key::read(&self.key)? else {
            return Err(if self.key == self.certificate {
                Error::new(
                    Kind::Value,
                    format!(
                        "the certificate '{}' comes without its private key; name the key's file with --key-file, \
                         or put the key into the same file",
                        self.certificate.display()
                    ),
                )
            } else {
                no_key_in(&self.key)
            });
        };
        let failed = |cause: rustls::Error| match cause {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Error::new(
                Kind::Value,
                format!(
                    "the private key '{}' does not belong to the certificate '{}'; name the right pair, or leave \
                     --cert-file out to have a certificate made for the key",
                    self.key.display(),
                    self.certificate.display()
                ),
            ),
            cause => Error::with_source(
                Kind::Value,
                format!("TLS cannot use the certificate '{}': {cause}", self.certificate.display()),
                cause,
            ),
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(failed)?;
        // Tickets keep sessions at the client's side: a thousand devices that reconnect at once cost no memory here.
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(failed)?;
        Ok(Arc::new(config))
    }
}

fn existing_key(path: &Path) -> Result<rustls::pki_types::PrivateKeyDer<'static>, Error> {
    key::read(path)?.ok_or_else(|| no_key_in(path))
}

fn no_key_in(path: &Path) -> Error {
    Error::new(
        Kind::Value,
        format!("there is no private key in '{}'; a PEM file is expected", path.display()),
    )
}

fn key_is_missing(files: &Files) -> Error {
    Error::new(
        Kind::FileNotFound,
        format!(
            "the certificate '{}' is there, and its private key '{}' is not; put the key back, or delete the \
             certificate to have both made anew",
            files.certificate.display(),
            files.key.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::HandshakeKind;
    use rustls::pki_types::ServerName;
    use std::fs;

    struct World {
        folder: tempfile::TempDir,
        home: Home,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let home = Home::at(folder.path().join("home"));
            Self { folder, home }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn prepare(&self, named: &TlsFiles, host: Option<&str>) -> Result<Files, Error> {
            Files::prepare(named, &self.home, host, "lab-7")
        }

        fn key(&self, name: &str) -> PathBuf {
            let path = self.path(name);
            key::make(&path).unwrap();
            path
        }

        fn certificate(&self, name: &str, key: &Path) -> PathBuf {
            let path = self.path(name);
            let key = key::read(key).unwrap().unwrap();
            certificate::make(&path, &key, &Subject::this_computer("lab-7", None)).unwrap();
            path
        }
    }

    fn named(certificate: Option<&Path>, key: Option<&Path>) -> TlsFiles {
        TlsFiles {
            certificate: certificate.map(Path::to_owned),
            key: key.map(Path::to_owned),
            key_password: None,
        }
    }

    #[test]
    fn what_is_missing_is_made_once_and_then_kept() {
        let world = World::new();
        let files = world.prepare(&named(None, None), None).unwrap();
        assert_eq!(files.key, world.home.default_key(None));
        assert_eq!(files.certificate, world.home.default_certificate(None));
        files.server_config().unwrap();
        let before = (fs::read(&files.key).unwrap(), fs::read(&files.certificate).unwrap());
        world.prepare(&named(None, None), None).unwrap();
        assert_eq!(before, (fs::read(&files.key).unwrap(), fs::read(&files.certificate).unwrap()));
    }

    #[test]
    fn a_host_has_its_own_pair() {
        let world = World::new();
        let files = world.prepare(&named(None, None), Some("127.0.0.1")).unwrap();
        assert!(files.key.ends_with("keys/127.0.0.1.key"));
        assert!(files.certificate.ends_with("certs/127.0.0.1.crt"));
    }

    #[test]
    fn a_key_alone_makes_the_default_certificate_anew() {
        let world = World::new();
        let key = world.key("mine.key");
        let files = world.prepare(&named(None, Some(&key)), None).unwrap();
        let first = fs::read(&files.certificate).unwrap();
        files.server_config().unwrap();
        world.prepare(&named(None, Some(&key)), None).unwrap();
        assert_ne!(first, fs::read(&files.certificate).unwrap());
    }

    #[test]
    fn a_named_key_that_is_not_there_is_not_made() {
        let world = World::new();
        let error = world.prepare(&named(None, Some(&world.path("none"))), None).unwrap_err();
        assert_eq!(error.kind(), Kind::FileNotFound);
    }

    #[test]
    fn a_certificate_alone_holds_its_key() {
        let world = World::new();
        let key = world.key("mine.key");
        let certificate = world.certificate("mine.crt", &key);
        let error =
            world.prepare(&named(Some(&certificate), None), None).unwrap().server_config().unwrap_err();
        assert!(error.to_string().contains("--key-file"), "{error}");
        let both = world.path("both.pem");
        fs::write(&both, [fs::read(&certificate).unwrap(), fs::read(&key).unwrap()].concat()).unwrap();
        world.prepare(&named(Some(&both), None), None).unwrap().server_config().unwrap();
    }

    #[test]
    fn a_default_certificate_whose_key_is_gone_is_kept_and_an_error() {
        let world = World::new();
        let files = world.prepare(&named(None, None), None).unwrap();
        fs::remove_file(&files.key).unwrap();
        let error = world.prepare(&named(None, None), None).unwrap_err();
        assert!(error.to_string().contains("put the key back"), "{error}");
        assert!(files.certificate.exists());
    }

    #[test]
    fn a_pair_that_does_not_match_is_an_error() {
        let world = World::new();
        let certificate = world.certificate("a.crt", &world.key("a.key"));
        let files = world.prepare(&named(Some(&certificate), Some(&world.key("b.key"))), None).unwrap();
        let error = files.server_config().unwrap_err();
        assert!(error.to_string().contains("does not belong"), "{error}");
    }

    #[test]
    fn an_encrypted_key_is_not_made_unencrypted_in_silence() {
        let world = World::new();
        let mut named = named(None, None);
        named.key_password = Some(crate::Secret::new("hush"));
        assert_eq!(world.prepare(&named, None).unwrap_err().kind(), Kind::NotImplemented);
        assert!(!world.home.default_key(None).exists());
    }

    /// One handshake in memory, and how it went for the server. The client reads what the server sends after it.
    fn handshake(client: &Arc<rustls::ClientConfig>, server: &Arc<ServerConfig>) -> HandshakeKind {
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = rustls::ClientConnection::new(Arc::clone(client), name).unwrap();
        let mut server = rustls::ServerConnection::new(Arc::clone(server)).unwrap();
        while client.wants_write() || server.wants_write() {
            let mut bytes = Vec::new();
            client.write_tls(&mut bytes).unwrap();
            server.read_tls(&mut bytes.as_slice()).unwrap();
            server.process_new_packets().unwrap();
            bytes.clear();
            server.write_tls(&mut bytes).unwrap();
            client.read_tls(&mut bytes.as_slice()).unwrap();
            client.process_new_packets().unwrap();
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        server.handshake_kind().unwrap()
    }

    #[test]
    fn sessions_are_resumed_in_both_versions_of_tls() {
        let world = World::new();
        let files = world.prepare(&named(None, None), None).unwrap();
        let server = files.server_config().unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate::read(&files.certificate).unwrap().remove(0)).unwrap();
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let client = rustls::ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(&[version])
                .unwrap()
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
            let client = Arc::new(client);
            assert_eq!(handshake(&client, &server), HandshakeKind::Full);
            assert_eq!(handshake(&client, &server), HandshakeKind::Resumed);
        }
    }
}
