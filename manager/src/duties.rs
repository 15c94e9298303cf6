//! What a Manager does besides brokering: it finds the names of computers, checks passwords, and writes the log.
//!
//! The protocol asks for these through [`Host`], on the thread of the connection that asks; so nothing here may block.
//! What may take time is handed to a function that the program brings (a runtime's pool of blocking threads, say), and
//! answered into the connection's mailbox.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use msl_network_protocol::connection::{Action, Credentials, Importance, Note, Verdict};
use msl_network_protocol::drive::{Caller, Handle, Host};
use msl_network_protocol::error::{Exception, Refusal};
use msl_network_protocol::mailbox::Notice;
use tracing::{debug, info, warn};

use crate::log::TARGET;
use crate::{Names, Secret};

/// Something that may block, to be run where that harms nobody.
pub type Job = Box<dyn FnOnce() + Send>;

/// The duties of one Manager.
pub struct Duties {
    names: Arc<Names>,
    password: Option<Secret>,
    run_blocking: Box<dyn Fn(Job) + Send + Sync>,
    shut_down: Box<dyn Fn() + Send + Sync>,
    /// Who waits for the name of an address that is being looked up: each is asked for once at a time, so that many
    /// connections from one computer cost one thread.
    waiting: Arc<Mutex<BTreeMap<IpAddr, Vec<Handle>>>>,
}

impl Duties {
    /// Duties of a Manager that was started with this password, if with any. `run_blocking` runs a job without holding
    /// up its caller; `shut_down` is called when an administrator asks for the end.
    pub fn new(
        names: Names,
        password: Option<Secret>,
        run_blocking: impl Fn(Job) + Send + Sync + 'static,
        shut_down: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            names: Arc::new(names),
            password,
            run_blocking: Box::new(run_blocking),
            shut_down: Box::new(shut_down),
            waiting: Arc::default(),
        }
    }

    fn look_up(&self, ip: IpAddr, mailbox: &Handle) {
        if let Some(name) = self.names.cached(ip) {
            return mailbox.tell(Notice::HostName(name));
        }
        let mut waiting = lock(&self.waiting);
        let asked_already = waiting.contains_key(&ip);
        waiting.entry(ip).or_default().push(mailbox.clone());
        drop(waiting);
        if asked_already {
            return;
        }
        let names = self.names.clone();
        let look_up = LookUp { waiting: self.waiting.clone(), ip, name: None };
        (self.run_blocking)(Box::new(move || {
            let mut look_up = look_up;
            look_up.name = Some(names.look_up(ip));
        }));
    }

    fn check(&self, credentials: &Credentials) -> Verdict {
        let accepted = match (credentials, &self.password) {
            (Credentials::ManagerPassword(given), Some(password)) => same(given, password),
            // There are no users and no trusted hosts without a store, and nobody is let in for want of them.
            _ => false,
        };
        if accepted {
            return Verdict::Accepted { administrator: false };
        }
        Verdict::Refused(credentials.refusal())
    }
}

/// A look-up on its way. Whatever becomes of it, its askers do not stay in the list.
struct LookUp {
    waiting: Arc<Mutex<BTreeMap<IpAddr, Vec<Handle>>>>,
    ip: IpAddr,
    name: Option<Arc<str>>,
}

impl Drop for LookUp {
    fn drop(&mut self) {
        let askers = lock(&self.waiting).remove(&self.ip).unwrap_or_default();
        if let Some(name) = &self.name {
            for asker in askers {
                asker.tell(Notice::HostName(name.clone()));
            }
        }
    }
}

impl Host for Duties {
    fn act(&self, caller: Caller<'_>, action: Action) {
        match action {
            Action::LookUpHost => self.look_up(caller.ip, caller.mailbox),
            Action::Check(credentials) => caller.mailbox.tell(Notice::Checked(self.check(&credentials))),
            Action::Administer { attribute, .. } => {
                let text = format!("'Manager' object has no attribute '{attribute}'");
                caller.mailbox.tell(Notice::Administered(Err(Refusal::new(Exception::Attribute, text))));
            }
            Action::ShutDown => {
                info!(target: TARGET, "{caller} asked the Manager to shut down");
                (self.shut_down)();
            }
            Action::Note(note) => log(caller, &note),
        }
    }
}

fn log(caller: Caller<'_>, note: &Note) {
    match note.importance() {
        Importance::Debug => debug!(target: TARGET, "{caller} {note}"),
        Importance::Info => info!(target: TARGET, "{caller} {note}"),
        Importance::Warning => warn!(target: TARGET, "{caller} {note}"),
    }
}

/// Compares in a time that says nothing about where the two differ, nor how long they are.
fn same(given: &str, password: &Secret) -> bool {
    let digests = [given, password.expose()].map(|text| digest(&SHA256, text.as_bytes()));
    verify_slices_are_equal(digests[0].as_ref(), digests[1].as_ref()).is_ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
