//! What can go wrong for a device: one error type, a few kinds, each with what to do next.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The kind of an [`Error`]: what a program can decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The Manager did not let the device in: a wrong password, a name that is taken.
    Refused,
    /// A username or a password is asked for, and there is none.
    Login,
    /// There is no service of that name.
    NoSuchService,
    /// The service is locked, or another client's link is in the way of a lock.
    Locked,
    /// The service has all the links that it takes.
    Full,
    /// The client is not linked with the service.
    NotLinked,
    /// The other side has answered with an error: [`Error::exception`], [`Error::message`], [`Error::traceback`].
    Remote,
    /// The answer is not of the type that was asked for, or cannot be read.
    Decode,
    /// The caller's mistake; nothing was sent.
    Invalid,
    /// There was no answer in time. The request may be executed all the same.
    TimedOut,
    /// The connection has ended: [`Error::may_be_executed`] says whether a request was on its way.
    Disconnected,
    /// Too much waits to be sent already; nothing was added.
    Backlog,
    /// The network or the operating system has failed.
    Io,
    /// TLS, or a certificate, is not as it should be.
    Tls,
}

/// An error of a client or a service. Cheap to clone.
///
/// `Debug` shows it as `Display` does, since that is what a `main` prints that returns one.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    text: Cow<'static, str>,
    traceback: Vec<String>,
    may_be_executed: bool,
}

impl Error {
    /// An error of this kind; the text says what to do next where that helps.
    pub fn new(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        let may_be_executed = kind == ErrorKind::TimedOut;
        Self(Box::new(Inner { kind, text: text.into(), traceback: Vec::new(), may_be_executed }))
    }

    /// What the other side answered, as it came.
    pub fn remote(kind: ErrorKind, message: String, traceback: Vec<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            text: message.into(),
            traceback,
            may_be_executed: kind == ErrorKind::Remote,
        }))
    }

    /// The connection has ended.
    pub fn disconnected(text: impl Into<Cow<'static, str>>, may_be_executed: bool) -> Self {
        let text = text.into();
        Self(Box::new(Inner { kind: ErrorKind::Disconnected, text, traceback: Vec::new(), may_be_executed }))
    }

    /// The same of a request that may have been executed nevertheless.
    pub(crate) fn perhaps_executed(mut self) -> Self {
        self.0.may_be_executed = true;
        self
    }

    /// The same of a request that has not left this computer.
    pub(crate) fn not_executed(mut self) -> Self {
        self.0.may_be_executed = false;
        self
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Its text. Of an answer, as it came: `ValueError: The value is < 0`.
    pub fn message(&self) -> &str {
        &self.0.text
    }

    /// The name of the Python exception that an answer begins with, like `ValueError`.
    pub fn exception(&self) -> Option<&str> {
        let (name, _) = self.0.text.split_once(':')?;
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (is_name && self.is_answer()).then_some(name)
    }

    /// The lines of the other side's traceback, if it sent any.
    pub fn traceback(&self) -> &[String] {
        &self.0.traceback
    }

    /// Whether a request that failed so may have been executed nevertheless. If not, it is safe to send it again.
    pub fn may_be_executed(&self) -> bool {
        self.0.may_be_executed
    }

    fn is_answer(&self) -> bool {
        use ErrorKind::{Full, Locked, NoSuchService, NotLinked, Refused, Remote};
        matches!(self.0.kind, Remote | Refused | NoSuchService | Locked | Full | NotLinked)
    }
}

/// The message, below the traceback where there is one, as Python shows it.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.traceback() {
            if line != self.message() {
                writeln!(f, "{line}")?;
            }
        }
        f.write_str(self.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec;

    #[test]
    fn an_answer_names_its_exception_and_shows_its_traceback_once() {
        let traceback = vec!["Traceback:".to_string(), "  line 1".to_string(), "ValueError: no".to_string()];
        let error = Error::remote(ErrorKind::Remote, "ValueError: no".into(), traceback);
        assert_eq!(error.exception(), Some("ValueError"));
        assert_eq!(error.to_string(), "Traceback:\n  line 1\nValueError: no");
        assert_eq!(format!("{error:?}"), error.to_string(), "a main that returns it shows the same");
        assert!(error.may_be_executed());
    }

    #[test]
    fn a_text_of_ours_names_no_exception() {
        assert_eq!(Error::new(ErrorKind::Invalid, "oh: no").exception(), None);
    }
}
