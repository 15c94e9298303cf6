//! The arguments of a call, as an author writes them.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::IgnoredAny;

use crate::device::{Error, ErrorKind};
use crate::json;

/// Positional and keyword arguments, as JSON.
///
/// Tuples are positional arguments; [`With::with`] adds keyword arguments.
///
/// ```
/// use msl_network_protocol::author::{Arguments, With};
///
/// let arguments = Arguments::from((2.0, "V").with("range", 10));
/// assert_eq!(arguments.args()?, "[2.0,\"V\"]");
/// assert_eq!(arguments.kwargs()?, "{\"range\": 10}");
/// # Ok::<(), msl_network_protocol::device::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// A JSON array, if there are any.
    positional: Option<Result<String, Error>>,
    /// How many they are.
    count: usize,
    keyword: Vec<(String, Result<String, String>)>,
}

impl Arguments {
    /// None at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more positional argument.
    #[must_use]
    pub fn and(self, value: impl Serialize) -> Self {
        self.and_written(to_json(&value))
    }

    /// One that is JSON already; it must be valid.
    #[must_use]
    pub fn and_json(self, json: impl Into<String>) -> Self {
        self.and_written(checked(json.into()))
    }

    /// A keyword argument that is JSON already; it must be valid.
    #[must_use]
    pub fn with_json(mut self, name: impl Into<String>, json: impl Into<String>) -> Self {
        self.keyword.push((name.into(), checked(json.into())));
        self
    }

    /// The positional arguments: a JSON array.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`]: one of them cannot be written as JSON.
    pub fn args(&self) -> Result<String, Error> {
        self.positional.clone().unwrap_or_else(|| Ok("[]".to_string()))
    }

    /// The keyword arguments: a JSON object.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`]: one of them cannot be written as JSON, or is there twice.
    pub fn kwargs(&self) -> Result<String, Error> {
        self.object().map(Cow::into_owned)
    }

    fn object(&self) -> Result<Cow<'static, str>, Error> {
        if self.keyword.is_empty() {
            return Ok("{}".into());
        }
        let mut text = String::from("{");
        for (index, (name, value)) in self.keyword.iter().enumerate() {
            if self.keyword[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(invalid(name, "it is there twice"));
            }
            if index > 0 {
                text.push_str(", ");
            }
            json::quote_into(&mut text, name);
            text.push_str(": ");
            text.push_str(value.as_ref().map_err(|error| invalid(name, error))?);
        }
        text.push('}');
        Ok(text.into())
    }

    /// Both, in this order.
    pub(super) fn into_args_and_kwargs(mut self) -> Result<(String, Cow<'static, str>), Error> {
        let args = self.positional.take().unwrap_or_else(|| self.args())?;
        Ok((args, self.object()?))
    }

    /// Positional arguments that are written at once: `values` is an array of so many of them.
    fn of(values: &(impl Serialize + ?Sized), count: usize) -> Option<Self> {
        let array = to_json(values).ok()?;
        Some(Self { positional: Some(Ok(array)), count, ..Self::default() })
    }

    fn and_written(mut self, value: Result<String, String>) -> Self {
        self.count += 1;
        let array = self.positional.take().unwrap_or_else(|| self.args());
        self.positional = Some(array.and_then(|mut array| {
            let value = value.map_err(|error| invalid(&format!("argument {}", self.count), &error))?;
            array.pop();
            if self.count > 1 {
                array.push(',');
            }
            array.push_str(&value);
            array.push(']');
            Ok(array)
        }));
        self
    }
}

/// The JSON of a value, on one line.
pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, String> {
    json::to_text(value).map(on_one_line).map_err(|error| error.to_string())
}

/// Only a raw value can bring a line end along, and only between its tokens, where a blank is as good.
fn on_one_line(text: String) -> String {
    let is_one = memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none();
    if is_one { text } else { text.replace(['\n', '\r'], " ") }
}

/// The text on one line, if it is one JSON value. Line ends become blanks.
pub(super) fn checked(json: String) -> Result<String, String> {
    match json::from_text::<IgnoredAny>(json.as_bytes()) {
        Ok(_) => Ok(on_one_line(json)),
        Err(error) => Err(error.to_string()),
    }
}

fn invalid(what: &str, why: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("{what} cannot be sent: {why}"))
}

/// What the arguments of a call can be: a tuple, whose elements are positional arguments; an array or a slice of them; or
/// [`Arguments`], as [`With::with`] makes them for keyword arguments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of arguments",
    label = "arguments are a tuple, an array, a slice, or `Arguments`",
    note = "one argument is written `(x,)`, none is `()`, and a `Vec` that is one argument is `(values,)`",
    note = "a keyword argument is added by `(x,).with(\"name\", value)`"
)]
pub trait IntoArguments: Into<Arguments> + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

/// Adds keyword arguments to whatever can be arguments.
pub trait With: IntoArguments {
    /// With the keyword argument `name`.
    #[must_use]
    fn with(self, name: impl Into<String>, value: impl Serialize) -> Arguments {
        let mut arguments = self.into();
        arguments.keyword.push((name.into(), to_json(&value)));
        arguments
    }
}

impl<A: IntoArguments> With for A {}

impl IntoArguments for Arguments {}
impl sealed::Sealed for Arguments {}

/// Calls a macro with the names of the types of each tuple that can be arguments, but for the empty one.
macro_rules! for_each_tuple {
    ($tuple:ident) => {
        $tuple!(A);
        $tuple!(A B);
        $tuple!(A B C);
        $tuple!(A B C D);
        $tuple!(A B C D E);
        $tuple!(A B C D E F);
        $tuple!(A B C D E F G);
        $tuple!(A B C D E F G H);
    };
}
pub(super) use for_each_tuple;

macro_rules! tuple {
    ($($name:ident)*) => {
        impl<$($name: Serialize),*> From<($($name,)*)> for Arguments {
            #[allow(non_snake_case, reason = "each element of the tuple is named like its type")]
            fn from(($($name,)*): ($($name,)*)) -> Self {
                let values = ($($name,)*);
                let count = 0 $(+ { stringify!($name); 1 })*;
                Self::of(&values, count).unwrap_or_else(|| {
                    // Which of them cannot be written?
                    let ($($name,)*) = values;
                    Self::new()$(.and($name))*
                })
            }
        }
        impl<$($name: Serialize),*> IntoArguments for ($($name,)*) {}
        impl<$($name: Serialize),*> sealed::Sealed for ($($name,)*) {}
    };
}

for_each_tuple!(tuple);

impl From<()> for Arguments {
    fn from((): ()) -> Self {
        Self::new()
    }
}

impl IntoArguments for () {}
impl sealed::Sealed for () {}

/// Any number of positional arguments of one type.
impl<T: Serialize> From<&[T]> for Arguments {
    fn from(values: &[T]) -> Self {
        Self::of(values, values.len()).unwrap_or_else(|| values.iter().fold(Self::new(), Self::and))
    }
}

impl<T: Serialize> IntoArguments for &[T] {}
impl<T: Serialize> sealed::Sealed for &[T] {}

impl<T: Serialize, const N: usize> From<[T; N]> for Arguments {
    fn from(values: [T; N]) -> Self {
        Self::from(&values[..])
    }
}

impl<T: Serialize, const N: usize> IntoArguments for [T; N] {}
impl<T: Serialize, const N: usize> sealed::Sealed for [T; N] {}
