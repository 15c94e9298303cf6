//! A database of the Python package, read.
//!
//! It is opened for reading only, and locked as that package does. What cannot be used here is left out and named.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use msl_network_protocol::json::python_repr;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::store::connections::{self, ConnectionLimits, Record, cut};
use crate::store::{file, hostnames, password, users};
use crate::{Error, Kind};

/// How long to wait for a Python Manager that is writing.
const SQLITE_WAIT: Duration = Duration::from_secs(5);

/// The users and host names that are read at most, each. No laboratory has as many; another file could.
const MOST_NAMES: i64 = 100_000;

/// What is read from the file.
#[derive(Default)]
pub(super) struct Source {
    /// Name, hash of the password, administrator.
    pub(super) users: Vec<(String, String, bool)>,
    pub(super) hostnames: BTreeSet<String>,
    /// Oldest first.
    pub(super) connections: Vec<Record>,
    pub(super) too_old: u64,
    pub(super) unreadable: u64,
    pub(super) refused: Vec<String>,
}

/// Reads what a database of the Python package holds.
///
/// # Errors
/// When it is none, or cannot be read.
pub(super) fn read(path: &Path, limits: &ConnectionLimits) -> Result<Source, Error> {
    let not_python =
        || Error::new(Kind::Value, format!("'{}' is not a database of the Python package", path.display()));
    let begin = file::beginning(path).map_err(|error| Error::io("cannot read", path, error))?;
    if begin != file::SQLITE {
        return Err(not_python());
    }
    read_tables(path, limits).map_err(|error| unreadable(path, error))?.ok_or_else(not_python)
}

fn unreadable(path: &Path, error: rusqlite::Error) -> Error {
    let shown = path.display();
    let text = match error.sqlite_error_code() {
        // Its journal has to be rolled back first, and that is a change of the source.
        Some(ErrorCode::ReadOnly) => format!(
            "the database '{shown}' was left in the middle of a change; let the Python package open it once, which \
             repairs it, then import it"
        ),
        _ => format!("cannot read the database '{shown}': {error}"),
    };
    Error::with_source(Kind::Os, text, error)
}

/// Reads all that is there; `None` where there is no table of the Python package, which makes each when it first needs it.
fn read_tables(path: &Path, limits: &ConnectionLimits) -> rusqlite::Result<Option<Source>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags)?;
    database.busy_timeout(SQLITE_WAIT)?;
    // All of it as of one moment.
    let database = database.unchecked_transaction()?;
    let mut source = Source::default();
    let mut found = false;
    if has_table(&database, "auth_users")? {
        read_users(&database, &mut source)?;
        found = true;
    }
    if has_table(&database, "auth_hostnames")? {
        read_hostnames(&database, &mut source)?;
        found = true;
    }
    if has_table(&database, "connections")? {
        read_connections(&database, limits, &mut source)?;
        found = true;
    }
    Ok(found.then_some(source))
}

fn has_table(database: &Connection, name: &str) -> rusqlite::Result<bool> {
    database.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)",
        [name],
        |row| row.get(0),
    )
}

fn read_users(database: &Connection, source: &mut Source) -> rusqlite::Result<()> {
    let mut statement =
        database.prepare("SELECT username, key, salt, is_admin FROM auth_users ORDER BY pid LIMIT ?1")?;
    let mut rows = statement.query([MOST_NAMES])?;
    while let Some(row) = rows.next()? {
        let (name, key, salt): (String, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match users::check_name(&name).and_then(|()| password::of_python(&key, &salt)) {
            Ok(hash) => source.users.push((name, hash, row.get(3)?)),
            Err(error) => source.refused.push(format!("user {}: {error}", python_repr(&name))),
        }
    }
    Ok(())
}

fn read_hostnames(database: &Connection, source: &mut Source) -> rusqlite::Result<()> {
    let mut statement = database.prepare("SELECT hostname FROM auth_hostnames LIMIT ?1")?;
    let mut rows = statement.query([MOST_NAMES])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        match hostnames::check(&name) {
            Ok(()) => drop(source.hostnames.insert(name)),
            Err(error) => source.refused.push(format!("trusted hostname: {error}")),
        }
    }
    Ok(())
}

fn read_connections(
    database: &Connection,
    limits: &ConnectionLimits,
    source: &mut Source,
) -> rusqlite::Result<()> {
    let (zone, oldest) = (TimeZone::system(), limits.oldest(connections::now()));
    let mut statement = database.prepare("SELECT * FROM connections ORDER BY pid DESC LIMIT ?1")?;
    let mut rows = statement.query([i64::try_from(limits.rows).unwrap_or(i64::MAX)])?;
    let mut read = 0_i64;
    while let Some(row) = rows.next()? {
        read += 1;
        match connection(row, &zone) {
            Ok(record) if record.time < oldest => source.too_old += 1,
            Ok(record) => source.connections.push(record),
            Err(_) => source.unreadable += 1,
        }
    }
    source.connections.reverse();
    let all: i64 = database.query_row("SELECT count(*) FROM connections", [], |row| row.get(0))?;
    source.too_old += u64::try_from(all - read).unwrap_or(0);
    Ok(())
}

/// A row of the connections table. Its columns go by their places: their names have changed between the releases of the
/// package.
fn connection(row: &rusqlite::Row<'_>, zone: &TimeZone) -> rusqlite::Result<Record> {
    let time: String = row.get(1)?;
    let time = time.parse::<DateTime>().ok().and_then(|civil| connections::instant(civil, zone));
    Ok(Record {
        time: time.ok_or(rusqlite::Error::InvalidQuery)?,
        ip: cut(row.get(2)?),
        host_name: cut(row.get(3)?),
        port: row.get(4)?,
        message: cut(row.get(5)?),
        user: None,
    })
}
