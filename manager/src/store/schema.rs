//! The tables of a store, and their version.
//!
//! A change of a table that an older program would misread needs the next number, and a step that brings the one before
//! up to date. A newer number is refused: this program does not know what it means.

use redb::{ReadTransaction, TableDefinition, TableError, WriteTransaction};

use crate::{Error, Kind, computer};

use super::fault::Fault;

/// The version of the tables below.
const VERSION: u64 = 1;

/// Facts about the store itself: its version, and the number of the next row in [`CONNECTIONS`].
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("msl-network");
const VERSION_KEY: &str = "version";
pub(super) const NEXT_CONNECTION_KEY: &str = "next connection";

/// Username → the hash of the password as a PHC string, and whether the user is an administrator.
pub(super) const USERS: TableDefinition<'_, &str, (&str, bool)> = TableDefinition::new("users");

/// The trusted host names.
pub(super) const HOSTNAMES: TableDefinition<'_, &str, ()> = TableDefinition::new("hostnames");

/// Seconds since 1970 and a running number → IP address, host name, port, message, and the user where one is known. The
/// time comes first, so that a period is a range, and the oldest rows are the first.
pub(super) const CONNECTIONS: TableDefinition<'_, (i64, u64), ConnectionColumns<'_>> =
    TableDefinition::new("connections");

/// The columns of a row in [`CONNECTIONS`].
pub(super) type ConnectionColumns<'a> = (&'a str, &'a str, u16, &'a str, Option<&'a str>);

/// Makes the tables of a new store.
pub(super) fn create(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.open_table(META)?.insert(VERSION_KEY, VERSION)?;
    transaction.open_table(USERS)?;
    transaction.open_table(CONNECTIONS)?;
    let mut hostnames = transaction.open_table(HOSTNAMES)?;
    for name in computer::own_names() {
        hostnames.insert(name.as_str(), ())?;
    }
    Ok(())
}

/// Refuses a store of a version, or of a program, that this one does not know.
pub(super) fn check(transaction: &ReadTransaction) -> Result<(), Fault> {
    let version = match transaction.open_table(META) {
        Ok(meta) => meta.get(VERSION_KEY)?.map(|version| version.value()),
        Err(TableError::TableDoesNotExist(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let text = match version {
        Some(VERSION) => return Ok(()),
        Some(version) => format!(
            "the database has version {version}, which another version of msl-network has written; this one knows \
             version {VERSION}. Use that program, or another database"
        ),
        None => "the database belongs to another program; name another file".to_owned(),
    };
    Err(Error::new(Kind::Value, text).into())
}
