//! What a person types at a terminal, read as a request (`docs/wire.md` section 8).
//!
//! A line is one of the words `identity`, `client`, `link` and `disconnect` with what belongs to it, or
//! `SERVICE ATTRIBUTE` followed by arguments. This is not for lines that are JSON: those are told apart
//! before.
//!
//! Easy to get wrong: people mix Python's notation with JSON's, and most words are just text. So a value is
//! what it is in either language, and where it is nothing in both it is the text as typed; the result is
//! valid JSON always.
//!
//! Time and memory are linear in the line's length: each byte is looked at a bounded number of times, once
//! for each of at most [`MAX_TYPED_DEPTH`] brackets around it, and gives at most six bytes.

mod arguments;
mod literal;
mod number;
mod quoted;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::json::escaped;

pub use literal::MAX_TYPED_DEPTH;

/// A line as it was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// `identity`: a request for the Manager's identity.
    Identity,
    /// `client [NAME...]`: the identity of a client.
    Client {
        /// The name without double quotes, its words separated by single blanks; `Client` if none was typed.
        /// It is not checked.
        name: String,
    },
    /// `link SERVICE`: a request for a link.
    Link {
        /// The name of the service, without quotes.
        service: String,
    },
    /// `disconnect`, `exit` or `__disconnect__`.
    Disconnect,
    /// `SERVICE ATTRIBUTE [ARG...] [KEY=VALUE...]`: a request to a service, or to the Manager.
    Request {
        /// The name of the service, without quotes.
        service: String,
        /// The name of the attribute, without quotes.
        attribute: String,
        /// The positional arguments: a JSON array.
        args: String,
        /// The keyword arguments: a JSON object. No key is in it twice.
        kwargs: String,
    },
}

/// Why a line was not understood. Its text says what to type instead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotUnderstood {
    /// There is nothing on the line but blanks.
    Blank,
    /// `link` stands alone.
    LinkToWhat,
    /// There is one word only, and it is none of those that may stand alone.
    NoAttribute,
    /// The quote before the name of a service or an attribute is not closed, or something touches the closing
    /// one.
    BadQuote,
    /// The name of a service or an attribute is empty quotes.
    EmptyName,
    /// A keyword, of which this is the beginning, is given twice.
    RepeatedKeyword(String),
    /// Lists, tuples and objects are inside each other more than [`MAX_TYPED_DEPTH`] times.
    TooDeep,
}

impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str(
                "nothing was typed: type 'identity', 'client NAME', 'link SERVICE', 'exit', or a request such as \
                 'SERVICE ATTRIBUTE 1 x=2'",
            ),
            Self::LinkToWhat => f.write_str("type the name of the service after 'link'"),
            Self::NoAttribute => f.write_str(
                "type the name of a service and of its attribute, then the arguments, such as 'SERVICE ATTRIBUTE 1 x=2'",
            ),
            Self::BadQuote => f.write_str(
                "a name that begins with a quote must end with the same quote and be followed by a blank; type \
                 double quotes around a name that contains a single quote",
            ),
            Self::EmptyName => f.write_str("type the name of the service or attribute between the quotes"),
            Self::RepeatedKeyword(key) => {
                write!(f, "the keyword argument '{}' is given more than once, type it once", escaped(key))
            }
            Self::TooDeep => write!(f, "type at most {MAX_TYPED_DEPTH} brackets inside each other"),
        }
    }
}

impl core::error::Error for NotUnderstood {}

/// Reads a line, without its line ending or with it.
///
/// # Errors
/// When the line fits none of the forms of [`Typed`].
///
/// ```
/// use msl_network_protocol::terminal::{Typed, read};
///
/// let typed = read("\"String Editor\" concat (1, 2) s2='two words'")?;
/// let expected = Typed::Request {
///     service: "String Editor".into(),
///     attribute: "concat".into(),
///     args: "[[1, 2]]".into(),
///     kwargs: r#"{"s2": "two words"}"#.into(),
/// };
/// assert_eq!(typed, expected);
/// # Ok::<(), msl_network_protocol::terminal::NotUnderstood>(())
/// ```
pub fn read(line: &str) -> Result<Typed, NotUnderstood> {
    let line = line.trim();
    if line.is_empty() {
        return Err(NotUnderstood::Blank);
    }
    if line.eq_ignore_ascii_case("identity") {
        return Ok(Typed::Identity);
    }
    if ["disconnect", "exit", "__disconnect__"].iter().any(|word| line.eq_ignore_ascii_case(word)) {
        return Ok(Typed::Disconnect);
    }
    if let Some(name) = after_word(line, "client") {
        return Ok(client(name));
    }
    if let Some(service) = after_word(line, "link") {
        return link(service);
    }
    let (service, rest) = name(line)?;
    let (attribute, rest) = name(rest)?;
    let (args, kwargs) = arguments::read(rest)?;
    Ok(Typed::Request { service: service.to_string(), attribute: attribute.to_string(), args, kwargs })
}

fn client(typed: &str) -> Typed {
    let words: Vec<&str> = typed.split_whitespace().collect();
    let name = without_quotes(&words.join(" "));
    Typed::Client { name: if name.trim().is_empty() { "Client".to_string() } else { name } }
}

fn link(typed: &str) -> Result<Typed, NotUnderstood> {
    let service = without_quotes(typed.trim());
    if service.trim().is_empty() {
        return Err(NotUnderstood::LinkToWhat);
    }
    Ok(Typed::Link { service })
}

/// What follows `word` on the line, if the line begins with it as a whole word, in any case.
fn after_word<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let (first, rest) = line.split_at_checked(word.len())?;
    let whole = rest.is_empty() || rest.starts_with(char::is_whitespace) || rest.starts_with('"');
    (whole && first.eq_ignore_ascii_case(word)).then_some(rest)
}

/// A text without its double quotes, wherever they are, and without single ones around it.
fn without_quotes(text: &str) -> String {
    let text = text.replace('"', "");
    match text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        Some(inside) => inside.to_string(),
        None => text,
    }
}

/// The name of a service or an attribute, and what follows it. Backslashes are part of it, in quotes too.
fn name(text: &str) -> Result<(&str, &str), NotUnderstood> {
    let text = text.trim_start();
    let first = text.chars().next().ok_or(NotUnderstood::NoAttribute)?;
    if !matches!(first, '"' | '\'') {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return Ok(text.split_at(end));
    }
    let (name, rest) = text[1..].split_once(first).ok_or(NotUnderstood::BadQuote)?;
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return Err(NotUnderstood::BadQuote);
    }
    if name.trim().is_empty() {
        return Err(NotUnderstood::EmptyName);
    }
    Ok((name, rest))
}

/// The JSON of a text that is one literal of Python or of JSON; `None` if it is anything else.
///
/// ```
/// use msl_network_protocol::terminal::literal;
///
/// assert_eq!(literal("(1, 'x')").as_deref(), Some("[1, \"x\"]"));
/// assert_eq!(literal("two words"), None);
/// ```
pub fn literal(text: &str) -> Option<String> {
    let mut json = String::new();
    let rest = literal::bare(text, &mut json).ok()?;
    rest.is_empty().then_some(json)
}

#[cfg(test)]
mod tests;
