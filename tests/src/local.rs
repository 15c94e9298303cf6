//! A Manager within the test's own process, on a real socket: for limits and for duties that the program does not have.
//!
//! Its host answers from [`Accounts`], keeps what is noted, and lets an administrator shut the Manager down.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use msl_network_manager::Home;
use msl_network_manager::certificate::Subject;
use msl_network_manager::config::TlsFiles;
use msl_network_manager::tls::Files;
use msl_network_protocol::connection::{Action, Note};
use msl_network_protocol::drive::{Caller, Host};
use msl_network_protocol::limits::Limits;
use msl_network_protocol::settings::ManagerIdentity;
use msl_network_protocol::settings::{Authentication, Settings};
use msl_network_tokio::{Listener, Manager};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::accounts::Accounts;
use crate::program::{self, Tls};
use crate::setup::Setup;
use crate::{Served, eventually};

/// A Manager that listens on 127.0.0.1; it is told to end with the test at the latest.
#[derive(Debug)]
pub struct LocalManager {
    port: u16,
    files: Option<(TempDir, Files)>,
    duties: Arc<Duties>,
    serving: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Duties {
    accounts: Accounts,
    stop: Notify,
    /// Who it is about, and what was noted.
    notes: Mutex<Vec<(String, Note)>>,
}

impl LocalManager {
    /// A Manager that lets everybody in, without TLS.
    pub fn plain(limits: Limits) -> Self {
        Self::start(Tls::Disabled, limits)
    }

    /// Starts a Manager that lets everybody in.
    pub fn start(setup: impl Into<Setup>, limits: Limits) -> Self {
        let setup = setup.into();
        let files = (setup.tls == Tls::Enabled).then(|| {
            let home = tempfile::tempdir().expect("a temporary folder can be made");
            let named = TlsFiles::default();
            let files = Files::choose(&named, &Home::at(home.path()), None);
            (home, files)
        });
        let subject = || Subject::this_computer(&program::host_name(), None);
        let config = files.as_ref().map(|(_, files)| {
            files.server_config(None, subject).expect("a key and a certificate can be made")
        });
        let accounts = Accounts { password: None, host: Some(program::host_name()) };
        let duties = Arc::new(Duties { accounts, stop: Notify::new(), notes: Mutex::default() });
        let listener = smol::block_on(Listener::bind(Some("127.0.0.1"), 0)).expect("some port is free");
        let port = listener.port();
        let (hostname, language, os) = (program::host_name(), "Rust".to_owned(), "any".to_owned());
        let identity = ManagerIdentity { hostname, port, language, os };
        let settings = Settings::new(identity, Authentication::None, limits);
        let manager = Manager::new(settings, Box::new(Shared(duties.clone())));
        let stopped = duties.clone();
        let serving = thread::spawn(move || {
            let stop = stopped.stop.notified();
            setup.runtime.block_on(setup.runtime.serve(listener, manager, config, stop));
        });
        Self { port, files, duties, serving: Some(serving) }
    }

    /// Returns once something that is `wanted` has been noted of the device whose network name begins with `name`.
    pub fn expect_note(&self, name: &str, what: &str, wanted: impl Fn(&Note) -> bool) {
        eventually(&format!("{name}: {what}"), || {
            let notes = self.duties.notes.lock().unwrap_or_else(PoisonError::into_inner);
            notes.iter().any(|(caller, note)| caller.starts_with(name) && wanted(note))
        });
    }

    /// Tells it to end.
    pub fn stop(&self) {
        self.duties.stop.notify_one();
    }

    /// Returns once it has ended.
    pub fn wait(mut self) {
        if let Some(serving) = self.serving.take() {
            eventually("the Manager ends", || serving.is_finished());
            serving.join().expect("the Manager has panicked");
        }
    }
}

impl Drop for LocalManager {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Served for LocalManager {
    fn port(&self) -> u16 {
        self.port
    }

    fn certificate(&self) -> Option<PathBuf> {
        self.files.as_ref().map(|(_, files)| files.certificate.clone())
    }
}

struct Shared(Arc<Duties>);

impl Host for Shared {
    fn act(&self, caller: Caller<'_>, action: Action) {
        if let Some(notice) = self.0.accounts.answer(&action) {
            caller.mailbox.tell(notice);
        }
        match action {
            Action::ShutDown => self.0.stop.notify_one(),
            Action::Note(note) => {
                let mut notes = self.0.notes.lock().unwrap_or_else(PoisonError::into_inner);
                notes.push((caller.to_string(), note));
            }
            _ => {}
        }
    }
}
