//! What is measured: programs of their own, each on a free port and with a home folder of its own.
//!
//! All have one certificate: the one that this project's program makes.

use std::fmt;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use msl_network_tests::program::at_home;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tempfile::TempDir;

use crate::Failure;
use crate::dial::Address;
use crate::process;
use crate::protocol::Protocol;

/// How long a peer may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// The bare relay.
    Relay,
    /// This project's program, on tokio.
    OursTokio,
    /// The same on smol.
    OursSmol,
    /// The program of `--other`, on tokio.
    OtherTokio,
    /// The same on smol.
    OtherSmol,
    /// `nats-server`.
    Nats,
    /// The Manager of the Python package.
    Python,
}

impl Kind {
    /// Whether it is a Manager of this project.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::OursTokio | Self::OursSmol | Self::OtherTokio | Self::OtherSmol)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relay => "relay",
            Self::OursTokio => "ours, tokio",
            Self::OursSmol => "ours, smol",
            Self::OtherTokio => "other, tokio",
            Self::OtherSmol => "other, smol",
            Self::Nats => "NATS",
            Self::Python => "Python",
        })
    }
}

/// Whether connections are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    Plain,
    Tls,
}

/// Where the programs are, and their certificate.
pub(crate) struct Programs {
    pub(crate) ours: PathBuf,
    pub(crate) other: Option<PathBuf>,
    pub(crate) python: Option<PathBuf>,
    home: TempDir,
}

impl Programs {
    /// Makes the certificate.
    pub(crate) fn new(
        ours: PathBuf,
        other: Option<PathBuf>,
        python: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let home = tempfile::tempdir()?;
        let programs = Self { ours, other, python, home };
        programs.make_certificate()?;
        Ok(programs)
    }

    fn make_certificate(&self) -> Result<(), Failure> {
        let mut program = Command::new(&self.ours);
        at_home(program.arg("certgen"), self.home.path()).stdout(Stdio::null());
        if program.status()?.success() { Ok(()) } else { Err(format!("{program:?} has failed").into()) }
    }

    fn certificate(&self) -> PathBuf {
        self.home.path().join("certs/localhost.crt")
    }

    fn key(&self) -> PathBuf {
        self.home.path().join("keys/localhost.key")
    }

    /// Whether this machine has what that peer needs.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        match kind {
            Kind::Relay | Kind::OursTokio | Kind::OursSmol => true,
            Kind::OtherTokio | Kind::OtherSmol => self.other.is_some(),
            Kind::Python => self.python.is_some(),
            Kind::Nats => Command::new("nats-server")
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success()),
        }
    }

    fn command(
        &self,
        kind: Kind,
        port: u16,
        encryption: Encryption,
        home: &Path,
    ) -> Result<Command, Failure> {
        let (certificate, key) = (self.certificate(), self.key());
        let tls = encryption == Encryption::Tls;
        let start = |program: &Path, runtime: &[&str]| {
            let mut command = Command::new(program);
            command.args(["start", "--port", &port.to_string()]).args(runtime);
            if tls {
                command.arg("--cert-file").arg(&certificate).arg("--key-file").arg(&key);
            } else {
                command.arg("--disable-tls");
            }
            command
        };
        Ok(match kind {
            Kind::OursTokio => start(&self.ours, &["--runtime", "tokio"]),
            Kind::OursSmol => start(&self.ours, &["--runtime", "smol"]),
            Kind::OtherTokio => start(self.other.as_ref().ok_or("no --other")?, &["--runtime", "tokio"]),
            Kind::OtherSmol => start(self.other.as_ref().ok_or("no --other")?, &["--runtime", "smol"]),
            Kind::Python => {
                start(&self.python.as_ref().ok_or("no Python")?.with_file_name("msl-network"), &[])
            }
            Kind::Relay => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["relay", &port.to_string()]);
                if tls {
                    command.arg(&certificate).arg(&key);
                }
                command
            }
            Kind::Nats => {
                let mut command = Command::new("nats-server");
                command.args(["--addr", "127.0.0.1", "--port", &port.to_string()]);
                if tls {
                    command.arg("--tls").arg("--tlscert").arg(&certificate).arg("--tlskey").arg(&key);
                }
                command.current_dir(home);
                command
            }
        })
    }
}

/// A running program, which is killed when this is dropped.
pub(crate) struct Peer {
    kind: Kind,
    child: Child,
    address: Address,
    certificate: Option<PathBuf>,
    _home: TempDir,
}

impl Peer {
    /// Starts it and returns once it listens.
    pub(crate) fn start(
        programs: &Programs,
        kind: Kind,
        encryption: Encryption,
        flags: &[&str],
    ) -> Result<Self, Failure> {
        let home = tempfile::tempdir()?;
        let port = free_port()?;
        let mut command = programs.command(kind, port, encryption, home.path())?;
        let log = home.path().join("output");
        let output = File::create(&log)?;
        at_home(command.args(flags), home.path()).stderr(output.try_clone()?).stdout(output);
        let certificate = (encryption == Encryption::Tls).then(|| programs.certificate());
        let tls = certificate.as_deref().map(client_config).transpose()?;
        let protocol = if kind == Kind::Nats { Protocol::Nats } else { Protocol::Lines };
        let address = Address { port, protocol, tls };
        let mut peer = Self { kind, child: command.spawn()?, address, certificate, _home: home };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if Instant::now() > deadline || peer.child.try_wait()?.is_some() {
                let said = std::fs::read_to_string(&log)?;
                return Err(format!("{kind} does not listen ({command:?}):\n{said}").into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(peer)
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Its certificate, where connections are encrypted.
    pub(crate) fn certificate(&self) -> Option<&Path> {
        self.certificate.as_deref()
    }

    /// The CPU time that it has taken.
    pub(crate) fn cpu_time(&self) -> Result<Duration, Failure> {
        process::cpu_time(self.child.id())
    }

    /// The memory that it has in RAM now, in bytes.
    pub(crate) fn memory(&self) -> Result<u64, Failure> {
        process::memory(self.child.id())
    }

    /// The most memory that it has had in RAM at one time, in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64, Failure> {
        process::peak_memory(self.child.id())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Either may fail: it has ended then, which is all that is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn client_config(certificate: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// What the relay serves with.
pub(crate) fn server_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = vec![CertificateDer::from_pem_file(certificate)?];
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    // Sessions are resumed as a Manager's are: what they need is kept by the client.
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
    Ok(Arc::new(config))
}
