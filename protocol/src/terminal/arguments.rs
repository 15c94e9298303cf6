//! What follows SERVICE and ATTRIBUTE: values, and keywords with values, separated by blanks.

use alloc::collections::BTreeSet;
use alloc::string::String;

use super::NotUnderstood;
use super::literal::{self, Unread};
use crate::json::quote_into;

/// How much of a keyword an error shows, so that a long one does not come back as a long message.
const MAX_SHOWN_CHARACTERS: usize = 64;

/// Reads positional and keyword arguments, in any order, as a JSON array and a JSON object.
pub(super) fn read(text: &str) -> Result<(String, String), NotUnderstood> {
    let (mut args, mut kwargs) = (String::from("["), String::from("{"));
    let mut known_keys = BTreeSet::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some((key, after)) = keyword(rest) {
            if !known_keys.insert(key) {
                return Err(NotUnderstood::RepeatedKeyword(key.chars().take(MAX_SHOWN_CHARACTERS).collect()));
            }
            separate(&mut kwargs);
            quote_into(&mut kwargs, key);
            kwargs.push_str(": ");
            rest = value(after, &mut kwargs)?;
        } else {
            separate(&mut args);
            rest = value(rest, &mut args)?;
        }
        rest = rest.trim_start();
    }
    args.push(']');
    kwargs.push('}');
    Ok((args, kwargs))
}

/// Before each but the first value: only the opening bracket stands before that.
fn separate(json: &mut String) {
    if json.len() > 1 {
        json.push_str(", ");
    }
}

/// The keyword in `key=value`, with or without blanks around the `=`, and the text from the value on.
///
/// `a==b` and `a=` without anything after it are no keywords: they are more often the end of some base64
/// text.
fn keyword(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|character: char| !is_in_identifier(character)).unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    if !key.starts_with(|first: char| is_in_identifier(first) && !first.is_numeric()) {
        return None;
    }
    let rest = rest.trim_start().strip_prefix('=')?;
    let value = rest.trim_start();
    (!rest.starts_with('=') && !value.is_empty()).then_some((key, value))
}

/// Letters and digits of any script, as in Python's identifiers, but for some rare marks.
fn is_in_identifier(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// Appends one value: a literal that ends where a blank or the line's end is, or else the text up to there.
fn value<'a>(text: &'a str, json: &mut String) -> Result<&'a str, NotUnderstood> {
    let before = json.len();
    match literal::bare(text, json) {
        Ok(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => return Ok(rest),
        Err(Unread::TooDeep) => return Err(NotUnderstood::TooDeep),
        Ok(_) | Err(Unread::NotALiteral) => json.truncate(before),
    }
    let (word, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    quote_into(json, word);
    Ok(rest)
}
