//! What a Manager does besides brokering: it finds the names of computers, lets devices in or not, answers administrators,
//! and writes down what happens, in the log and in the connections table.
//!
//! The protocol asks for these through [`Host`], on the thread of the connection that asks; so nothing here may block.
//! What may take time is handed to the [`Program`], and answered into the connection's mailbox.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use msl_network_protocol::connection::{Action, Importance, Note};
use msl_network_protocol::drive::{Caller, Handle, Host};
use msl_network_protocol::mailbox::Notice;
use tracing::{debug, info, warn};

use crate::administration::Administration;
use crate::checks::Checks;
use crate::history;
use crate::log::{Control, TARGET};
use crate::store::{ConnectionLog, Entry};
use crate::trusted::Trust;
use crate::turns::Turns;
use crate::{Names, Program, Secret, Store};

/// What the duties of a Manager work with.
#[derive(Debug)]
pub struct Equipment {
    /// This computer's name.
    pub host_name: String,
    /// The Manager's password, if it was started with one.
    pub password: Option<Secret>,
    /// Users, and trusted computers.
    pub store: Store,
    /// Where it is written who connects.
    pub connections: Arc<ConnectionLog>,
    /// Which events are logged.
    pub log: Control,
}

/// The duties of one Manager.
pub struct Duties {
    names: Arc<Names>,
    checks: Checks,
    administration: Administration,
    connections: Arc<ConnectionLog>,
    program: Arc<dyn Program>,
    /// Who waits for the name of an address that is being looked up: each is asked for once at a time, so that many
    /// connections from one computer cost one thread.
    waiting: Arc<Mutex<BTreeMap<IpAddr, Vec<Handle>>>>,
}

impl Duties {
    /// Duties that are done with this equipment, on the threads of this program.
    pub fn new(equipment: Equipment, program: impl Program) -> Self {
        let program: Arc<dyn Program> = Arc::new(program);
        let Equipment { host_name, password, store, connections, log } = equipment;
        let turns = Turns::new(checks_at_once(), program.clone());
        Self {
            names: Arc::new(Names::new(&host_name)),
            checks: Checks::new(
                program.clone(),
                turns.clone(),
                store.clone(),
                password,
                Trust::new(&host_name),
            ),
            administration: Administration::new(turns, store, log),
            connections,
            program,
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
        self.program.run_blocking(Box::new(move || {
            let mut look_up = look_up;
            look_up.name = Some(names.look_up(ip));
        }));
    }

    /// Writes down what happened, where it belongs into the connections table.
    fn record(&self, caller: Caller<'_>, note: &Note) {
        if let Some(message) = history::message(caller.who, note) {
            let (ip, port) = (caller.ip, caller.port);
            let host_name = self.names.domain(ip).as_ref().to_owned();
            let user = caller.who.user.map(str::to_owned);
            self.connections.record(Entry { ip, host_name, port, message, user });
        }
    }
}

/// Half of the computer's cores may check passwords at a time: the other half goes on brokering, and each check takes some
/// 20 MB for a moment.
fn checks_at_once() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).div_ceil(2)
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
            Action::Check(credentials) => self.checks.check(caller, credentials),
            Action::Administer { attribute, args, kwargs } => {
                self.administration.administer(caller, attribute, args, kwargs);
            }
            Action::ShutDown => {
                info!(target: TARGET, "{caller} asked the Manager to shut down");
                self.program.shut_down();
            }
            Action::Note(note) => {
                self.record(caller, &note);
                log(caller, &note);
            }
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
