//! What a Manager remembers: users, trusted host names, and who connected when.
//!
//! It is one file, a [`redb`] database, that several programs share: commands change it while a Manager runs, and two
//! Managers may use one. redb locks a file for as long as it is open, so it is opened for each piece of work, waiting for
//! the lock for a bounded time, and closed again. What a call has changed is on the disk when it returns, and counts for
//! everybody from then on.
//!
//! Easy to get wrong: every call blocks, for up to [`LOCK_WAIT`] where another program works with the file, and for as
//! long as a password takes. They belong on threads that may block. Only
//! [`ConnectionLog::record`] is for the hot path.
//!
//! ```
//! use msl_network_manager::{Secret, Store};
//!
//! let folder = tempfile::tempdir()?;
//! let store = Store::open(folder.path().join("manager.redb"))?;
//! let users = store.users();
//! users.insert("ann", &Secret::new("open sesame"), true)?;
//! assert!(users.check("ann", "open sesame")?.is_some_and(|login| login.administrator));
//! assert!(users.check("ann", "let me in")?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connection_log;
mod connections;
mod fault;
mod file;
mod hostnames;
mod import;
mod password;
mod schema;
mod users;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};

pub use connection_log::ConnectionLog;
pub use connections::{ConnectionLimits, Connections, Entry, Row};
pub use file::LOCK_WAIT;
pub use hostnames::Hostnames;
pub use import::{Count, Imported};
pub use users::{Login, User, Users};

use crate::{Error, Kind};
use fault::Fault;

/// A Manager's database. Cheap to clone: it is a path, and the file is open only while a call works with it.
#[derive(Clone, Debug)]
pub struct Store {
    path: Arc<Path>,
    /// Whose turn it is in this process. The file's lock would do, but who waits for that has to ask again and again.
    turn: Arc<Mutex<()>>,
}

impl Store {
    /// The database at this path. Where there is none it is made, with its folders, readable by its owner alone; its table
    /// of trusted host names holds this computer's own names.
    ///
    /// # Errors
    /// When it cannot be made or read, is no such database (for one of the Python package, the message says what to do),
    /// or was written by a newer version of this program; when another program has had it locked for [`LOCK_WAIT`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path: PathBuf = path.into();
        if file::is_missing(&path)? {
            file::make(&path)?;
        }
        let store = Self { path: path.into(), turn: Arc::default() };
        store.check()?;
        Ok(store)
    }

    /// The same, also where the file may only be read: then what would change something fails later. Such a file is not looked
    /// at as a whole.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_to_read(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path: PathBuf = path.into();
        match Self::open(&path) {
            Err(error) if error.kind() == Kind::Permission => {
                let store = Self { path: path.into(), turn: Arc::default() };
                store.read(|_| Ok(()))?;
                Ok(store)
            }
            opened => opened,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The people who may log in.
    pub fn users(&self) -> Users<'_> {
        Users::new(self)
    }

    /// The computers that are trusted.
    pub fn hostnames(&self) -> Hostnames<'_> {
        Hostnames::new(self)
    }

    /// Who connected, and when.
    pub fn connections(&self) -> Connections<'_> {
        Connections::new(self)
    }

    /// Takes over what a database of the Python package (`manager.sqlite3`) holds; says what that was. The file is not
    /// changed. It may be imported again: what is here already is left as it is.
    ///
    /// # Errors
    /// When the file is no such database or cannot be read, and when the store fails; then nothing is taken over.
    pub fn import(&self, python_database: &Path, limits: &ConnectionLimits) -> Result<Imported, Error> {
        import::import(self, python_database, limits)
    }

    /// Does a piece of work that changes nothing.
    fn read<T>(&self, work: impl FnOnce(&ReadTransaction) -> Result<T, Fault>) -> Result<T, Error> {
        let deadline = Instant::now() + LOCK_WAIT;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let run = || {
            let read_only = file::open(&self.path, deadline, |builder| builder.open_read_only(&*self.path));
            let database: Box<dyn ReadableDatabase> = match read_only {
                Ok(database) => Box::new(database),
                // Whoever had it open last was killed. It is repaired when it is opened for writing.
                Err(Fault::Database(redb::Error::RepairAborted)) => {
                    Box::new(self.open_for_writing(deadline)?)
                }
                Err(fault) => return Err(fault),
            };
            let transaction = database.begin_read()?;
            schema::check(&transaction)?;
            work(&transaction)
        };
        run().map_err(|fault: Fault| fault.at(&self.path))
    }

    /// Does a piece of work that changes something: all of it, or nothing where it ends with an error. It is on the disk
    /// when this returns.
    fn write<T>(&self, work: impl FnOnce(&WriteTransaction) -> Result<T, Fault>) -> Result<T, Error> {
        let deadline = Instant::now() + LOCK_WAIT;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let run = || {
            let database = self.open_for_writing(deadline)?;
            schema::check(&database.begin_read()?)?;
            let transaction = database.begin_write()?;
            let outcome = work(&transaction)?;
            transaction.commit()?;
            Ok(outcome)
        };
        run().map_err(|fault: Fault| fault.at(&self.path))
    }

    /// Looks at all of the file once. Later calls trust it, as redb does: it may panic where a file is damaged, by a flash
    /// card that dies, say.
    fn check(&self) -> Result<(), Error> {
        let deadline = Instant::now() + LOCK_WAIT;
        let run = || {
            let database = file::open(&self.path, deadline, |builder| {
                builder.set_check_integrity_on_open(true).open(&*self.path)
            })?;
            schema::check(&database.begin_read()?)
        };
        run().map_err(|fault: Fault| fault.at(&self.path))
    }

    fn open_for_writing(&self, deadline: Instant) -> Result<Database, Fault> {
        file::open(&self.path, deadline, |builder| builder.open(&*self.path))
    }
}
