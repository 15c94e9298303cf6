//! The trusted host names: with `--auth-hostname`, devices on these computers may connect (`docs/wire.md` section 4).
//!
//! They are kept as they are written, and upper and lower case count as the same, as everywhere in the domain name system. An
//! empty table trusts nobody, and stays empty.

use msl_network_protocol::json::python_repr;
use redb::{ReadableTable, ReadableTableMetadata};

use crate::{Error, Kind};

use super::Store;
use super::schema::HOSTNAMES;

/// The longest host name there can be (RFC 1035), in bytes.
const LONGEST_NAME: usize = 253;

/// The table of trusted host names.
#[derive(Clone, Copy, Debug)]
pub struct Hostnames<'a> {
    store: &'a Store,
}

impl<'a> Hostnames<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Trusts a computer; nothing happens where it is trusted already.
    ///
    /// # Errors
    /// [`Kind::Value`] when it cannot be the name or address of a computer. Others when the store fails.
    pub fn insert(&self, name: &str) -> Result<(), Error> {
        check(name)?;
        self.store.write(|transaction| {
            transaction.open_table(HOSTNAMES)?.insert(name, ())?;
            Ok(())
        })
    }

    /// Trusts a computer no longer, in whatever case its name is written here and there. `action` is what the asker calls this (`delete`, `remove`), for the text of the error.
    ///
    /// # Errors
    /// [`Kind::Value`] when the name is not in the table. Others when the store fails.
    pub fn remove(&self, name: &str, action: &str) -> Result<(), Error> {
        self.store.write(|transaction| {
            let mut trusted = false;
            let mut table = transaction.open_table(HOSTNAMES)?;
            table.retain(|entry, ()| {
                let same = entry.eq_ignore_ascii_case(name);
                trusted |= same;
                !same
            })?;
            if !trusted {
                let text =
                    format!("Cannot {action} {}. This hostname is not in the table.", python_repr(name));
                return Err(Error::new(Kind::Value, text).into());
            }
            Ok(())
        })
    }

    /// All names, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self) -> Result<Vec<String>, Error> {
        self.store.read(|transaction| {
            let table = transaction.open_table(HOSTNAMES)?;
            table.iter()?.map(|entry| Ok(entry?.0.value().to_owned())).collect()
        })
    }

    /// Whether nobody is trusted.
    ///
    /// # Errors
    /// When the store fails.
    pub fn is_empty(&self) -> Result<bool, Error> {
        self.store.read(|transaction| Ok(transaction.open_table(HOSTNAMES)?.is_empty()?))
    }
}

/// Refuses what cannot be the name or address of a computer, and what would mislead who reads the list.
pub(super) fn check(name: &str) -> Result<(), Error> {
    let forbidden = |c: char| c.is_control() || c.is_whitespace();
    if name.is_empty() || name.len() > LONGEST_NAME || name.contains(forbidden) {
        let text = format!("{} is not a hostname", python_repr(name));
        return Err(Error::new(Kind::Value, text));
    }
    Ok(())
}
