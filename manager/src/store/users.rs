//! The people who may log in (`docs/wire.md` sections 4 and 6).
//!
//! The texts of the errors are those of the Python package: scripts and administrators know them. No call gives a
//! password or its hash away.
//!
//! Easy to get wrong: a password is hashed before the file is opened, never while it is locked, since that takes long. So what was read before may have changed when it is written; each change looks again.

use msl_network_protocol::json::python_repr;
use msl_network_protocol::name::{DeviceName, NameError, UsernameError, valid_username};
use redb::{ReadableTable, ReadableTableMetadata};
use tracing::warn;

use crate::log::TARGET;
use crate::{Error, Kind, Secret};

use super::Store;
use super::password::{self, Verdict};
use super::schema::USERS;

/// The table of users.
#[derive(Clone, Copy, Debug)]
pub struct Users<'a> {
    store: &'a Store,
}

/// A user, as others may see one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The username.
    pub name: String,
    /// Whether the user may administer the Manager.
    pub administrator: bool,
}

/// A login that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    /// Whether the user may administer the Manager.
    pub administrator: bool,
}

impl<'a> Users<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`Kind::Value`] when there is such a user already, the password is empty or too long to be sent, or the name is not
    /// possible: empty, longer than a device's may be, with characters that mislead, or one that a Python client would take
    /// for an address or for the Manager. Others when the store fails.
    pub fn insert(&self, name: &str, password: &Secret, administrator: bool) -> Result<(), Error> {
        check_name(name)?;
        check_password(name, password)?;
        let hash = password::hash(password)?;
        self.store.write(|transaction| {
            let mut users = transaction.open_table(USERS)?;
            if users.get(name)?.is_some() {
                let text = format!("A user with the name {} already exists", python_repr(name));
                return Err(Error::new(Kind::Value, text).into());
            }
            users.insert(name, (hash.as_str(), administrator))?;
            Ok(())
        })
    }

    /// Changes the password of a user, or whether the user is an administrator, or both; what is `None` stays.
    ///
    /// # Errors
    /// [`Kind::Value`] when there is no such user, nothing is to be changed, or the password is empty or too long. Others
    /// when the store fails.
    pub fn update(
        &self,
        name: &str,
        password: Option<&Secret>,
        administrator: Option<bool>,
    ) -> Result<(), Error> {
        if !self.is_registered(name)? {
            return Err(unknown(name, "update"));
        }
        if password.is_none() && administrator.is_none() {
            let text = "Must specify either the password and/or the admin rights when updating";
            return Err(Error::new(Kind::Value, text));
        }
        let hash = match password {
            Some(password) => {
                check_password(name, password)?;
                Some(password::hash(password)?)
            }
            None => None,
        };
        self.store.write(|transaction| {
            let mut users = transaction.open_table(USERS)?;
            let (old_hash, old_administrator) = match users.get(name)? {
                Some(record) => (record.value().0.to_owned(), record.value().1),
                None => return Err(unknown(name, "update").into()),
            };
            let hash = hash.unwrap_or(old_hash);
            users.insert(name, (hash.as_str(), administrator.unwrap_or(old_administrator)))?;
            Ok(())
        })
    }

    /// Removes a user. `action` is what the asker calls this (`delete`, `remove`), for the text of the error.
    ///
    /// # Errors
    /// [`Kind::Value`] when there is no such user. Others when the store fails.
    pub fn remove(&self, name: &str, action: &str) -> Result<(), Error> {
        self.store.write(|transaction| {
            if transaction.open_table(USERS)?.remove(name)?.is_none() {
                return Err(unknown(name, action).into());
            }
            Ok(())
        })
    }

    /// All usernames, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        Ok(self.list()?.into_iter().map(|user| user.name).collect())
    }

    /// All users, in the order of their names.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self) -> Result<Vec<User>, Error> {
        self.store.read(|transaction| {
            let mut users = Vec::new();
            for entry in transaction.open_table(USERS)?.iter()? {
                let (name, record) = entry?;
                users.push(User { name: name.value().to_owned(), administrator: record.value().1 });
            }
            Ok(users)
        })
    }

    /// Whether there is nobody who could log in.
    ///
    /// # Errors
    /// When the store fails.
    pub fn is_empty(&self) -> Result<bool, Error> {
        self.store.read(|transaction| Ok(transaction.open_table(USERS)?.is_empty()?))
    }

    /// Whether there is a user of this name.
    ///
    /// # Errors
    /// When the store fails.
    pub fn is_registered(&self, name: &str) -> Result<bool, Error> {
        self.store.read(|transaction| Ok(transaction.open_table(USERS)?.get(name)?.is_some()))
    }

    /// Whether this user is an administrator; nobody is who is not a user.
    ///
    /// # Errors
    /// When the store fails.
    pub fn is_administrator(&self, name: &str) -> Result<bool, Error> {
        self.store.read(|transaction| {
            let users = transaction.open_table(USERS)?;
            Ok(users.get(name)?.is_some_and(|record| record.value().1))
        })
    }

    /// Checks a username and a password: `None` when there is no such user or the password is another. Both take the same
    /// time. A hash that the Python package has made is replaced by one of ours when the password is right.
    ///
    /// Takes 19 MiB of memory, and about 20 ms of one processor of a desktop computer; of a small one, many times that.
    ///
    /// # Errors
    /// When the store fails, or there is not enough memory.
    pub fn check(&self, name: &str, password: &str) -> Result<Option<Login>, Error> {
        let (record, with_python_records) = self.store.read(|transaction| {
            let users = transaction.open_table(USERS)?;
            let record = users.get(name)?.map(|record| (record.value().0.to_owned(), record.value().1));
            let mut with_python_records = false;
            for entry in users.iter()? {
                with_python_records |= password::is_of_python(entry?.1.value().0);
            }
            Ok((record, with_python_records))
        })?;
        let hash = record.as_ref().map(|(hash, _)| hash.as_str());
        let verdict = password::verify(hash, password, with_python_records)?;
        let Some((hash, administrator)) = record else { return Ok(None) };
        match verdict {
            Verdict::Wrong => return Ok(None),
            Verdict::Right => {}
            Verdict::RightButOld(new_hash) => self.replace(name, &hash, &new_hash),
        }
        Ok(Some(Login { administrator }))
    }

    /// Replaces a hash by a better one of the same password. A failure is no reason to refuse the login: the next one
    /// tries again.
    fn replace(self, name: &str, old_hash: &str, new_hash: &str) {
        let replaced = self.store.write(|transaction| {
            let mut users = transaction.open_table(USERS)?;
            // The password may have been changed meanwhile, or the user removed.
            let administrator =
                users.get(name)?.filter(|record| record.value().0 == old_hash).map(|record| record.value().1);
            if let Some(administrator) = administrator {
                users.insert(name, (new_hash, administrator))?;
            }
            Ok(())
        });
        if let Err(error) = replaced {
            warn!(target: TARGET, "the hash of a password could not be renewed: {error}");
        }
    }
}

fn unknown(name: &str, action: &str) -> Error {
    let text = format!("Cannot {action} {}. This user is not in the table.", python_repr(name));
    Error::new(Kind::Value, text)
}

pub(super) fn check_name(name: &str) -> Result<(), Error> {
    let refused = |text: &str| Err(Error::new(Kind::Value, text));
    match valid_username(name) {
        Ok(()) => {}
        Err(UsernameError::EndsWithPort) => return refused("A username cannot end with \":<integer>\""),
        Err(error) => return refused(&error.to_string()),
    }
    match DeviceName::new(name) {
        // A user may be called "Manager": usernames are not addresses.
        Ok(_) | Err(NameError::Reserved) => Ok(()),
        Err(NameError::Empty) => refused("You must specify a username"),
        Err(error) => refused(&error.to_string()),
    }
}

fn check_password(name: &str, password: &Secret) -> Result<(), Error> {
    let text = match password.expose().len() {
        0 => format!("You must specify a password for {}", python_repr(name)),
        1..=password::LONGEST => return Ok(()),
        _ => format!(
            "the password is too long, use at most {} bytes: nobody could log in with it",
            password::LONGEST
        ),
    };
    Err(Error::new(Kind::Value, text))
}
