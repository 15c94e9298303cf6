//! On which runtime a Manager of this project is, and whether it is reached by TLS: what a suite is run for.

use std::future::Future;
use std::sync::Arc;

use msl_network_protocol::author::{Address, Connect, IntoService, NewClient, Service};
use msl_network_tokio::{Listener, Manager};

/// What carries the connections of a program of this project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// The program's default.
    Tokio,
    /// `--runtime smol`
    Smol,
}

impl Runtime {
    /// A client that is about to be connected.
    pub fn connect(self, address: impl Into<Address>) -> Connect<NewClient> {
        match self {
            Self::Tokio => msl_network_tokio::connect(address),
            Self::Smol => msl_network_smol::connect(address),
        }
    }

    /// A service that is about to be started.
    pub fn start(self, service: impl IntoService, address: impl Into<Address>) -> Connect<Service> {
        match self {
            Self::Tokio => msl_network_tokio::start(service, address),
            Self::Smol => msl_network_smol::start(service, address),
        }
    }

    /// Runs a future on this thread, and elsewhere what it spawns.
    pub fn block_on<T>(self, future: impl Future<Output = T>) -> T {
        match self {
            Self::Tokio => tokio::runtime::Runtime::new().expect("a runtime can be started").block_on(future),
            Self::Smol => smol::block_on(future),
        }
    }

    /// Serves devices until `stop` is ready.
    pub async fn serve(
        self,
        listener: Listener,
        manager: Arc<Manager>,
        tls: Option<Arc<rustls::ServerConfig>>,
        stop: impl Future<Output = ()>,
    ) {
        match self {
            Self::Tokio => msl_network_tokio::serve(listener, manager, tls, stop).await,
            Self::Smol => msl_network_smol::serve(listener, manager, tls, stop).await,
        }
    }

    /// The word for `--runtime`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tokio => "tokio",
            Self::Smol => "smol",
        }
    }
}

/// Whether connections to a Manager are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// As the program is without further flags.
    Enabled,
    /// `--disable-tls`
    Disabled,
}

/// How a Manager of this project is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// What carries its connections.
    pub runtime: Runtime,
    /// Whether they are encrypted.
    pub tls: Tls,
}

/// The default runtime.
impl From<Tls> for Setup {
    fn from(tls: Tls) -> Self {
        Self { runtime: Runtime::Tokio, tls }
    }
}

/// Makes tests of each function that takes a [`Setup`]: for both runtimes, plain and with TLS, or with one of these only.
#[macro_export]
macro_rules! every_setup {
    ($($test:ident)*) => {
        $crate::every_setup!(@ plain_on_tokio Tokio Disabled: $($test)*);
        $crate::every_setup!(@ plain_on_smol Smol Disabled: $($test)*);
        $crate::every_setup!(@ tls_on_tokio Tokio Enabled: $($test)*);
        $crate::every_setup!(@ tls_on_smol Smol Enabled: $($test)*);
    };
    (plain: $($test:ident)*) => {
        $crate::every_setup!(@ only_plain_on_tokio Tokio Disabled: $($test)*);
        $crate::every_setup!(@ only_plain_on_smol Smol Disabled: $($test)*);
    };
    (tls: $($test:ident)*) => {
        $crate::every_setup!(@ only_tls_on_tokio Tokio Enabled: $($test)*);
        $crate::every_setup!(@ only_tls_on_smol Smol Enabled: $($test)*);
    };
    (@ $module:ident $runtime:ident $tls:ident: $($test:ident)*) => {
        mod $module {
            use $crate::setup::{Runtime, Setup, Tls};

            $(#[test]
            fn $test() {
                super::$test(Setup { runtime: Runtime::$runtime, tls: Tls::$tls });
            })*
        }
    };
}

/// Makes tests of each function that takes a [`Runtime`], for its devices: for both.
#[macro_export]
macro_rules! every_runtime {
    ($($test:ident)*) => {
        mod on_tokio {
            $(#[test]
            fn $test() {
                super::$test($crate::setup::Runtime::Tokio);
            })*
        }

        mod on_smol {
            $(#[test]
            fn $test() {
                super::$test($crate::setup::Runtime::Smol);
            })*
        }
    };
}
