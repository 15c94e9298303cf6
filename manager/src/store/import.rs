//! What the Python package has kept, taken over: its users with their passwords, trusted host names and connections.
//!
//! The file is opened for reading only, and locked as that package does: a Python Manager may be running. Everything is
//! written in one transaction, so it is taken over as a whole or not at all; and since what is here already is left
//! alone, the same file may be imported again.

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
    let not_python =
        || Error::new(Kind::Value, format!("'{}' is not a database of the Python package", path.display()));
    let begin = file::beginning(path).map_err(|error| Error::io("cannot read", path, error))?;
    if begin != file::SQLITE {
        return Err(not_python());
    }
    let source = read(path, limits).map_err(|error| {
        Error::with_source(Kind::Os, format!("cannot read the database '{}': {error}", path.display()), error)
    })?;
    let source = source.ok_or_else(not_python)?;
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

/// Reads all that is there; `None` where there is no table of the Python package, which makes each when it first needs it.
fn read(path: &Path, limits: &ConnectionLimits) -> rusqlite::Result<Option<Source>> {
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
    let here =
        table.iter()?.map(|entry| Ok(entry?.0.value().to_owned())).collect::<Result<BTreeSet<_>, Fault>>()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A database with the tables of the Python package, and these further statements.
    fn python_database(folder: &TempDir, statements: &str) -> std::path::PathBuf {
        let path = folder.path().join("manager.sqlite3");
        let database = Connection::open(&path).unwrap();
        database
            .execute_batch(
                "CREATE TABLE auth_users (pid INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL, key BLOB NOT \
                 NULL, salt BLOB NOT NULL, is_admin BOOLEAN NOT NULL, UNIQUE(username));
                 CREATE TABLE auth_hostnames (hostname TEXT NOT NULL, UNIQUE(hostname));
                 CREATE TABLE connections (pid INTEGER PRIMARY KEY AUTOINCREMENT, datetime DATETIME NOT NULL, ip_address \
                 TEXT NOT NULL, domain TEXT NOT NULL, port INTEGER NOT NULL, message TEXT NOT NULL);",
            )
            .unwrap();
        database.execute_batch(statements).unwrap();
        path
    }

    fn count(added: u64, present: u64) -> Count {
        Count { added, present }
    }

    const ALL: ConnectionLimits = ConnectionLimits { age: Duration::MAX, rows: 100 };

    #[test]
    fn what_is_here_already_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db")).unwrap();
        store.users().insert("ann", &crate::Secret::new("ours"), false).unwrap();
        let path = python_database(
            &folder,
            "INSERT INTO auth_users VALUES (NULL, 'ann', zeroblob(32), zeroblob(16), 1);
             INSERT INTO auth_users VALUES (NULL, 'bob', zeroblob(32), zeroblob(16), 1);",
        );

        let imported = store.import(&path, &ALL).unwrap();

        assert_eq!(imported.users, count(1, 1));
        assert!(!store.users().check("ann", "ours").unwrap().unwrap().administrator);
        assert!(store.users().is_administrator("bob").unwrap());
    }

    #[test]
    fn equal_connections_are_as_many_as_they_were_however_often_they_are_imported() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db")).unwrap();
        let row =
            "INSERT INTO connections VALUES (NULL, '2024-05-06T07:08:09', '10.0.0.7', 'bench3', 5, 'm');";
        let path = python_database(&folder, &row.repeat(3));

        assert_eq!(store.import(&path, &ALL).unwrap().connections, count(3, 0));
        assert_eq!(store.import(&path, &ALL).unwrap().connections, count(0, 3));
        Connection::open(&path).unwrap().execute_batch(row).unwrap();
        assert_eq!(store.import(&path, &ALL).unwrap().connections, count(1, 3));

        let rows = store.connections().query(None, None).unwrap();
        assert_eq!(rows.len(), 4);
        assert!(rows.iter().all(|row| row.datetime == "2024-05-06T07:08:09" && row.port == 5), "{rows:?}");
    }

    #[test]
    fn connections_beyond_the_limits_are_left_out_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db")).unwrap();
        let row =
            |time: &str| format!("INSERT INTO connections VALUES (NULL, '{time}', '', '', 5, '{time}');");
        let times = ["2001-01-01T00:00:00", "2002-01-01T00:00:00", "2003-01-01 00:00:00.25", "soon"];
        let path = python_database(&folder, &times.map(row).concat());

        let imported = store.import(&path, &ConnectionLimits { rows: 3, ..ALL }).unwrap();

        assert_eq!((imported.connections, imported.too_old, imported.unreadable), (count(2, 0), 1, 1));
        let young = ConnectionLimits { age: Duration::from_secs(60), ..ALL };
        assert_eq!(store.import(&path, &young).unwrap().too_old, 3);
    }

    #[test]
    fn names_that_nobody_has_chosen_give_way_to_those_that_were_chosen() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db")).unwrap();
        let path = python_database(&folder, "INSERT INTO auth_hostnames VALUES ('bench3'), ('localhost');");

        assert_eq!(store.import(&path, &ALL).unwrap().hostnames, count(1, 1));
        assert_eq!(store.hostnames().list().unwrap(), ["bench3", "localhost"]);

        // Now they are chosen, and stay.
        store.hostnames().insert("bench4").unwrap();
        assert_eq!(store.import(&path, &ALL).unwrap().hostnames, count(0, 2));
        assert_eq!(store.hostnames().list().unwrap(), ["bench3", "bench4", "localhost"]);
    }

    #[test]
    fn names_that_cannot_be_used_here_are_left_out_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db")).unwrap();
        let path = python_database(
            &folder,
            "INSERT INTO auth_users VALUES (NULL, 'ann:12', zeroblob(32), zeroblob(16), 1);
             INSERT INTO auth_users VALUES (NULL, 'bob', zeroblob(0), zeroblob(16), 1);
             INSERT INTO auth_hostnames VALUES ('two words');",
        );

        let imported = store.import(&path, &ALL).unwrap();

        assert_eq!((imported.users, imported.hostnames), (count(0, 0), count(0, 0)));
        let [ann, bob, words] = imported.refused.as_slice() else { panic!("{imported:?}") };
        assert!(
            ann.contains("'ann:12'") && bob.contains("'bob'") && words.contains("'two words'"),
            "{imported:?}"
        );
    }

    #[test]
    fn another_file_or_none_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db")).unwrap();
        let path = folder.path().join("other");
        assert_eq!(store.import(&path, &ALL).unwrap_err().kind(), Kind::FileNotFound);
        assert_eq!(store.import(store.path(), &ALL).unwrap_err().kind(), Kind::Value);
        std::fs::write(&path, b"SQLite format 3\0 and nothing of the kind").unwrap();
        assert_eq!(store.import(&path, &ALL).unwrap_err().kind(), Kind::Os);
    }

    #[test]
    fn a_file_without_the_tables_of_the_package_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db")).unwrap();
        let path = folder.path().join("other");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
        assert_eq!(store.import(&path, &ALL).unwrap_err().kind(), Kind::Value);
    }
}
