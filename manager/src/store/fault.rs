//! What ends a piece of work early: a rule of ours, or the database.
//!
//! redb has an error type for each kind of step. They meet here, so that the work itself reads without them; which file it
//! was about is added where the work ends.

use std::path::Path;

use crate::{Error, Kind};

use super::file::LOCK_WAIT;

/// Why a piece of work was given up.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is not allowed: the text is complete.
    Refused(Error),
    /// The database or the disk failed.
    Database(redb::Error),
}

impl Fault {
    /// The error for people, about the database at this path.
    pub(super) fn at(self, path: &Path) -> Error {
        let error = match self {
            Self::Refused(error) => return error,
            Self::Database(redb::Error::Io(error)) => {
                return Error::io("cannot use the database", path, error);
            }
            Self::Database(error) => error,
        };
        let path = path.display();
        let text = match &error {
            redb::Error::DatabaseAlreadyOpen => format!(
                "the database '{path}' is in use: another program has kept it locked for {} seconds; try again, or \
                 look for a program that hangs",
                LOCK_WAIT.as_secs()
            ),
            redb::Error::Corrupted(what) => {
                format!("the database '{path}' is damaged, restore it from a backup or remove it: {what}")
            }
            other => format!("cannot use the database '{path}': {other}"),
        };
        Error::with_source(Kind::Os, text, error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// `?` takes each of redb's errors.
macro_rules! from_database {
    ($($error:ident)*) => {
        $(impl From<redb::$error> for Fault {
            fn from(error: redb::$error) -> Self {
                Self::Database(error.into())
            }
        })*
    };
}

from_database!(DatabaseError TransactionError TableError StorageError CommitError);
