//! Strings in quotes, with the escapes of Python and JSON, which agree where both have one.
//!
//! What is no escape in either language stays as typed, backslash included, as in Python: `"\d"` and
//! `"C:\Users"` are what they look like.

use alloc::borrow::Cow;
use alloc::string::String;

use crate::json::code_unit;

/// The text of the string that `text` begins with, and what follows its closing quote.
pub(super) fn string(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let inside = &text[1..];
    let mut string = String::new();
    let mut rest = inside;
    loop {
        let end = rest.find([quote, '\\'])?;
        let (plain, after) = rest.split_at(end);
        if let Some(after) = after.strip_prefix(quote) {
            // Nothing to decode so far: the text can be borrowed.
            if string.is_empty() && plain.len() + after.len() + 1 == inside.len() {
                return Some((Cow::Borrowed(plain), after));
            }
            string.push_str(plain);
            return Some((Cow::Owned(string), after));
        }
        string.push_str(plain);
        if let Some((character, after)) = escape(after) {
            string.push(character);
            rest = after;
        } else {
            string.push('\\');
            rest = &after[1..];
        }
    }
}

/// The character of the escape that `text` begins with, and what follows it.
fn escape(text: &str) -> Option<(char, &str)> {
    let after = text.strip_prefix('\\')?;
    let letter = after.chars().next()?;
    let character = match letter {
        '"' | '\'' | '\\' | '/' => letter,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{C}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{B}',
        'x' => return hexadecimal(&after[1..], 2),
        'U' => return hexadecimal(&after[1..], 8),
        'u' => return utf16(text),
        '0'..='7' => return octal(after),
        _ => return None,
    };
    Some((character, &after[letter.len_utf8()..]))
}

fn hexadecimal(text: &str, length: usize) -> Option<(char, &str)> {
    let (digits, rest) = text.split_at_checked(length)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    Some((character, rest))
}

/// One escape of four digits, or two that are a surrogate pair. Half a pair is none: no text can hold it.
fn utf16(text: &str) -> Option<(char, &str)> {
    let (first, rest) = code_unit(text)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Some((character, rest));
    }
    let (second, rest) = code_unit(rest)?;
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, rest))
}

/// One to three digits, as in Python.
fn octal(text: &str) -> Option<(char, &str)> {
    let length = text.bytes().take(3).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
    let (digits, rest) = text.split_at(length);
    let character = char::from_u32(u32::from_str_radix(digits, 8).ok()?)?;
    Some((character, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_both_languages_are_decoded() {
        for (typed, text) in [
            (r#""""#, ""),
            ("''", ""),
            (r#""it's""#, "it's"),
            (r#"'say "hi"'"#, "say \"hi\""),
            (r#""say \"hi\"""#, "say \"hi\""),
            (r"'it\'s'", "it's"),
            (r#""\a\b\f\n\r\t\v\\\/""#, "\u{7}\u{8}\u{c}\n\r\t\u{b}\\/"),
            (r#""\x41\u00b5\U0001F600\ud83d\ude00""#, "Aµ😀😀"),
            (r#""\0\12\1234""#, "\0\nS4"),
        ] {
            assert_eq!(
                string(typed).map(|(text, rest)| (text.into_owned(), rest)),
                Some((text.into(), "")),
                "{typed}"
            );
        }
    }

    #[test]
    fn what_is_no_escape_stays_as_typed() {
        for inside in [
            r"\d",
            r"C:\Users",
            r"\x4",
            r"\xg0",
            r"\u12",
            r"\ud800",
            r"\ud800\u0041",
            r"\U00110000",
            r"\N{DASH}",
            r"\µ",
        ] {
            let typed = alloc::format!("\"{inside}\"");
            assert_eq!(string(&typed).unwrap().0, inside.replace("\\u0041", "A"));
        }
    }

    #[test]
    fn a_string_ends_at_its_own_quote() {
        assert_eq!(string("'a\"b'c'"), Some(("a\"b".into(), "c'")));
        for typed in ["", "a", "\"", "\"a", "\"a'", "\"a\\\"", "'\\"] {
            assert_eq!(string(typed), None, "{typed}");
        }
    }
}
