//! Passwords for the commands: typed as words, in a file, or asked for on the terminal.
//!
//! Easy to get wrong: a script must never wait for somebody to type; only a terminal is asked.

use std::io::{self, IsTerminal};
use std::path::Path;

use msl_network_manager::secret::Given;
use msl_network_manager::{Error, Kind, Secret, key};

use crate::output::{print, tell};

/// The password that a flag gives. What should be known about it is printed.
pub(crate) fn of_flag(words: Option<&[String]>, flag: &str, what: &str) -> Result<Option<Secret>, Error> {
    let Some((secret, given)) = of_words(words, flag)? else { return Ok(None) };
    if given == Given::InFile {
        print(format_args!("Reading the {what} from the file"));
    }
    Ok(Some(secret))
}

/// The same, where standard output is for what the command shows.
pub(crate) fn of_device(words: Option<&[String]>, flag: &str) -> Result<Option<Secret>, Error> {
    Ok(of_words(words, flag)?.map(|(secret, _)| secret))
}

fn of_words(words: Option<&[String]>, flag: &str) -> Result<Option<(Secret, Given)>, Error> {
    let Some(words) = words else { return Ok(None) };
    let (secret, given) = Secret::from_words(words)?;
    if given == Given::Typed {
        tell(format_args!("Warning: {}", was_typed(flag)));
    }
    Ok(Some((secret, given)))
}

/// What is said of a password that was typed on the command line.
pub(crate) fn was_typed(flag: &str) -> String {
    format!(
        "the password of {flag} was typed on the command line, where others can see it; better write it into a file and \
         name the file"
    )
}

/// The password of a private key that none was given for: asked for if the key is encrypted and there is somebody to ask.
///
/// # Errors
/// The key's file cannot be read.
pub(crate) fn ask_for_key(path: &Path) -> Result<Option<Secret>, Error> {
    if !can_ask() || key::is_encrypted(path)? != Some(true) {
        return Ok(None);
    }
    ask(&format!("Password of the private key '{}': ", path.display())).map(Some)
}

/// A new password, which is asked for twice.
///
/// # Errors
/// It is empty, or the two differ.
pub(crate) fn ask_for_new() -> Result<Secret, Error> {
    let secret = ask("New password: ")?;
    if ask("The same again: ")? != secret {
        return Err(Error::new(Kind::Value, "the two passwords are not the same"));
    }
    Ok(secret)
}

/// Whether there is a terminal to ask on.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal()
}

fn ask(question: &str) -> Result<Secret, Error> {
    let text = rpassword::prompt_password(question).map_err(|error| {
        Error::with_source(Kind::Os, format!("cannot ask for the password: {error}"), error)
    })?;
    if text.is_empty() {
        return Err(Error::new(Kind::Value, "the password is empty"));
    }
    Ok(Secret::new(text))
}
