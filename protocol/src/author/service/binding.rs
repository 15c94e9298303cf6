//! Arguments bound to parameters by name and position, as Python does it and with Python's words.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::ServiceError;
use super::signature::{Fallback, Signature};
use crate::json;

/// The arguments of one request, each where its parameter is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bound {
    /// As many as there are parameters; `None` where the default counts.
    pub(super) values: Vec<Option<Bytes>>,
    /// What `*args` gets.
    pub(super) rest: Vec<Bytes>,
    /// What `**kwargs` gets.
    pub(super) keywords: BTreeMap<String, Bytes>,
}

/// Binds a JSON array and a JSON object of arguments to the parameters of `function`.
pub(super) fn bind(
    function: &str,
    signature: &Signature,
    args: &Bytes,
    kwargs: &Bytes,
) -> Result<Bound, ServiceError> {
    let mut positional = json::elements(args).unwrap_or_default();
    let given = positional.len();
    let rest = positional.split_off(given.min(signature.positional()));
    let by_position = positional.len();
    let mut values: Vec<Option<Bytes>> = positional.into_iter().map(Some).collect();
    values.resize(signature.parameters.len(), None);

    let mut keywords = BTreeMap::new();
    for (name, value) in json::members(kwargs).unwrap_or_default() {
        match signature.position(&name) {
            Some(index) if index < by_position => {
                let text = format!("{function}() got multiple values for argument '{name}'");
                return Err(ServiceError::type_error(text));
            }
            // Of a name that is there twice the last counts, as it does where Python reads JSON.
            Some(index) => values[index] = Some(value),
            None if signature.keywords => {
                keywords.insert(name, value);
            }
            None => {
                let text =
                    format!("{function}() got an unexpected keyword argument {}", json::python_repr(&name));
                return Err(ServiceError::type_error(text));
            }
        }
    }
    if !rest.is_empty() && !signature.rest {
        return Err(too_many(function, signature, given));
    }
    for (keyword_only, kind) in [(false, "positional"), (true, "keyword-only")] {
        missing(function, signature, &values, keyword_only, kind)?;
    }
    Ok(Bound { values, rest, keywords })
}

fn too_many(function: &str, signature: &Signature, given: usize) -> ServiceError {
    let most = signature.positional();
    let positional = signature.parameters.iter().take(most);
    let least = positional.filter(|parameter| parameter.default == Fallback::Required).count();
    let takes = if least == most { most.to_string() } else { format!("from {least} to {most}") };
    let plural = if most == 1 && least == most { "" } else { "s" };
    let were = if given == 1 { "was" } else { "were" };
    let text = format!("{function}() takes {takes} positional argument{plural} but {given} {were} given");
    ServiceError::type_error(text)
}

fn missing(
    function: &str,
    signature: &Signature,
    values: &[Option<Bytes>],
    keyword_only: bool,
    kind: &str,
) -> Result<(), ServiceError> {
    let absent: Vec<String> = signature
        .parameters
        .iter()
        .zip(values)
        .filter(|(parameter, value)| {
            value.is_none()
                && parameter.default == Fallback::Required
                && parameter.keyword_only == keyword_only
        })
        .map(|(parameter, _)| format!("'{}'", parameter.name))
        .collect();
    let named = match &absent[..] {
        [] => return Ok(()),
        [name] => name.clone(),
        [first, second] => format!("{first} and {second}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
    };
    let (count, plural) = (absent.len(), if absent.len() == 1 { "" } else { "s" });
    let text = format!("{function}() missing {count} required {kind} argument{plural}: {named}");
    Err(ServiceError::type_error(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values as a client would see them, or the error's text.
    fn bound(signature: &str, args: &'static str, kwargs: &'static str) -> String {
        let signature = Signature::parse(signature).unwrap();
        let text = |raw: &Bytes| String::from_utf8_lossy(raw).into_owned();
        match bind(
            "f",
            &signature,
            &Bytes::from_static(args.as_bytes()),
            &Bytes::from_static(kwargs.as_bytes()),
        ) {
            Ok(Bound { values, rest, keywords }) => {
                let values = values.iter().map(|value| value.as_ref().map_or("-".to_string(), text));
                let rest = rest.iter().map(|value| format!("*{}", text(value)));
                let keywords = keywords.iter().map(|(name, value)| format!("{name}={}", text(value)));
                values.chain(rest).chain(keywords).collect::<Vec<_>>().join(" ")
            }
            Err(error) => error.message(),
        }
    }

    #[test]
    fn arguments_find_their_parameters_by_position_and_by_name() {
        assert_eq!(bound("(x, y)", "[1.10, \"a\"]", "{}"), "1.10 \"a\"");
        assert_eq!(bound("(x, y)", "[1]", "{\"y\": [2, {}]}"), "1 [2, {}]");
        assert_eq!(bound("(x, y)", "[]", "{\"y\": 2, \"x\": NaN}"), "NaN 2");
        assert_eq!(bound("(x, n=2)", "[1]", "{}"), "1 -");
        assert_eq!(bound("(x)", "[]", "{\"x\": 1, \"x\": 2}"), "2");
        assert_eq!(bound("()", "[]", "{}"), "");
    }

    #[test]
    fn what_is_left_goes_into_the_catch_alls() {
        assert_eq!(bound("(x, *args)", "[1, 2, 3]", "{}"), "1 *2 *3");
        assert_eq!(bound("(x, **kwargs)", "[1]", "{\"b\": 2, \"a\": 3}"), "1 a=3 b=2");
        assert_eq!(bound("(*args, **kwargs)", "[]", "{}"), "");
        assert_eq!(bound("(*args, k=1)", "[1, 2]", "{\"k\": 3}"), "3 *1 *2");
    }

    #[test]
    fn mistakes_are_told_in_the_words_of_python() {
        for (signature, args, kwargs, text) in [
            ("(x, y)", "[1]", "{}", "f() missing 1 required positional argument: 'y'"),
            ("(x, y)", "[]", "{}", "f() missing 2 required positional arguments: 'x' and 'y'"),
            ("(x, y, z)", "[]", "{}", "f() missing 3 required positional arguments: 'x', 'y', and 'z'"),
            ("(*, k)", "[]", "{}", "f() missing 1 required keyword-only argument: 'k'"),
            ("(x)", "[1]", "{\"z\": 1}", "f() got an unexpected keyword argument 'z'"),
            ("(x)", "[1]", "{\"x\": 1}", "f() got multiple values for argument 'x'"),
            ("()", "[1]", "{}", "f() takes 0 positional arguments but 1 was given"),
            ("(x)", "[1, 2]", "{}", "f() takes 1 positional argument but 2 were given"),
            ("(x, y)", "[1, 2, 3]", "{}", "f() takes 2 positional arguments but 3 were given"),
            ("(x, y=1)", "[1, 2, 3]", "{}", "f() takes from 1 to 2 positional arguments but 3 were given"),
            ("(x=1)", "[1, 2]", "{}", "f() takes from 0 to 1 positional arguments but 2 were given"),
            ("(x, *, k=1)", "[1, 2]", "{}", "f() takes 1 positional argument but 2 were given"),
        ] {
            assert_eq!(bound(signature, args, kwargs), format!("TypeError: {text}"), "{signature}");
        }
    }
}
