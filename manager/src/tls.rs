//! TLS of a Manager: which key and certificate it uses, and the configuration for rustls.
//!
//! The rules are those of `msl-network start`: what is missing is made where that cannot do harm, and is an error that says
//! what to do otherwise. Easy to get wrong: a certificate is never replaced because its *key* is missing, as devices
//! trust that certificate.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, ServerConfig};

use crate::certificate::{self, Subject, Terms};
use crate::config::TlsFiles;
use crate::{Error, Home, Kind, Secret, key};

/// The certificate and the private key that a Manager serves with. Both may be the same file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate, with its chain where it has one.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    makes: Makes,
}

/// What may be made before a Manager serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Makes {
    Nothing,
    /// The certificate, each time.
    Certificate,
    /// What is missing.
    Missing,
}

impl Files {
    /// Decides which files to use; touches none of them.
    ///
    /// - Neither named: the default ones of this host.
    /// - Only a key named: it and the default certificate.
    /// - Only a certificate named: the file holds both.
    pub fn choose(named: &TlsFiles, home: &Home, host: Option<&str>) -> Self {
        let (default_certificate, default_key) = (home.default_certificate(host), home.default_key(host));
        match (named.certificate.clone(), named.key.clone()) {
            (Some(certificate), Some(key)) => Self { certificate, key, makes: Makes::Nothing },
            (Some(both), None) => Self { certificate: both.clone(), key: both, makes: Makes::Nothing },
            (None, Some(key)) => Self { certificate: default_certificate, key, makes: Makes::Certificate },
            (None, None) => {
                Self { certificate: default_certificate, key: default_key, makes: Makes::Missing }
            }
        }
    }

    /// The configuration for rustls: TLS 1.2 and 1.3, sessions are resumed, clients need no certificate.
    ///
    /// Makes files first where none was named: key and certificate where there is no key, the certificate where there is
    /// only a key; and the certificate anew where only a key was named. The password is that of the key, also of one that
    /// is made.
    ///
    /// # Errors
    /// Where a named file is missing, a certificate is there and its key is not, a file cannot be read or written, or key and
    /// certificate do not belong together.
    pub fn server_config(
        &self,
        password: Option<&Secret>,
        subject: impl FnOnce() -> Subject,
    ) -> Result<Arc<ServerConfig>, Error> {
        let (chain, key) = self.pair(password, subject)?;
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
        // Each one is good for one connection, and the next connection brings the next one.
        config.send_tls13_tickets = 1;
        Ok(Arc::new(config))
    }

    /// Certificate and key; makes what is missing.
    fn pair(
        &self,
        password: Option<&Secret>,
        subject: impl FnOnce() -> Subject,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
        // Looked for before the key: another Manager that starts at the same moment makes the key first.
        let has_certificate = self.certificate.exists();
        if self.makes == Makes::Missing && !self.key.exists() {
            if has_certificate {
                return Err(key_is_missing(self));
            }
            key::make_missing(&self.key, password)?;
        }
        let key = || key::read(&self.key, password)?.ok_or_else(|| self.no_key());
        let key = match self.makes {
            Makes::Certificate => {
                let key = key()?;
                certificate::make(&self.certificate, &key, &subject(), Terms::default())?;
                key
            }
            Makes::Missing if !has_certificate => {
                let key = key()?;
                certificate::make_missing(&self.certificate, &key, &subject())?;
                key
            }
            // The certificate first: a key may take a second to decrypt.
            Makes::Nothing | Makes::Missing => {
                return Ok((certificate::read(&self.certificate)?, key()?));
            }
        };
        Ok((certificate::read(&self.certificate)?, key))
    }

    fn no_key(&self) -> Error {
        if self.key != self.certificate {
            return key::none_in(&self.key);
        }
        let text = format!(
            "the certificate '{}' comes without its private key; name the key's file with --key-file, or put the key \
             into the same file",
            self.certificate.display()
        );
        Error::new(Kind::Value, text)
    }
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
    use std::path::Path;

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

        fn choose(&self, named: &TlsFiles, host: Option<&str>) -> Files {
            Files::choose(named, &self.home, host)
        }

        fn key(&self, name: &str) -> PathBuf {
            let path = self.path(name);
            key::make_missing(&path, None).unwrap();
            path
        }

        fn certificate(&self, name: &str, key: &Path) -> PathBuf {
            let path = self.path(name);
            let key = key::read(key, None).unwrap().unwrap();
            certificate::make(&path, &key, &lab_7(), Terms::default()).unwrap();
            path
        }
    }

    fn lab_7() -> Subject {
        Subject::this_computer("lab-7", None)
    }

    fn server_config(files: &Files) -> Result<Arc<ServerConfig>, Error> {
        files.server_config(None, lab_7)
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
        let files = world.choose(&named(None, None), None);
        assert_eq!(files.key, world.home.default_key(None));
        assert_eq!(files.certificate, world.home.default_certificate(None));
        server_config(&files).unwrap();
        let before = (fs::read(&files.key).unwrap(), fs::read(&files.certificate).unwrap());
        server_config(&files).unwrap();
        assert_eq!(before, (fs::read(&files.key).unwrap(), fs::read(&files.certificate).unwrap()));
    }

    #[test]
    fn a_host_has_its_own_pair() {
        let files = World::new().choose(&named(None, None), Some("127.0.0.1"));
        assert!(files.key.ends_with("keys/127.0.0.1.key"));
        assert!(files.certificate.ends_with("certs/127.0.0.1.crt"));
    }

    #[test]
    fn a_key_alone_makes_the_default_certificate_anew() {
        let world = World::new();
        let key = world.key("mine.key");
        let files = world.choose(&named(None, Some(&key)), None);
        server_config(&files).unwrap();
        let first = fs::read(&files.certificate).unwrap();
        server_config(&files).unwrap();
        assert_ne!(first, fs::read(&files.certificate).unwrap());
    }

    #[test]
    fn a_named_key_that_is_not_there_is_not_made() {
        let world = World::new();
        let error = server_config(&world.choose(&named(None, Some(&world.path("none"))), None)).unwrap_err();
        assert_eq!(error.kind(), Kind::FileNotFound);
    }

    #[test]
    fn a_certificate_alone_holds_its_key() {
        let world = World::new();
        let key = world.key("mine.key");
        let certificate = world.certificate("mine.crt", &key);
        let error = server_config(&world.choose(&named(Some(&certificate), None), None)).unwrap_err();
        assert!(error.to_string().contains("--key-file"), "{error}");
        let both = world.path("both.pem");
        fs::write(&both, [fs::read(&certificate).unwrap(), fs::read(&key).unwrap()].concat()).unwrap();
        server_config(&world.choose(&named(Some(&both), None), None)).unwrap();
    }

    #[test]
    fn a_default_certificate_whose_key_is_gone_is_kept_and_an_error() {
        let world = World::new();
        let files = world.choose(&named(None, None), None);
        server_config(&files).unwrap();
        fs::remove_file(&files.key).unwrap();
        let error = server_config(&files).unwrap_err();
        assert!(error.to_string().contains("put the key back"), "{error}");
        assert!(files.certificate.exists());
    }

    #[test]
    fn of_two_managers_that_make_a_certificate_both_serve_with_the_first() {
        let world = World::new();
        let files = world.choose(&named(None, None), None);
        let mut first = Vec::new();
        let (chain, _) = files
            .pair(None, || {
                // Between the moment when it is found missing and the one when it is written.
                first = files.pair(None, lab_7).unwrap().0;
                lab_7()
            })
            .unwrap();
        assert_eq!(chain, first);
        assert_eq!(chain, certificate::read(&files.certificate).unwrap());
    }

    #[test]
    fn a_pair_that_does_not_match_is_an_error() {
        let world = World::new();
        let certificate = world.certificate("a.crt", &world.key("a.key"));
        let files = world.choose(&named(Some(&certificate), Some(&world.key("b.key"))), None);
        let error = server_config(&files).unwrap_err();
        assert!(error.to_string().contains("does not belong"), "{error}");
    }

    #[test]
    fn with_a_password_the_key_is_made_encrypted() {
        let world = World::new();
        let files = world.choose(&named(None, None), None);
        files.server_config(Some(&Secret::new("hush")), lab_7).unwrap();
        assert_eq!(key::is_encrypted(&files.key).unwrap(), Some(true));
        files.server_config(Some(&Secret::new("hush")), lab_7).unwrap();
        assert_eq!(server_config(&files).unwrap_err().kind(), Kind::Type);
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
        let files = world.choose(&named(None, None), None);
        let server = server_config(&files).unwrap();
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
            // Each brings what the next one needs.
            for _ in 0..3 {
                assert_eq!(handshake(&client, &server), HandshakeKind::Resumed);
            }
        }
    }
}
