//! What a Manager does besides brokering: it finds the names of computers, lets devices in or not, answers administrators,
//! and writes down what happens, in the log and in the connections table.
//!
//! The protocol asks for these through [`Host`], on the thread of the connection that asks; so nothing here may block.
//! What may take time is handed to the [`Program`], and answered into the connection's mailbox.

use std::sync::Arc;

use msl_network_protocol::connection::{Action, Importance, Note};
use msl_network_protocol::drive::{Caller, Host};
use msl_network_protocol::mailbox::Notice;
use tracing::{debug, info, warn};

use crate::administration::Administration;
use crate::checks::Checks;
use crate::computer::half_of_the_cores;
use crate::history;
use crate::log::{Control, TARGET};
use crate::look_ups::LookUps;
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
    look_ups: LookUps,
    checks: Checks,
    administration: Administration,
    connections: Arc<ConnectionLog>,
    program: Arc<dyn Program>,
}

impl Duties {
    /// Duties that are done with this equipment, on the threads of this program.
    pub fn new(equipment: Equipment, program: impl Program) -> Self {
        let program: Arc<dyn Program> = Arc::new(program);
        let Equipment { host_name, password, store, connections, log } = equipment;
        // The other half goes on brokering, and each check takes some 20 MB for a moment.
        let turns = Turns::new(half_of_the_cores(), program.clone());
        let names = Arc::new(Names::new(&host_name));
        Self {
            look_ups: LookUps::new(names.clone(), program.clone()),
            names,
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
        }
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

impl Host for Duties {
    fn act(&self, caller: Caller<'_>, action: Action) {
        match action {
            Action::LookUpHost => {
                let mailbox = caller.mailbox.clone();
                self.look_ups.find(caller.ip, move |name| mailbox.tell(Notice::HostName(name)));
            }
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
