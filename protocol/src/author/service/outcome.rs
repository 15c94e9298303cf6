//! What a method may return.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use serde::Serialize;

use super::ServiceError;
use crate::author::arguments::{checked, to_json};
use crate::json::JsonText as Json;

impl Json {
    /// The JSON of a value, with `NaN` and the infinities as Python writes them.
    ///
    /// # Errors
    /// A `TypeError`, where the value has no JSON: a map whose keys are lists, say.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Outcome {
        let json = to_json(value);
        json.map(Self::new).map_err(|error| {
            ServiceError::type_error(format!("the result cannot be written as JSON: {error}"))
        })
    }

    /// What is JSON already, such as [`super::Context::args`]: all digits and spellings are kept.
    ///
    /// # Errors
    /// A `ValueError`, where it is not JSON.
    pub fn from_text(text: impl Into<String>) -> Outcome {
        let json = checked(text.into());
        json.map(Self::new).map_err(|error| ServiceError::value(format!("the result is not JSON: {error}")))
    }
}

/// What is answered to a request.
pub type Outcome = Result<Json, ServiceError>;

/// What a method may return: a value, or a [`Result`] with an error that can be shown, such as [`ServiceError`].
///
/// `Kind` is found by the compiler. It cannot choose where the error of a [`Result`] has a JSON form itself, as a `String`
/// has: return a [`ServiceError`] there, into which `?` turns it. (Methods under `#[service]` have no such exception.)
#[diagnostic::on_unimplemented(
    message = "a service cannot answer with `{Self}`",
    label = "neither a value that implements `serde::Serialize`, nor a `Result` of one",
    note = "an error must implement `Display`; `ServiceError` is one with the name of a Python exception"
)]
pub trait IntoOutcome<Kind> {
    /// The answer.
    ///
    /// # Errors
    /// What the client gets instead.
    fn into_outcome(self) -> Outcome;
}

/// The kind of a plain value.
#[derive(Debug)]
pub enum Plain {}

/// The kind of a [`Result`].
#[derive(Debug)]
pub enum Fallible {}

impl<T: Serialize> IntoOutcome<Plain> for T {
    fn into_outcome(self) -> Outcome {
        Json::of(&self)
    }
}

impl<T: Serialize, E: Into<ServiceError>> IntoOutcome<Fallible> for Result<T, E> {
    fn into_outcome(self) -> Outcome {
        self.map_err(Into::into).and_then(|value| Json::of(&value))
    }
}

/// Runs a method; a panic becomes an error, and the service goes on.
pub(super) fn caught(run: impl FnOnce() -> Outcome) -> Outcome {
    catch(run).and_then(|outcome| outcome)
}

/// What a method's author has written is run; a panic becomes an error, and the service goes on.
pub(super) fn catch<T>(run: impl FnOnce() -> T) -> Result<T, ServiceError> {
    // What a method has left half-done behind a panic is the author's: a `Mutex` says so by being poisoned.
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| error_of(&*panic))
}

/// A method that runs as a future, as [`caught`] does.
pub(super) struct Caught(pub(super) Pin<Box<dyn Future<Output = Outcome> + Send>>);

impl Future for Caught {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        catch(|| self.0.as_mut().poll(cx)).unwrap_or_else(|error| Poll::Ready(Err(error)))
    }
}

fn error_of(panic: &(dyn Any + Send)) -> ServiceError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    ServiceError::runtime(format!("the service panicked: {}", text.unwrap_or("it did not say why")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn text<K>(answer: impl IntoOutcome<K>) -> String {
        match answer.into_outcome() {
            Ok(json) => json.as_json().to_string(),
            Err(error) => error.message(),
        }
    }

    #[test]
    fn values_and_results_are_answers() {
        assert_eq!(text(()), "null");
        assert_eq!(text((1, f64::NAN)), "[1,NaN]");
        assert_eq!(text(Ok::<_, ServiceError>("a")), "\"a\"");
        assert_eq!(text(Err::<(), _>(ServiceError::value("no"))), "ValueError: no");
        assert_eq!(text(Err::<(), _>(io::Error::other("lost"))), "RuntimeError: lost");
        assert_eq!(text(Json::of(&1)), "1");
    }

    #[test]
    fn a_value_without_json_is_a_type_error() {
        let map = std::collections::BTreeMap::from([(vec![1], 2)]);
        assert!(text(map).starts_with("TypeError: the result cannot be written as JSON: "));
    }

    #[test]
    fn a_text_that_is_json_is_an_answer_as_it_is() {
        assert_eq!(text(Json::from_text("[1e5, NaN]")), "[1e5, NaN]");
        assert_eq!(text(Json::from_text("[1,\n2]")), "[1, 2]");
        for other in ["1}, {", "1, 2", "1, \"a\": 2", "nan", ""] {
            assert!(
                text(Json::from_text(other)).starts_with("ValueError: the result is not JSON: "),
                "{other}"
            );
        }
    }

    #[test]
    fn json_is_read_and_written_as_it_is() {
        let texts = r#"[1.10, 12345678901234567890123, NaN, {"b": [-Infinity], "a": "\u00b5"}]"#;
        let values: Vec<Json> = crate::json::from_text(texts.as_bytes()).unwrap();
        let written = r#"[1.10,12345678901234567890123,NaN,{"b": [-Infinity], "a": "\u00b5"}]"#;
        assert_eq!(text(&values), written);
        assert_eq!(text(values.iter().map(|value| (value, 1)).next()), "[1.10,1]");
    }

    #[test]
    fn a_raw_value_of_several_lines_is_put_on_one() {
        let raw = serde_json::value::RawValue::from_string("[1,\r\n \"a\\n\"\n]".into()).unwrap();
        assert_eq!(text(raw), "[1,   \"a\\n\" ]");
    }

    #[test]
    fn a_panic_is_an_error_with_its_text() {
        assert_eq!(text(caught(|| panic!("no {}", 1))), "RuntimeError: the service panicked: no 1");
        assert_eq!(text(caught(|| panic!("no"))), "RuntimeError: the service panicked: no");
    }
}
