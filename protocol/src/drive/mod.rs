//! The hub spread over threads: what every runtime shares.
//!
//! Futures, wakers and mutexes are the same everywhere; sockets, timers and spawning are not. So the poll loop of a
//! connection is here, written once over the trait [`Wire`], and a runtime crate brings a `Wire`, an accept loop and a
//! [`Host`]. One task owns one socket.
//!
//! Locks: each mailbox has one, the broker has one, and no task holds two, with one exception in one order: a notification
//! is put into mailboxes within the broker's lock, so that none follows the reply to an unlink. Nothing waits, writes or
//! is woken under a lock.
//!
//! A runtime does three things: it takes a [`Ticket`] from [`Manager::admission`] before it accepts a socket, runs a
//! [`Driver`] for each socket, and calls [`Manager::shut_down`] in the end.

mod admission;
mod driver;
pub(crate) mod input;
mod mailbox;
mod output;
mod places;
mod wire;

pub use admission::{Admission, Ticket};
pub use driver::Driver;
pub use mailbox::Handle;
pub(crate) use output::Output;
pub use wire::Wire;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_lock::OnceCell;

use crate::broker::Broker;
use crate::connection::{Action, Who};
use crate::instant::Instant;
use crate::limits::WORTH_GIVING_UP;
use crate::mailbox::{Budget, ConnectionId, Mailbox, Notice};
use crate::settings::Settings;

/// How often a device that does not read is looked for while memory is short.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The program around a Manager: it does what may block, and what needs a store, a log or the network's names.
pub trait Host: Send + Sync {
    /// Does what a connection asks for. It must not block: whatever may take time is to be done elsewhere, and answered
    /// with [`Handle::tell`]. Each [`Action::Check`] and [`Action::Administer`] has to be answered once, or the
    /// connection waits for ever; [`Action::LookUpHost`] may stay without an answer.
    fn act(&self, caller: Caller<'_>, action: Action);
}

/// The connection that asks a [`Host`] for something.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Its network name and its user, as far as they are known.
    pub who: Who<'a>,
    /// The device's IP address.
    pub ip: IpAddr,
    /// The device's TCP port.
    pub port: u16,
    /// Where answers go.
    pub mailbox: &'a Handle,
    /// The Manager that it is connected to.
    pub manager: &'a Arc<Manager>,
}

/// Its network name in a log, or its IP address and port while it has none.
impl fmt::Display for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.who.name {
            Some(name) => f.write_str(name.as_str()),
            None => write!(f, "{}:{}", self.ip, self.port),
        }
    }
}

/// What there is to gain when memory is short.
#[derive(Debug, Default)]
struct Shortage {
    /// The larger ones of the lines that are not complete: bytes, by connection.
    incomplete: BTreeMap<ConnectionId, usize>,
    /// Who was told to give its line up and has not had its turn.
    told: Option<ConnectionId>,
    /// When a device that does not read was looked for last.
    looked: Option<Instant>,
}

/// One Manager, shared by the tasks of its connections.
pub struct Manager {
    settings: Arc<Settings>,
    budget: Arc<Budget>,
    broker: Mutex<Broker<Handle>>,
    /// Another number whenever the broker may have changed; it changes within the lock, and is read without.
    version: AtomicU64,
    connections: Mutex<BTreeMap<ConnectionId, Handle>>,
    shortage: Mutex<Shortage>,
    admission: Arc<Admission>,
    host: Box<dyn Host>,
    next: AtomicU64,
    /// Filled when the end begins.
    shutting_down: OnceCell<()>,
}

impl Manager {
    /// A Manager that nobody is connected to.
    pub fn new(settings: Settings, host: Box<dyn Host>) -> Arc<Self> {
        Arc::new(Self {
            budget: Arc::new(Budget::new(settings.limits.memory)),
            admission: Admission::new(&settings.limits),
            settings: Arc::new(settings),
            broker: Mutex::new(Broker::new()),
            connections: Mutex::new(BTreeMap::new()),
            shortage: Mutex::default(),
            host,
            version: AtomicU64::new(0),
            next: AtomicU64::new(1),
            shutting_down: OnceCell::new(),
        })
    }

    /// What was set when it started.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Who may connect now.
    pub fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }

    /// All bytes held for devices.
    pub fn held(&self) -> usize {
        self.budget.held()
    }

    /// Whether more is held for devices than may be; then new ones should wait.
    pub fn is_short_of_memory(&self) -> bool {
        self.budget.is_exceeded()
    }

    /// Looks at who is there. Nothing else should be done within.
    pub fn broker<R>(&self, look: impl FnOnce(&mut Broker<Handle>) -> R) -> R {
        let mut broker = lock(&self.broker);
        self.version.fetch_add(1, Ordering::Release);
        look(&mut broker)
    }

    /// Ends every connection in good order: what is open gets its answer, or an error after a while
    /// (docs/wire.md, section 9). [`Admission::all_gone`] tells when they have ended.
    pub fn shut_down(&self) {
        // A second call finds it filled, which is as good.
        let _ = self.shutting_down.set_blocking(());
        // Told without the lock: whoever is told may want it.
        let handles: Vec<_> = lock(&self.connections).values().cloned().collect();
        for handle in handles {
            handle.tell(Notice::Shutdown);
        }
    }

    /// Waits until [`Manager::shut_down`] is called: for sockets that have no [`Driver`] yet.
    pub async fn shutting_down(&self) {
        self.shutting_down.wait().await;
    }

    /// Ends the connection of the device with this network name; `false` if there is none.
    pub fn disconnect(&self, network_name: &str) -> bool {
        let found = self.broker(|broker| broker.find(network_name));
        let handle = found.and_then(|id| lock(&self.connections).get(&id).cloned());
        handle.map(|handle| handle.tell(Notice::Disconnect)).is_some()
    }

    fn enter(&self) -> (ConnectionId, Handle) {
        let id = ConnectionId(self.next.fetch_add(1, Ordering::Relaxed));
        let handle = Handle::new(Mailbox::new(&self.settings.limits, self.budget.clone()));
        lock(&self.connections).insert(id, handle.clone());
        // In this order one of the two sees the other: the flag here, or the entry in `shut_down`.
        if self.shutting_down.is_initialized() {
            handle.tell(Notice::Shutdown);
        }
        (id, handle)
    }

    fn exit(&self, id: ConnectionId) {
        lock(&self.connections).remove(&id);
        self.note_incomplete(id, 0);
    }

    /// Keeps book of the larger incomplete lines.
    fn note_incomplete(&self, id: ConnectionId, bytes: usize) {
        let mut shortage = lock(&self.shortage);
        shortage.told.take_if(|told| *told == id);
        if bytes < WORTH_GIVING_UP {
            shortage.incomplete.remove(&id);
        } else {
            shortage.incomplete.insert(id, bytes);
        }
    }

    /// Tells those who can do something about it that memory is short: the largest incomplete line, one at a time, and
    /// devices for which much waits. To be called now and then while that lasts, by whoever waits for it to end.
    pub fn relieve(&self, now: Instant) {
        let (line, look) = {
            let mut shortage = lock(&self.shortage);
            let largest = shortage.incomplete.iter().max_by_key(|(_, bytes)| **bytes).map(|(id, _)| *id);
            let line = largest.filter(|_| shortage.told.is_none());
            shortage.told = shortage.told.or(line);
            let look = shortage.looked.is_none_or(|looked| now >= looked + LOOK_AGAIN);
            shortage.looked = if look { Some(now) } else { shortage.looked };
            (line, look)
        };
        if let Some(handle) = line.and_then(|id| lock(&self.connections).get(&id).cloned()) {
            handle.tell(Notice::SkipLine);
        }
        if look {
            let much = self.settings.limits.client_mailbox;
            let handles: Vec<_> = lock(&self.connections).values().cloned().collect();
            for handle in handles.iter().filter(|handle| handle.with(|mailbox| mailbox.backlog()) > much) {
                handle.tell(Notice::MakeRoom);
            }
        }
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manager").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A panic elsewhere left the data as it was between two steps, each of which keeps it in order.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    #[cfg(test)]
    tests::LOCKS.set(tests::LOCKS.get() + 1);
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
