//! What code that `#[service]` generates refers to. Not for authors; it may change with any version.

use serde::Serialize;
use serde::de::DeserializeOwned;

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

/// What a typed client's method gives.
///
/// Everything that can be decoded; a trait of its own, so that an author is told in plain words what is in the way.
#[diagnostic::on_unimplemented(
    message = "a typed client cannot receive `{Self}`",
    label = "this is what clients are to receive",
    note = "clients receive what implements serde's `Deserialize`",
    note = "of a `Result` they receive the value, but `#[service]` knows it by that name only: write `Result`, not another \
            alias for it",
    note = "`#[service(client = false)]` makes no typed client"
)]
pub trait Received: Sized {
    /// Asks the service of a link for an attribute.
    fn ask(link: &Link, attribute: &str, arguments: Arguments) -> Call<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + 'static> Received for T {
    fn ask(link: &Link, attribute: &str, arguments: Arguments) -> Call<Self> {
        link.call(attribute, arguments)
    }
}
