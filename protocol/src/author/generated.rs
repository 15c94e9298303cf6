//! What code that `#[service]` generates refers to. Not for authors; it may change with any version.

use serde::Serialize;

pub use super::{Arguments, Call, CallArguments, Context, IntoService, Link, Outcome, Service, With};
use super::{Json, ServiceError};

/// What a method returned.
///
/// For a [`Result`] its own method is found, for anything else that of [`PlainAnswer`]: so, unlike with
/// `IntoOutcome`, no annotation is needed where an error could itself be an answer, as a `String` could.
#[derive(Debug)]
pub struct Answer<T>(pub T);

impl<T: Serialize, E: Into<ServiceError>> Answer<Result<T, E>> {
    /// The answer.
    ///
    /// # Errors
    /// The method's.
    pub fn into_outcome(self) -> Outcome {
        self.0.map_err(Into::into).and_then(|value| Json::of(&value))
    }
}

/// What is no [`Result`].
pub trait PlainAnswer {
    /// The answer.
    ///
    /// # Errors
    /// It has no JSON.
    fn into_outcome(self) -> Outcome;
}

impl<T: Serialize> PlainAnswer for Answer<T> {
    fn into_outcome(self) -> Outcome {
        Json::of(&self.0)
    }
}
