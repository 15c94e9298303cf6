//! What a service answers when it cannot do what it was asked for.

use std::fmt::{self, Display};

use crate::json;
use crate::service::Failure;

/// An error of a service, as its clients get it: the name of a Python exception, a text, perhaps a traceback.
///
/// Everything that can be shown becomes one by `?`, as a `RuntimeError`. (Hence this type itself does not implement
/// [`Display`]; [`ServiceError::message`] is its text.)
///
/// ```
/// use msl_network_protocol::author::ServiceError;
///
/// fn range(text: &str) -> Result<f64, ServiceError> {
///     let range: f64 = text.parse()?;
///     if range <= 0.0 {
///         return Err(ServiceError::value("a range is > 0"));
///     }
///     Ok(range)
/// }
/// assert_eq!(range("-1").unwrap_err().message(), "ValueError: a range is > 0");
/// assert_eq!(range("x").unwrap_err().message(), "RuntimeError: invalid float literal");
/// ```
///
/// `Debug` shows the traceback and the message, since that is what a `main` prints that returns one.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceError(Failure);

impl ServiceError {
    /// An error of any kind. Python programs match on the name: letters, digits and underscores.
    pub fn new(exception: impl Into<String>, text: impl Into<String>) -> Self {
        Self(Failure::new(exception, text))
    }

    /// A `ValueError`: an argument has the right type and a value that is not acceptable.
    pub fn value(text: impl Into<String>) -> Self {
        Self::new("ValueError", text)
    }

    /// A `TypeError`: an argument has the wrong type.
    pub fn type_error(text: impl Into<String>) -> Self {
        Self::new("TypeError", text)
    }

    /// A `PermissionError`: not for this client, or not now.
    pub fn permission(text: impl Into<String>) -> Self {
        Self::new("PermissionError", text)
    }

    /// A `KeyError`: what is named is not there. Shown in quotes, as Python does.
    pub fn key(name: &str) -> Self {
        Self::new("KeyError", json::python_repr(name))
    }

    /// An `IndexError`: a number is out of range.
    pub fn index(text: impl Into<String>) -> Self {
        Self::new("IndexError", text)
    }

    /// An `AttributeError`: there is no such attribute.
    pub fn attribute(text: impl Into<String>) -> Self {
        Self::new("AttributeError", text)
    }

    /// A `TimeoutError`: it took too long.
    pub fn timeout(text: impl Into<String>) -> Self {
        Self::new("TimeoutError", text)
    }

    /// A `ConnectionError`: the instrument cannot be reached.
    pub fn connection(text: impl Into<String>) -> Self {
        Self::new("ConnectionError", text)
    }

    /// A `RuntimeError`: anything else.
    pub fn runtime(text: impl Into<String>) -> Self {
        Self::new("RuntimeError", text)
    }

    /// With lines that say where it happened. Python's clients show them above the message.
    #[must_use]
    pub fn with_traceback<L: Into<String>>(mut self, lines: impl IntoIterator<Item = L>) -> Self {
        self.0.traceback = lines.into_iter().map(Into::into).collect();
        self
    }

    /// The name of the exception.
    pub fn exception(&self) -> &str {
        &self.0.exception
    }

    /// The text without the name.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Where it happened, line by line.
    pub fn traceback(&self) -> &[String] {
        &self.0.traceback
    }

    /// What clients see: `ValueError: a range is > 0`.
    pub fn message(&self) -> String {
        format!("{}: {}", self.exception(), self.text())
    }

    pub(super) fn into_failure(self) -> Failure {
        self.0
    }
}

impl fmt::Debug for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.traceback() {
            writeln!(f, "{line}")?;
        }
        write!(f, "{}: {}", self.exception(), self.text())
    }
}

/// Any error that can be shown is a `RuntimeError`.
impl<E: Display> From<E> for ServiceError {
    fn from(error: E) -> Self {
        Self::runtime(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_shown_is_a_runtime_error_and_an_error_of_a_kind_keeps_it() {
        let of_text: ServiceError = "no".into();
        assert_eq!(of_text.message(), "RuntimeError: no");
        let ask = || -> Result<(), ServiceError> { Err(ServiceError::value("no"))? };
        let same = ask().unwrap_err();
        assert_eq!(same.message(), "ValueError: no");
    }

    #[test]
    fn a_main_that_returns_one_shows_its_traceback_and_its_message() {
        let error = ServiceError::value("no").with_traceback(["Traceback:", "  line 1"]);
        assert_eq!(format!("{error:?}"), "Traceback:\n  line 1\nValueError: no");
    }

    #[test]
    fn a_key_is_shown_as_python_shows_it() {
        assert_eq!(ServiceError::key("it's").message(), "KeyError: \"it's\"");
    }
}
