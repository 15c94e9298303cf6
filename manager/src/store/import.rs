//! What the Python package has kept, taken over: its users with their passwords, trusted host names and connections.
//!
//! Everything is written in one transaction, so it is taken over as a whole or not at all; and since what is here already
//! is left alone, the same file may be imported again. A Python Manager may be running meanwhile.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use redb::{ReadableTable, WriteTransaction};

use crate::{Error, computer};

use super::Store;
use super::connections::{self, ConnectionLimits, Record};
use super::fault::Fault;
use super::schema::{CONNECTIONS, HOSTNAMES, USERS};

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

pub(super) fn import(store: &Store, path: &Path, limits: &ConnectionLimits) -> Result<Imported, Error> {
    let source = source::read(path, limits)?;
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
    use std::time::Duration;

    use rusqlite::Connection;
    use tempfile::TempDir;

    use crate::{Kind, Secret};

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
        store.users().insert("ann", &Secret::new("ours"), false).unwrap();
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
    fn a_file_whose_writer_was_killed_is_left_as_it_is_and_the_error_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db")).unwrap();
        let path = python_database(&folder, "");
        let writer = Connection::open(&path).unwrap();
        // More than its memory holds, so that half a change is in the file, and how to undo it in the journal.
        writer.execute_batch("PRAGMA cache_size = 2; BEGIN; CREATE TABLE other (x);").unwrap();
        for _ in 0..100 {
            writer.execute("INSERT INTO other VALUES (zeroblob(4000))", []).unwrap();
        }
        let killed = folder.path().join("killed.sqlite3");
        std::fs::copy(&path, &killed).unwrap();
        let journal = folder.path().join("killed.sqlite3-journal");
        std::fs::copy(folder.path().join("manager.sqlite3-journal"), &journal).unwrap();
        let before = (std::fs::read(&killed).unwrap(), std::fs::read(&journal).unwrap());

        let message = store.import(&killed, &ALL).unwrap_err().to_string();

        assert!(message.contains("in the middle of a change"), "{message}");
        assert!((std::fs::read(&killed).unwrap(), std::fs::read(&journal).unwrap()) == before);
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
