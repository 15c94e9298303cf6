//! The arguments of one request, read as the types that a method wants.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ServiceError;
use super::binding::{Bound, bind};
use super::signature::{Fallback, Parameter, Signature};
use crate::author::arguments::for_each_tuple;
use crate::json;

/// The arguments of a request, bound to the parameters of the method's signature.
///
/// Mistakes of the client become a `TypeError` in the words of Python: an argument that is missing or one too many, before
/// the method is called; one of the wrong type, when it is read.
#[derive(Clone)]
pub struct CallArguments {
    function: Arc<str>,
    signature: Arc<Signature>,
    bound: Bound,
}

impl CallArguments {
    /// Binds a JSON array and a JSON object of arguments to the parameters of a function, whose signature is written as
    /// Python writes it. For those who answer requests without being a [`Service`](super::Service).
    ///
    /// ```
    /// use msl_network_protocol::author::CallArguments;
    ///
    /// let (args, kwargs) = ("[1]".into(), "{\"n\": 3}".into());
    /// let arguments = CallArguments::new("power", "(x: float, n: float = 2.0)", &args, &kwargs).unwrap();
    /// assert_eq!(arguments.read_all::<(f64, f64)>().unwrap(), (1.0, 3.0));
    /// let error = CallArguments::new("power", "(x)", &"[]".into(), &kwargs).unwrap_err();
    /// assert_eq!(error.message(), "TypeError: power() got an unexpected keyword argument 'n'");
    /// ```
    ///
    /// # Errors
    /// A `TypeError` in the words of Python if the arguments do not fit; a `RuntimeError` if the signature is none.
    pub fn new(function: &str, signature: &str, args: &Bytes, kwargs: &Bytes) -> Result<Self, ServiceError> {
        let signature = Signature::parse(signature).map_err(ServiceError::runtime)?;
        Self::bind(function.into(), Arc::new(signature), args, kwargs)
    }

    pub(super) fn bind(
        function: Arc<str>,
        signature: Arc<Signature>,
        args: &Bytes,
        kwargs: &Bytes,
    ) -> Result<Self, ServiceError> {
        let bound = bind(&function, &signature, args, kwargs)?;
        Ok(Self { function, signature, bound })
    }

    /// The argument of this name, or its default if the signature has a literal for one.
    ///
    /// # Errors
    /// A `TypeError` if it is of another type; a `RuntimeError` if the signature has no such name, or no value for it.
    pub fn read<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Result<T, ServiceError> {
        let (parameter, given) = self.find(name)?;
        match given.or(match &parameter.default {
            Fallback::Json(default) => Some(default),
            Fallback::Required | Fallback::Unwritten => None,
        }) {
            Some(value) => self.value(parameter, value),
            None => Err(self.mistake(name, "has no default in the signature that is a literal")),
        }
    }

    /// The argument of this name, or this value where the client gave none.
    ///
    /// # Errors
    /// As [`CallArguments::read`].
    pub fn read_or<'a, T: Deserialize<'a>>(
        &'a self,
        name: &str,
        default: impl FnOnce() -> T,
    ) -> Result<T, ServiceError> {
        let (parameter, given) = self.find(name)?;
        given.map_or_else(|| Ok(default()), |value| self.value(parameter, value))
    }

    /// All parameters that have a name, in the order of the signature, as a tuple.
    ///
    /// # Errors
    /// As [`CallArguments::read`]; a `RuntimeError` if the tuple has another length.
    pub fn read_all<T: FromArguments>(&self) -> Result<T, ServiceError> {
        T::from_arguments(self)
    }

    /// What the signature's `*args` got.
    ///
    /// # Errors
    /// A `TypeError` if one of them is of another type.
    pub fn rest<T: DeserializeOwned>(&self) -> Result<Vec<T>, ServiceError> {
        let first = self.signature.positional() + 1;
        let read = |(index, value): (usize, &Bytes)| {
            json::from_checked(value).map_err(|error| {
                let text =
                    format!("{}() cannot use positional argument {}: {error}", self.function, first + index);
                ServiceError::type_error(text)
            })
        };
        self.bound.rest.iter().enumerate().map(read).collect()
    }

    /// What the signature's `**kwargs` got.
    ///
    /// # Errors
    /// A `TypeError` if one of them is of another type.
    pub fn keywords<T: DeserializeOwned>(&self) -> Result<BTreeMap<String, T>, ServiceError> {
        let read = |(name, value): (&String, &Bytes)| match json::from_checked(value) {
            Ok(value) => Ok((name.clone(), value)),
            Err(error) => {
                let text = format!("{}() cannot use argument '{name}': {error}", self.function);
                Err(ServiceError::type_error(text))
            }
        };
        self.bound.keywords.iter().map(read).collect()
    }

    /// The JSON of an argument as the client sent it, all digits and spellings; `None` if it gave none.
    pub fn raw(&self, name: &str) -> Option<&[u8]> {
        let index = self.signature.position(name)?;
        self.bound.values[index].as_deref()
    }

    fn find(&self, name: &str) -> Result<(&Parameter, Option<&Bytes>), ServiceError> {
        let index = self.signature.position(name);
        let index = index.ok_or_else(|| self.mistake(name, "is not in the signature"))?;
        Ok((&self.signature.parameters[index], self.bound.values[index].as_ref()))
    }

    fn value<'a, T: Deserialize<'a>>(
        &self,
        parameter: &Parameter,
        value: &'a Bytes,
    ) -> Result<T, ServiceError> {
        json::from_checked(value).map_err(|error| {
            let (function, name) = (&self.function, &parameter.name);
            ServiceError::type_error(match &parameter.annotation {
                Some(annotation) => format!("{function}() argument '{name}' must be {annotation}: {error}"),
                None => format!("{function}() cannot use argument '{name}': {error}"),
            })
        })
    }

    /// The author's, not the client's.
    fn mistake(&self, name: &str, what: &str) -> ServiceError {
        let (function, signature) = (&self.function, self.signature.text());
        ServiceError::runtime(format!("the parameter '{name}' of {function}{signature} {what}"))
    }
}

impl fmt::Debug for CallArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arguments of {}{}", self.function, self.signature.text())
    }
}

/// A tuple of values, one for each parameter; see [`CallArguments::read_all`].
pub trait FromArguments: Sized {
    /// Reads them.
    ///
    /// # Errors
    /// As [`CallArguments::read_all`].
    fn from_arguments(arguments: &CallArguments) -> Result<Self, ServiceError>;
}

macro_rules! tuple {
    ($($name:ident)*) => {
        impl<$($name: DeserializeOwned),*> FromArguments for ($($name,)*) {
            fn from_arguments(arguments: &CallArguments) -> Result<Self, ServiceError> {
                const WANTED: usize = 0 $(+ { stringify!($name); 1 })*;
                let parameters = &arguments.signature.parameters;
                if parameters.len() != WANTED {
                    let (function, signature) = (&arguments.function, arguments.signature.text());
                    let text = format!("the method reads {WANTED} parameters of {function}{signature}");
                    return Err(ServiceError::runtime(text));
                }
                let mut names = parameters.iter().map(|parameter| parameter.name.as_str());
                Ok(($(arguments.read::<$name>(names.next().unwrap_or_default())?,)*))
            }
        }
    };
}

for_each_tuple!(tuple);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    fn arguments(signature: &str, args: &'static str, kwargs: &'static str) -> CallArguments {
        let signature = Arc::new(Signature::parse(signature).unwrap());
        CallArguments::bind(
            "power".into(),
            signature,
            &Bytes::from_static(args.as_bytes()),
            &Bytes::from_static(kwargs.as_bytes()),
        )
        .unwrap()
    }

    #[test]
    fn an_argument_is_read_as_its_type_and_a_literal_default_stands_in() {
        let given = arguments("(x: float, n: float = 2.0, label='it')", "[NaN]", "{\"label\": \"µ\"}");
        assert!(given.read::<f64>("x").unwrap().is_nan());
        assert_eq!(given.read::<f64>("n"), Ok(2.0));
        assert_eq!(given.read_or("n", || 3.0), Ok(3.0));
        assert_eq!(given.read::<&str>("label"), Ok("µ"));
        assert_eq!(arguments("(x=None)", "[]", "{}").read::<Option<f64>>("x"), Ok(None));
    }

    #[test]
    fn raw_json_keeps_its_spelling() {
        let given = arguments("(x, y=1)", "[1.10]", "{}");
        assert_eq!(given.raw("x"), Some(&b"1.10"[..]));
        assert_eq!((given.raw("y"), given.raw("z")), (None, None));
        assert_eq!(given.read::<&RawValue>("x").unwrap().get(), "1.10");
    }

    #[test]
    fn a_value_of_another_type_names_the_argument() {
        let given = arguments("(x: float, y)", "[\"a\", 2]", "{}");
        let error = given.read::<f64>("x").unwrap_err().message();
        assert!(
            error.starts_with("TypeError: power() argument 'x' must be float: invalid type: string"),
            "{error}"
        );
        let error = given.read::<String>("y").unwrap_err().message();
        assert!(
            error.starts_with("TypeError: power() cannot use argument 'y': invalid type: integer"),
            "{error}"
        );
    }

    #[test]
    fn a_tuple_takes_all_parameters() {
        let given = arguments("(x, n=2, *, s='a')", "[1.5]", "{}");
        assert_eq!(given.read_all::<(f64, u8, String)>(), Ok((1.5, 2, "a".to_string())));
        let error = given.read_all::<(f64, u8)>().unwrap_err().message();
        assert_eq!(error, "RuntimeError: the method reads 2 parameters of power(x, n=2, *, s='a')");
    }

    #[test]
    fn catch_alls_are_read_as_one_type() {
        let given = arguments("(x, *args, **kwargs)", "[1, 2, \"a\"]", "{\"k\": 4, \"l\": null}");
        assert_eq!(given.rest::<serde_json::Value>().unwrap().len(), 2);
        assert_eq!(
            given.keywords::<Option<u8>>().unwrap(),
            BTreeMap::from([("k".into(), Some(4)), ("l".into(), None)])
        );
        let error = given.rest::<f64>().unwrap_err().message();
        assert!(error.starts_with("TypeError: power() cannot use positional argument 3: "), "{error}");
        let error = given.keywords::<u8>().unwrap_err().message();
        assert!(error.starts_with("TypeError: power() cannot use argument 'l': "), "{error}");
    }

    #[test]
    fn a_mistake_of_the_author_is_told_apart() {
        let given = arguments("(x, y=...)", "[1]", "{}");
        let error = given.read::<f64>("z").unwrap_err().message();
        assert_eq!(error, "RuntimeError: the parameter 'z' of power(x, y=...) is not in the signature");
        assert_eq!(given.read::<f64>("y").unwrap_err().exception(), "RuntimeError");
        assert_eq!(given.read_or("y", || 1.0), Ok(1.0));
    }
}
