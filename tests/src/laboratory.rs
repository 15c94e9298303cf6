//! A Manager with devices around it, of which each may be of this project or of the Python package.

use msl_network_protocol::author::{Connect, IntoService, LinkedClient, NewClient, RunningService, Service};

use crate::program::Program;
use crate::python::{Facts, Script};
use crate::setup::{Runtime, Setup};
use crate::{PATIENCE, Served, services};

/// Whose program it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// This project's.
    Ours,
    /// The Python package's.
    Pythons,
}

/// A Manager, and the services that were started there.
#[derive(Debug)]
pub struct Laboratory {
    manager: Program,
    services: Whose,
    /// Of our devices.
    runtime: Runtime,
    running: Vec<RunningService>,
    scripts: Vec<Script>,
}

impl Laboratory {
    /// A Manager of this project, with devices of this project.
    pub fn ours(setup: impl Into<Setup>) -> Self {
        Self::new(Whose::Ours, setup, Whose::Ours)
    }

    /// A Manager; the services are going to be those of `services`. What is of this project is on the runtime of `setup`.
    pub fn new(manager: Whose, setup: impl Into<Setup>, services: Whose) -> Self {
        let setup = setup.into();
        let manager = match manager {
            Whose::Ours => Program::start(setup, &[]),
            Whose::Pythons => Program::start_python(setup.tls, &[]),
        };
        Self { manager, services, runtime: setup.runtime, running: Vec::new(), scripts: Vec::new() }
    }

    /// A Manager of this project, with devices of this project on that runtime.
    pub fn on(manager: Setup, devices: Runtime) -> Self {
        let manager = Program::start(manager, &[]);
        Self { manager, services: Whose::Ours, runtime: devices, running: Vec::new(), scripts: Vec::new() }
    }

    /// The Manager.
    pub fn manager(&mut self) -> &mut Program {
        &mut self.manager
    }

    /// Whose services these are.
    pub fn services(&self) -> Whose {
        self.services
    }

    /// Starts the service of that name: one of [`services`], or its counterpart in `tests/python/serve.py`.
    pub fn serve(&mut self, name: &str) {
        match self.services {
            Whose::Ours => {
                let running = self.start(services::named(name)).wait();
                self.running.push(running.expect("the Manager lets it in"));
            }
            Whose::Pythons => self.scripts.push(Script::start("serve.py", &self.manager, &[name])),
        }
    }

    /// Runs a script that is a client of the Python package. The package's services it brings along; ours are started here.
    pub fn run(&mut self, script: &str, services: &[&str]) -> Facts {
        match self.services {
            Whose::Ours => {
                for name in services {
                    self.serve(name);
                }
                Script::run(script, &self.manager, &["served"])
            }
            Whose::Pythons => Script::run(script, &self.manager, &[]),
        }
    }

    /// A service of this project's that is about to be started.
    pub fn start(&self, service: impl IntoService) -> Connect<Service> {
        reach(self.runtime.start(service, ("localhost", self.manager.port())), &self.manager)
    }

    /// A client that is about to be connected.
    pub fn connect(&self, name: &str) -> Connect<NewClient> {
        reach(self.runtime.connect(("localhost", self.manager.port())), &self.manager).name(name)
    }

    /// A client that is linked with a service, once that is there.
    pub fn link(&self, name: &str, service: &str) -> LinkedClient {
        let linked = self.connect(name).linked(service).timeout(PATIENCE);
        linked.wait().unwrap_or_else(|error| panic!("{name} cannot link with {service}: {error}"))
    }
}

/// The device, told how that Manager is to be reached.
pub fn reach<D>(device: Connect<D>, manager: &impl Served) -> Connect<D> {
    let device = device.timeout(PATIENCE);
    match manager.certificate() {
        Some(path) => device.certificate(path),
        None => device.disable_tls(),
    }
}

/// Makes tests of each function that takes a [`Laboratory`]: for the Managers and services of both, plain and with TLS, with
/// what is of this project on either runtime. Or only where the services, or at least something in it, is of this
/// project. `tests/README.md` says what is tested where.
#[macro_export]
macro_rules! every_laboratory {
    ($($test:ident)*) => {
        $crate::every_laboratory! { with_something_of_ours: $($test)* }
        $crate::every_laboratory!(@ pythons_manager_plain_with_pythons_service Pythons Disabled Pythons: $($test)*);
        $crate::every_laboratory!(@ pythons_manager_tls_with_pythons_service Pythons Enabled Pythons: $($test)*);
    };
    (with_something_of_ours: $($test:ident)*) => {
        $crate::every_laboratory! { with_our_services: $($test)* }
        $crate::every_laboratory!(@ plain_with_pythons_service Ours Disabled Pythons: $($test)*);
        $crate::every_laboratory!(@ tls_with_pythons_service Ours Enabled Pythons: $($test)*);
    };
    (with_our_services: $($test:ident)*) => {
        $crate::every_laboratory!(@ plain_with_our_service Ours Disabled Ours: $($test)*);
        $crate::every_laboratory!(@ tls_with_our_service Ours Enabled Ours: $($test)*);
        $crate::every_laboratory!(@ pythons_manager_plain_with_our_service Pythons Disabled Ours: $($test)*);
        $crate::every_laboratory!(@ pythons_manager_tls_with_our_service Pythons Enabled Ours: $($test)*);
    };
    (@ $module:ident $manager:ident $tls:ident $services:ident: $($test:ident)*) => {
        mod $module {
            use $crate::laboratory::{Laboratory, Whose};
            use $crate::setup::{Runtime, Setup, Tls};

            $(fn $test(runtime: Runtime) {
                let setup = Setup { runtime, tls: Tls::$tls };
                super::$test(Laboratory::new(Whose::$manager, setup, Whose::$services));
            })*

            $crate::every_runtime! { $($test)* }
        }
    };
}
