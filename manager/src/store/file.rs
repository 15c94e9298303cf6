//! The file of a store: how it comes into being, what else may stand at its path, and how its lock is waited for.
//!
//! A new database is made under another name and then moved to its place, so that whoever opens it meets it whole, and
//! a program that is killed meanwhile leaves none that is half made.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use redb::{Builder, DatabaseError, StorageError};

use crate::{Error, Kind};

use super::fault::Fault;
use super::schema;

/// How long a call waits for another program that works with the file. Each piece of work takes milliseconds, so this
/// is long; and a person who waits for a command, or a device for its login, should not wait longer.
pub const LOCK_WAIT: Duration = Duration::from_secs(5);

/// The first pause before the lock is tried again; each is twice the one before.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_millis(16);

/// Memory for pages of the file, in bytes. It is open for one piece of work at a time, which touches a few pages; redb
/// would take up to 1 GiB.
const CACHE: usize = 4 * 1024 * 1024;

/// What a database of ours begins with.
const REDB: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";

/// What a database of the Python package begins with.
pub(super) const SQLITE: &[u8; 16] = b"SQLite format 3\0";

/// Whether nothing is at this path yet.
///
/// # Errors
/// When something else than a database of ours is.
pub(super) fn is_missing(path: &Path) -> Result<bool, Error> {
    let begin = match beginning(path) {
        Ok(begin) => begin,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(Error::io("cannot read the database", path, error)),
    };
    let shown = path.display();
    let text = if begin.starts_with(REDB) {
        return Ok(false);
    } else if begin == SQLITE {
        format!(
            "'{shown}' is a database of the Python package; 'msl-network import {shown}' takes over what is in it"
        )
    } else if begin.is_empty() {
        format!("the database '{shown}' is empty; remove the file, and a new one is made")
    } else {
        format!("'{shown}' is not a database of this program; name another file")
    };
    Err(Error::new(Kind::Value, text))
}

/// The first bytes of a file, fewer where it has fewer.
pub(super) fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut begin = Vec::new();
    File::open(path)?.take(SQLITE.len() as u64).read_to_end(&mut begin)?;
    Ok(begin)
}

/// Makes a new database, and its folders. Where another program has just made one, that one stays.
pub(super) fn make(path: &Path) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = |error| Error::io("cannot make the database", path, error);
    fs::create_dir_all(folder).map_err(failed)?;
    // Readable by its owner alone from the first moment on, whatever the umask says.
    // The error names that file, of which nobody knows.
    let new = tempfile::Builder::new().prefix(".new-").tempfile_in(folder);
    let new = new.map_err(|error| failed(error.kind().into()))?;
    fill(new.path()).map_err(|fault| fault.at(path))?;
    match new.persist_noclobber(path) {
        Ok(_) => sync(folder).map_err(failed),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error.error)),
    }
}

fn fill(path: &Path) -> Result<(), Fault> {
    let database = builder().create(path)?;
    let transaction = database.begin_write()?;
    schema::create(&transaction)?;
    transaction.commit()?;
    Ok(database.close()?)
}

/// The name of a new file is on the disk only when its folder is.
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Opens the database as `how` does, and waits until the deadline where another program has it locked. One that was
/// removed meanwhile is made anew: a Manager goes on.
pub(super) fn open<D>(
    path: &Path,
    deadline: Instant,
    how: impl Fn(&mut Builder) -> Result<D, DatabaseError>,
) -> Result<D, Fault> {
    let mut pause = SHORTEST_PAUSE;
    let mut made = false;
    loop {
        match how(&mut builder()) {
            Err(DatabaseError::DatabaseAlreadyOpen) if Instant::now() < deadline => {
                thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(DatabaseError::Storage(StorageError::Io(error)))
                if error.kind() == io::ErrorKind::NotFound && !made =>
            {
                make(path)?;
                made = true;
            }
            other => return Ok(other?),
        }
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_not_released_in_time_is_an_error_that_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        make(&path).unwrap();
        let holder = redb::Database::open(&path).unwrap();

        let open = || open(&path, Instant::now(), |builder| builder.open(&path));
        let message = open().unwrap_err().at(&path).to_string();
        assert!(message.starts_with("OSError: ") && message.contains("is in use"), "{message}");

        drop(holder);
        assert!(open().is_ok());
    }

    #[test]
    fn whoever_waits_for_the_lock_gets_it_when_it_is_released() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        make(&path).unwrap();
        let holder = redb::Database::open(&path).unwrap();
        thread::scope(|scope| {
            let waiter =
                scope.spawn(|| open(&path, Instant::now() + LOCK_WAIT, |builder| builder.open(&path)));
            drop(holder);
            assert!(waiter.join().unwrap().is_ok());
        });
    }

    /// A folder in which not even root can make a file.
    #[cfg(target_os = "linux")]
    #[test]
    fn where_no_file_can_be_made_the_error_names_the_database_and_no_temporary_file() {
        let message = make(Path::new("/proc/self/manager.redb")).unwrap_err().to_string();
        assert!(message.contains("cannot make the database '/proc/self/manager.redb'"), "{message}");
        assert!(!message.contains(".new-"), "{message}");
    }

    #[test]
    fn of_two_programs_that_make_a_database_the_first_has_made_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        make(&path).unwrap();
        let first = fs::read(&path).unwrap();
        make(&path).unwrap();
        assert!(fs::read(&path).unwrap() == first);
    }
}
