//! The one error type of this crate.
//!
//! A message begins with the name of a Python exception (`ValueError: ...`), as people and scripts that know the Python
//! Manager look for it, and goes on with what is wrong and what to do about it. It is not a type to match on in
//! detail: whoever gets such an error shows it and gives up what was asked for.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;

use msl_network_trust::NoHome;

/// What went wrong, and what to do about it.
///
/// ```
/// use msl_network_manager::{Error, Kind};
///
/// let error = Error::new(Kind::Value, "the port is too large");
/// assert_eq!(error.to_string(), "ValueError: the port is too large");
/// ```
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    text: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The name that a message begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Something that was given cannot be used: `ValueError`.
    Value,
    /// Something was given that is not wanted here, or is not given and wanted: `TypeError`.
    Type,
    /// A file that is needed is not there: `FileNotFoundError`.
    FileNotFound,
    /// The operating system does not allow it: `PermissionError`.
    Permission,
    /// The operating system refused for another reason: `OSError`.
    Os,
    /// A library or the computer behaved unexpectedly: `RuntimeError`.
    Runtime,
    /// No name at all: for the few lines that programs know word by word, which have none.
    Plain,
}

impl Kind {
    /// The name, as it stands before the colon; empty for [`Kind::Plain`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "ValueError",
            Self::Type => "TypeError",
            Self::FileNotFound => "FileNotFoundError",
            Self::Permission => "PermissionError",
            Self::Os => "OSError",
            Self::Runtime => "RuntimeError",
            Self::Plain => "",
        }
    }
}

impl Error {
    /// An error of this kind. The text says what is wrong and what to do.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), source: None }
    }

    /// An error of the operating system while doing something (`"cannot read the certificate"`) with a path. The kind
    /// follows from the error.
    pub fn io(doing: &str, path: &Path, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::NotFound => Kind::FileNotFound,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Kind::Permission,
            _ => Kind::Os,
        };
        Self::with_source(kind, format!("{doing} '{}': {source}", path.display()), source)
    }

    /// An error that another one caused. The text has to say all that a person needs; the cause is for programs.
    pub fn with_source(
        kind: Kind,
        text: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, text: text.into(), source: Some(source.into()) }
    }

    /// What is wrong, without the kind before it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What kind of error it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl From<NoHome> for Error {
    fn from(error: NoHome) -> Self {
        Self::with_source(Kind::FileNotFound, error.to_string(), error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Plain => f.write_str(&self.text),
            kind => write!(f, "{}: {}", kind.name(), self.text),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named_with_its_path() {
        let error = Error::io("cannot read", Path::new("/no/such"), io::ErrorKind::NotFound.into());
        assert!(error.to_string().starts_with("FileNotFoundError: cannot read '/no/such': "));
        assert!(StdError::source(&error).is_some());
    }

    #[test]
    fn a_plain_error_has_no_name_before_it() {
        assert_eq!(Error::new(Kind::Plain, "as it is").to_string(), "as it is");
    }
}
