//! Literals of Python and of JSON, turned into JSON.
//!
//! Each function takes the text from the literal on, appends the JSON to `json`, and gives what follows the
//! literal. On an error, `json` may have been appended to; the caller cuts it back.
//!
//! Easy to get wrong: a failed attempt is tried again as plain text, so an attempt must not cost much; the
//! depth limit sees to that.

use alloc::string::String;

use super::number::{Number, number};
use super::quoted;
use crate::json::quote_into;

/// The number of lists, tuples and objects inside each other that a typed value may have.
pub const MAX_TYPED_DEPTH: usize = 64;

/// Why a text was not read as a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is none.
    NotALiteral,
    /// It has more than [`MAX_TYPED_DEPTH`] brackets inside each other.
    TooDeep,
}

/// A literal, or several with commas between and no blanks, which are a tuple as in Python: `1,2` and `1,`.
pub(super) fn bare<'a>(text: &'a str, json: &mut String) -> Result<&'a str, Unread> {
    let start = json.len();
    let mut rest = literal(text, MAX_TYPED_DEPTH, json)?;
    if !rest.starts_with(',') {
        return Ok(rest);
    }
    json.insert(start, '[');
    while let Some(after) = rest.strip_prefix(',') {
        rest = after;
        if rest.is_empty() || rest.starts_with(char::is_whitespace) {
            break;
        }
        json.push_str(", ");
        rest = literal(rest, MAX_TYPED_DEPTH, json)?;
    }
    json.push(']');
    Ok(rest)
}

fn literal<'a>(text: &'a str, depth: usize, json: &mut String) -> Result<&'a str, Unread> {
    let deeper = depth.checked_sub(1).ok_or(Unread::TooDeep);
    match text.bytes().next() {
        Some(b'[') => list(text, deeper?, json),
        Some(b'(') => tuple(text, deeper?, json),
        Some(b'{') => object(text, deeper?, json),
        Some(b'"' | b'\'') => {
            let (string, rest) = quoted::string(text).ok_or(Unread::NotALiteral)?;
            quote_into(json, &string);
            Ok(rest)
        }
        _ => {
            let (word, rest) = word(text);
            match scalar(word).ok_or(Unread::NotALiteral)? {
                Scalar::Word(word) => json.push_str(word),
                Scalar::Number(number) => json.push_str(number.as_json()),
            }
            Ok(rest)
        }
    }
}

fn list<'a>(text: &'a str, depth: usize, json: &mut String) -> Result<&'a str, Unread> {
    json.push('[');
    let mut rest = text[1..].trim_start();
    let mut separator = "";
    while !rest.starts_with(']') {
        json.push_str(separator);
        separator = ", ";
        rest = item_end(literal(rest, depth, json)?, ']')?;
    }
    json.push(']');
    Ok(&rest[1..])
}

/// A tuple, or something in parentheses: `(1)` is 1, `(1,)` is a tuple.
fn tuple<'a>(text: &'a str, depth: usize, json: &mut String) -> Result<&'a str, Unread> {
    let inside = text[1..].trim_start();
    if !inside.starts_with(')') {
        let start = json.len();
        let rest = literal(inside, depth, json)?.trim_start();
        if let Some(rest) = rest.strip_prefix(')') {
            return Ok(rest);
        }
        // It is a tuple: its first item has been read, and is put into brackets now.
        json.insert(start, '[');
        let mut rest = item_end(rest, ')')?;
        while !rest.starts_with(')') {
            json.push_str(", ");
            rest = item_end(literal(rest, depth, json)?, ')')?;
        }
        json.push(']');
        return Ok(&rest[1..]);
    }
    json.push_str("[]");
    Ok(&inside[1..])
}

fn object<'a>(text: &'a str, depth: usize, json: &mut String) -> Result<&'a str, Unread> {
    json.push('{');
    let mut rest = text[1..].trim_start();
    let mut separator = "";
    while !rest.starts_with('}') {
        json.push_str(separator);
        separator = ", ";
        rest = key(rest, json)?.trim_start().strip_prefix(':').ok_or(Unread::NotALiteral)?;
        json.push_str(": ");
        rest = item_end(literal(rest.trim_start(), depth, json)?, '}')?;
    }
    json.push('}');
    Ok(&rest[1..])
}

/// A key of an object: a string, or what Python's `json.dumps` makes of another simple value.
fn key<'a>(text: &'a str, json: &mut String) -> Result<&'a str, Unread> {
    if text.starts_with(['"', '\'']) {
        let (string, rest) = quoted::string(text).ok_or(Unread::NotALiteral)?;
        quote_into(json, &string);
        return Ok(rest);
    }
    let (word, rest) = word(text);
    match scalar(word).ok_or(Unread::NotALiteral)? {
        Scalar::Word(word) => quote_into(json, word),
        Scalar::Number(number) => quote_into(json, &number.python_key()),
    }
    Ok(rest)
}

/// After an item: skips the comma if there is one, and demands the closing bracket if there is none.
fn item_end(text: &str, close: char) -> Result<&str, Unread> {
    let text = text.trim_start();
    match text.strip_prefix(',') {
        Some(rest) => Ok(rest.trim_start()),
        None if text.starts_with(close) => Ok(text),
        None => Err(Unread::NotALiteral),
    }
}

/// The characters up to a blank or to something that has a meaning of its own.
fn word(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| character.is_whitespace() || ",:()[]{}\"'".contains(character));
    text.split_at(end.unwrap_or(text.len()))
}

enum Scalar {
    /// As JSON writes it.
    Word(&'static str),
    Number(Number),
}

fn scalar(word: &str) -> Option<Scalar> {
    const ANY_CASE: [(&str, &str); 4] =
        [("true", "true"), ("false", "false"), ("null", "null"), ("none", "null")];
    // As Python's json reads them, which is also how it writes them.
    const EXACT: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

    if let Some((_, json)) = ANY_CASE.iter().find(|(typed, _)| word.eq_ignore_ascii_case(typed)) {
        return Some(Scalar::Word(json));
    }
    if let Some(json) = EXACT.iter().find(|&&typed| word == typed) {
        return Some(Scalar::Word(json));
    }
    number(word).map(Scalar::Number)
}
