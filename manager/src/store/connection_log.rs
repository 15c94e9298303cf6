//! The way into the connections table that never makes anybody wait.
//!
//! What happens is put into a queue; a thread writes what has gathered there, twice a second at most. So brokering knows
//! nothing of a slow disk, and a flash card sees few writes. If the disk fails, the entries wait and are tried
//! again; if the queue is full, further ones are dropped, and a warning says how many.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing::{info, warn};

use crate::log::TARGET;
use crate::{Error, Kind};

use super::Store;
use super::connections::{self, ConnectionLimits, Entry, Record};

/// How long the first entry of a batch waits for more: with the write, an entry is on the disk within a second.
const GATHERING: Duration = Duration::from_millis(500);

/// How long to wait after a failure.
const RETRY: Duration = Duration::from_secs(5);

/// The entries that wait at most, about 3 MB: those of a Manager to which some thousand devices come back at once.
const QUEUE: usize = 10_000;

/// A thread that writes the connections table. When it is dropped, what waits is written first.
#[derive(Debug)]
pub struct ConnectionLog {
    queue: Arc<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Record>,
    dropped: u64,
    finished: bool,
}

impl ConnectionLog {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(store: Store, limits: ConnectionLimits) -> Result<Self, Error> {
        let queue = Arc::<Queue>::default();
        let writer = Writer { store, limits, queue: Arc::clone(&queue), failing: false };
        let thread = thread::Builder::new().name("connections".to_owned()).spawn(move || writer.run());
        let thread = thread.map_err(|error| {
            Error::with_source(
                Kind::Os,
                format!("cannot start a thread for the connections table: {error}"),
                error,
            )
        })?;
        Ok(Self { queue, writer: Mutex::new(Some(thread)) })
    }

    /// Takes an entry, as of now. Never waits for the disk.
    pub fn record(&self, entry: Entry) {
        let record = Record::now(entry);
        let mut state = self.queue.lock();
        if state.finished || state.waiting.len() >= QUEUE {
            state.dropped += 1;
            return;
        }
        state.waiting.push_back(record);
        if state.waiting.len() == 1 {
            self.queue.changed.notify_all();
        }
    }

    /// Writes what waits, and ends the thread. Entries that come later are dropped.
    ///
    /// Blocks until that is done, for up to twice [`LOCK_WAIT`](super::LOCK_WAIT) where another program has the file locked.
    pub fn finish(&self) {
        self.queue.lock().finished = true;
        self.queue.changed.notify_all();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            warn!(target: TARGET, "the thread that writes the connections table has failed");
        }
    }
}

impl Drop for ConnectionLog {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for entries and gathers more of them. `None` when there are none and will be none.
    fn gather(&self) -> Option<Vec<Record>> {
        let empty = |state: &mut State| state.waiting.is_empty() && !state.finished;
        let state = self.changed.wait_while(self.lock(), empty).unwrap_or_else(PoisonError::into_inner);
        let mut state = self.wait(state, GATHERING);
        (!state.waiting.is_empty()).then(|| state.waiting.drain(..).collect())
    }

    /// Waits for this time, or for the end if that is sooner.
    fn wait<'a>(&self, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        let goes_on = |state: &mut State| !state.finished;
        self.changed.wait_timeout_while(state, time, goes_on).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// What the thread has.
struct Writer {
    store: Store,
    limits: ConnectionLimits,
    queue: Arc<Queue>,
    /// Whether the last write failed: of many failures in a row, one warning is enough.
    failing: bool,
}

impl Writer {
    fn run(mut self) {
        while let Some(batch) = self.queue.gather() {
            while !self.write(&batch) {
                let state = self.queue.lock();
                if state.finished {
                    let lost = batch.len() + state.waiting.len();
                    warn!(target: TARGET, "{lost} entries of the connections table could not be written");
                    return;
                }
                drop(self.queue.wait(state, RETRY));
            }
            let dropped = std::mem::take(&mut self.queue.lock().dropped);
            if dropped > 0 {
                warn!(
                    target: TARGET,
                    "{dropped} entries of the connections table were dropped, as they came faster than they could be written"
                );
            }
        }
    }

    /// Writes a batch; says whether it is on the disk.
    fn write(&mut self, batch: &[Record]) -> bool {
        let written = self.store.write(|transaction| connections::append(transaction, batch, &self.limits));
        match &written {
            Ok(()) if self.failing => info!(target: TARGET, "the connections table can be written again"),
            Err(error) if !self.failing => {
                warn!(target: TARGET, "the connections table cannot be written now, and is tried again: {error}");
            }
            _ => {}
        }
        self.failing = written.is_err();
        !self.failing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn entry() -> Entry {
        Entry {
            ip: IpAddr::from([10, 0, 0, 7]),
            host_name: "bench3".to_owned(),
            port: 1,
            message: "new connection request".to_owned(),
            user: None,
        }
    }

    #[test]
    fn what_the_queue_has_no_room_for_is_dropped_and_counted_and_nobody_waits() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db")).unwrap();
        let log = ConnectionLog::start(store.clone(), ConnectionLimits::default()).unwrap();
        let holder = redb::Database::open(store.path()).unwrap();

        // One batch may be on its way already.
        let recorded = 2 * QUEUE + 1;
        for _ in 0..recorded {
            log.record(entry());
        }
        let dropped = log.queue.lock().dropped;
        drop(holder);
        log.finish();

        let written = store.connections().query(None, None).unwrap().len();
        assert!(dropped > 0);
        assert_eq!(written + usize::try_from(dropped).unwrap(), recorded);
    }
}
