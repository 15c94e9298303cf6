//! A password, kept from being shown by accident.
//!
//! It is not encrypted in memory; it only does not appear where a value is formatted for a log or a panic.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::{Error, Kind};

/// The longest first line of a password file that is read. Longer than any password; a wrong file (a disk image, say)
/// must not fill the memory.
const LONGEST_PASSWORD: u64 = 64 * 1024;

/// A password. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// How a password was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Typed on the command line, where it stays in the shell's history and in the list of processes.
    Typed,
    /// As the name of a file that holds it.
    InFile,
}

impl Secret {
    /// A password that is already known.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A password as the command line takes it: words joined by blanks or, where that names an existing file, the
    /// first line of the file without the blanks around it.
    ///
    /// # Errors
    /// When it is empty, or the file cannot be read as text. An empty password would let everybody in.
    pub fn from_words(words: &[String]) -> Result<(Self, Given), Error> {
        let text = words.join(" ");
        let path = Path::new(&text);
        let (text, given) =
            if path.is_file() { (first_line(path)?, Given::InFile) } else { (text, Given::Typed) };
        if text.is_empty() {
            return Err(match given {
                Given::Typed => Error::new(Kind::Value, "the password is empty"),
                Given::InFile => Error::new(
                    Kind::Value,
                    "the first line of the password file is empty: the password must stand there",
                ),
            });
        }
        Ok((Self(text), given))
    }

    /// The password itself, for the one place that checks it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(...)")
    }
}

fn first_line(path: &Path) -> Result<String, Error> {
    let read = || {
        let mut line = String::new();
        BufReader::new(File::open(path)?.take(LONGEST_PASSWORD)).read_line(&mut line)?;
        Ok(line.trim().to_owned())
    };
    read().map_err(|error| Error::io("cannot read the password file", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn words_are_joined_by_blanks() {
        let (secret, given) = Secret::from_words(&words("a good password")).unwrap();
        assert_eq!((secret.expose(), given), ("a good password", Given::Typed));
    }

    #[test]
    fn the_first_line_of_a_file_is_stripped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("the password");
        std::fs::write(&path, "  open sesame \r\nsecond line\n").unwrap();
        let (secret, given) = Secret::from_words(&words(path.to_str().unwrap())).unwrap();
        assert_eq!((secret.expose(), given), ("open sesame", Given::InFile));
    }

    #[test]
    fn an_empty_password_is_refused_wherever_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty");
        std::fs::write(&path, "\nnot here\n").unwrap();
        assert!(Secret::from_words(&[String::new()]).is_err());
        assert!(Secret::from_words(&[path.to_str().unwrap().to_owned()]).is_err());
    }

    #[test]
    fn a_file_that_is_not_text_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("binary");
        std::fs::write(&path, b"\xff\xfe\x00").unwrap();
        let error = Secret::from_words(&[path.to_str().unwrap().to_owned()]).unwrap_err();
        assert!(error.to_string().starts_with("OSError: "), "{error}");
    }

    #[test]
    fn it_does_not_show_itself() {
        assert!(!format!("{:?}", Secret::new("hush")).contains("hush"));
    }
}
