//! The signature of a method: what clients read, and what arguments are bound by.
//!
//! It is written as Python writes it, `(x: float, n: float = 2.0) -> float`, and shown as it is written. Types are for
//! readers only; a default that is a literal is used, any other is the method's own affair.

use bytes::Bytes;

use crate::json;
use crate::terminal;

/// A signature, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signature {
    /// Those with a name of their own, in order; keyword-only ones last.
    pub(super) parameters: Vec<Parameter>,
    /// Whether more positional arguments are taken: `*args`.
    pub(super) rest: bool,
    /// Whether more keyword arguments are taken: `**kwargs`.
    pub(super) keywords: bool,
    text: String,
}

/// One parameter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: String,
    /// The type, if one is written.
    pub(super) annotation: Option<String>,
    pub(super) default: Fallback,
    /// Whether it stands behind a `*`, so that it can only be given by its name.
    pub(super) keyword_only: bool,
}

/// What a parameter is when it is not given.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    /// It must be given.
    Required,
    /// A literal, as JSON.
    Json(Bytes),
    /// The method knows.
    Unwritten,
}

impl Signature {
    /// Takes a text apart; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = |why: String| format!("the signature {text} {why}");
        let inside =
            text.strip_prefix('(').ok_or_else(|| wrong("does not begin with a parenthesis".into()))?;
        let end = end_of_piece(inside);
        let after =
            inside[end..].strip_prefix(')').ok_or_else(|| wrong("has no closing parenthesis".into()))?;
        let mut signature =
            Self { parameters: Vec::new(), rest: false, keywords: false, text: text.to_string() };
        let after = after.trim_start();
        if !after.is_empty() && after.strip_prefix("->").is_none_or(|result| result.trim().is_empty()) {
            return Err(wrong("goes on behind its parameters with something else than -> TYPE".into()));
        }
        signature.read_parameters(&inside[..end]).map_err(wrong)?;
        Ok(signature)
    }

    /// As it is shown to clients: JSON.
    pub(super) fn shown(&self) -> String {
        json::quote(&self.text)
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// How many parameters can be given by their position.
    pub(super) fn positional(&self) -> usize {
        self.parameters.iter().filter(|parameter| !parameter.keyword_only).count()
    }

    /// Where the parameter of this name stands.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.name == name)
    }

    fn read_parameters(&mut self, text: &str) -> Result<(), String> {
        let mut names: Vec<&str> = Vec::new();
        let mut keyword_only = false;
        for piece in pieces(text) {
            if self.keywords {
                return Err("goes on behind its ** parameter".into());
            }
            let (name, is_plain) = match (piece.strip_prefix("**"), piece.strip_prefix('*')) {
                (Some(keywords), _) => {
                    self.keywords = true;
                    (keywords, false)
                }
                (None, Some(_)) if keyword_only => return Err("has more than one *".into()),
                (None, Some(rest)) => {
                    keyword_only = true;
                    self.rest = !rest.is_empty();
                    (rest, false)
                }
                (None, None) => (piece, true),
            };
            if !is_plain && name.is_empty() && !self.keywords {
                continue;
            }
            let parameter = Parameter::read(name, keyword_only)?;
            let written = name_of(name);
            if names.contains(&written) {
                return Err(format!("has two parameters {written}"));
            }
            names.push(written);
            if is_plain {
                self.add(parameter)?;
            } else if parameter.default != Fallback::Required {
                return Err(format!("has a default for {written}, which takes whatever is left"));
            }
        }
        Ok(())
    }

    fn add(&mut self, parameter: Parameter) -> Result<(), String> {
        let follows_default = self.parameters.last().is_some_and(|last| last.default != Fallback::Required);
        if parameter.default == Fallback::Required && follows_default && !parameter.keyword_only {
            return Err(format!(
                "has a parameter {} without a default behind one with a default",
                parameter.name
            ));
        }
        self.parameters.push(parameter);
        Ok(())
    }
}

impl Parameter {
    fn read(text: &str, keyword_only: bool) -> Result<Self, String> {
        let name = name_of(text);
        let starts_well = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
        if !starts_well || !name.chars().all(|character| character.is_alphanumeric() || character == '_') {
            return Err(format!("has a parameter {text:?} that begins with no name"));
        }
        let rest = text[name.len()..].trim_start();
        let (annotation, default) = match rest.strip_prefix(':') {
            Some(rest) => {
                let end = end_of_annotation(rest);
                (Some(rest[..end].trim()), rest[end..].strip_prefix('='))
            }
            None => (None, rest.strip_prefix('=')),
        };
        let empty = annotation == Some("") || default.is_some_and(|default| default.trim().is_empty());
        if empty || (annotation.is_none() && default.is_none() && !rest.is_empty()) {
            return Err(format!("has a parameter {text:?} that is not NAME: TYPE = DEFAULT"));
        }
        let default = match default {
            None => Fallback::Required,
            Some(text) => terminal::literal(text.trim())
                .map_or(Fallback::Unwritten, |json| Fallback::Json(Bytes::from(json.into_bytes()))),
        };
        Ok(Self { name: name.to_string(), annotation: annotation.map(str::to_string), default, keyword_only })
    }
}

/// The name at the beginning of a parameter.
fn name_of(text: &str) -> &str {
    text.split([':', '=']).next().unwrap_or(text).trim_end()
}

/// The parameters, apart; a comma behind the last one is fine.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = end_of(text, |byte| byte == b',');
        rest = text.get(end + 1..);
        let piece = text[..end].trim();
        (rest.is_some() || !piece.is_empty()).then_some(piece)
    })
}

/// Where the bracket ends that `text` begins within.
fn end_of_piece(text: &str) -> usize {
    end_of(text, |_| false)
}

fn end_of_annotation(text: &str) -> usize {
    end_of(text, |byte| byte == b'=')
}

/// Where the first byte of this kind stands that is in no bracket and no quotes; or the bracket that closes more than was
/// opened; or the end.
fn end_of(text: &str, wanted: impl Fn(u8) -> bool) -> usize {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), _) if byte == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') if depth == 0 => return at,
            (None, b')' | b']' | b'}') => depth -= 1,
            (None, _) if depth == 0 && wanted(byte) => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(text: &str) -> Vec<String> {
        let signature = Signature::parse(text).unwrap();
        let shown = |parameter: &Parameter| {
            let default = match &parameter.default {
                Fallback::Required => "!".to_string(),
                Fallback::Json(json) => String::from_utf8_lossy(json).into_owned(),
                Fallback::Unwritten => "?".to_string(),
            };
            let annotation = parameter.annotation.as_deref().unwrap_or("-");
            let star = if parameter.keyword_only { "*" } else { "" };
            format!("{star}{} {annotation} {default}", parameter.name)
        };
        signature.parameters.iter().map(shown).collect()
    }

    #[test]
    fn parameters_have_names_types_and_defaults() {
        assert_eq!(parameters("()"), [] as [&str; 0]);
        assert_eq!(parameters("(x: float, n: float = 2.0) -> float"), ["x float !", "n float 2.0"]);
        assert_eq!(parameters("( x , n=2, )"), ["x - !", "n - 2"]);
        assert_eq!(
            parameters(
                "(d: Dict[str, Tuple[int, int]] = {'a,b': (1, 2)}, s='=)', t: str = None) -> Dict[str, int]"
            ),
            ["d Dict[str, Tuple[int, int]] {\"a,b\": [1, 2]}", "s - \"=)\"", "t str null"]
        );
        assert_eq!(parameters("(x=float('nan'), y=...)"), ["x - ?", "y - ?"]);
        assert_eq!(parameters("(µ, *, k, l=1)"), ["µ - !", "*k - !", "*l - 1"]);
    }

    #[test]
    fn catch_alls_are_told_apart() {
        let signature = Signature::parse("(x, *args, k=1, **kwargs: int)").unwrap();
        assert!(signature.rest && signature.keywords);
        assert_eq!(signature.positional(), 1);
        assert_eq!(signature.position("k"), Some(1));
        assert!(!Signature::parse("(*, k)").unwrap().rest);
    }

    #[test]
    fn a_signature_is_shown_as_written() {
        assert_eq!(Signature::parse(" (x: \"a\") ").unwrap().shown(), r#""(x: \"a\")""#);
    }

    #[test]
    fn mistakes_are_explained() {
        for (text, why) in [
            ("x", "does not begin with a parenthesis"),
            ("(x", "has no closing parenthesis"),
            ("(x) float", "goes on behind its parameters"),
            ("(x) ->", "goes on behind its parameters"),
            ("(x]", "has no closing parenthesis"),
            ("(,)", "begins with no name"),
            ("(1x)", "begins with no name"),
            ("(x y)", "begins with no name"),
            ("(x:)", "is not NAME: TYPE = DEFAULT"),
            ("(x=)", "is not NAME: TYPE = DEFAULT"),
            ("(x, x)", "has two parameters x"),
            ("(x, *x)", "has two parameters x"),
            ("(x=1, y)", "without a default behind one with a default"),
            ("(**k, x)", "goes on behind its ** parameter"),
            ("(*a, *b)", "has more than one *"),
            ("(**)", "begins with no name"),
            ("(*a=1)", "has a default for a"),
            ("(x, /)", "begins with no name"),
        ] {
            let error = Signature::parse(text).unwrap_err();
            assert!(error.contains(why) && error.starts_with("the signature "), "{text}: {error}");
        }
    }
}
