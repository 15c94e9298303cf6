//! What the Python package has kept, taken over: its users with their passwords, trusted host names and connections.
//!
//! The file is opened for reading only, with SQLite's own locks: a Python Manager may be running. Everything is written in one
//! transaction, so it is taken over as a whole or not at all; and since what is here already is left alone, the same file may
//! be imported again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use msl_network_protocol::json::python_repr;
use redb::{ReadableTable, WriteTransaction};
use rusqlite::{Connection, OpenFlags};

use crate::{Error, Kind, computer};

use super::connections::{self, ConnectionLimits, Record, cut};
use super::fault::Fault;
use super::file;
use super::schema::{CONNECTIONS, HOSTNAMES, USERS};
use super::{Store, hostnames, password, users};

/// How long to wait for a Python Manager that is writing.
const SQLITE_WAIT: Duration = Duration::from_secs(5);

/// The users and host names that are read at most, each. No laboratory has as many; another file could.
const MOST_NAMES: i64 = 100_000;

/// What was taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Users. One that is here already keeps the password and the rights that it has here.
    pub users: Count,
    /// Trusted host names.
    pub hostnames: Count,
    /// Rows of the connections table.
    pub connections: Count,
    /// Rows of the connections table that are beyond its limits, and are left out.
    pub too_old: u64,
    /// Rows of the connections table that are none.
    pub unreadable: u64,
    /// The users and host names that could not be taken over, and why: a line for each.
    pub refused: Vec<String>,
}

/// How many of a kind there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Those that are new here.
    pub added: u64,
    /// Those that were here already.
    pub present: u64,
}

impl Count {
    fn add(&mut self, added: bool) {
        if added {
            self.added += 1;
        } else {
            self.present += 1;
        }
    }
}

/// What is read from the file.
#[derive(Default)]
struct Source {
    /// Name, hash of the password, administrator.
    users: Vec<(String, String, bool)>,
    hostnames: BTreeSet<String>,
    /// Oldest first.
    connections: Vec<Record>,
    too_old: u64,
    unreadable: u64,
    refused: Vec<String>,
}

pub(super) fn import(store: &Store, path: &Path, limits: &ConnectionLimits) -> Result<Imported, Error> {
    let begin = file::beginning(path).map_err(|error| Error::io("cannot read", path, error))?;
    if begin != file::SQLITE {
        let text = format!("'{}' is not a database of the Python package", path.display());
        return Err(Error::new(Kind::Value, text));
    }
    let source = read(path, limits).map_err(|error| {
        Error::with_source(Kind::Os, format!("cannot read the database '{}': {error}", path.display()), error)
    })?;
    store.write(|transaction| {
        Ok(Imported {
            users: add_users(transaction, &source.users)?,
            hostnames: add_hostnames(transaction, &source.hostnames)?,
            connections: add_connections(transaction, &source.connections, limits)?,
            too_old: source.too_old,
            unreadable: source.unreadable,
            refused: source.refused,
        })
    })
}

fn read(path: &Path, limits: &ConnectionLimits) -> rusqlite::Result<Source> {
    let database =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    database.busy_timeout(SQLITE_WAIT)?;
    // All of it as of one moment.
    let database = database.unchecked_transaction()?;
    let mut source = Source::default();
    // A Python program makes each table when it first needs it. One that has none of them is not that package's; there is
    // nothing in it for us either way.
    if has_table(&database, "auth_users")? {
        read_users(&database, &mut source)?;
    }
    if has_table(&database, "auth_hostnames")? {
        read_hostnames(&database, &mut source)?;
    }
    if has_table(&database, "connections")? {
        read_connections(&database, limits, &mut source)?;
    }
    Ok(source)
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

fn add_users(transaction: &WriteTransaction, users: &[(String, String, bool)]) -> Result<Count, Fault> {
    let mut count = Count::default();
    let mut table = transaction.open_table(USERS)?;
    for (name, hash, administrator) in users {
        let new = table.get(name.as_str())?.is_none();
        if new {
            table.insert(name.as_str(), (hash.as_str(), *administrator))?;
        }
        count.add(new);
    }
    Ok(count)
}

fn add_hostnames(transaction: &WriteTransaction, names: &BTreeSet<String>) -> Result<Count, Fault> {
    let mut count = Count::default();
    let mut table = transaction.open_table(HOSTNAMES)?;
    let here = table.iter()?.map(|entry| Ok(entry?.0.value().to_owned())).collect::<Result<BTreeSet<_>, Fault>>()?;
    if !names.is_empty() && here == computer::own_names() {
        // Nobody has chosen these names. They give way to the ones that were chosen, among which some may be missing on
        // purpose.
        for name in here.difference(names) {
            table.remove(name.as_str())?;
        }
    }
    for name in names {
        count.add(table.insert(name.as_str(), ())?.is_none());
    }
    Ok(count)
}

/// Adds the rows that are not here yet. Equal rows are no mistake (two connections in one second), so it is counted how
/// often each is here.
fn add_connections(
    transaction: &WriteTransaction,
    records: &[Record],
    limits: &ConnectionLimits,
) -> Result<Count, Fault> {
    let mut count = Count::default();
    let mut here = BTreeMap::<Record, usize>::new();
    let times = || records.iter().map(|record| record.time);
    if let (Some(first), Some(last)) = (times().min(), times().max()) {
        for record in connections::between(&transaction.open_table(CONNECTIONS)?, first, last)? {
            *here.entry(record?.1).or_default() += 1;
        }
    }
    let mut new = Vec::new();
    for record in records {
        let present = here.get_mut(record).filter(|left| **left > 0).map(|left| *left -= 1).is_some();
        count.add(!present);
        if !present {
            new.push(record.clone());
        }
    }
    connections::append(transaction, &new, limits)?;
    Ok(count)
}
