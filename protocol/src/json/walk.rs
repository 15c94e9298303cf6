//! The members of an object and the elements of an array, as slices of their text.
//!
//! For values that the Manager itself must look into but may not change, and that may hold `NaN`, which `serde_json` does
//! not read: a service's identity, the arguments of a request to the Manager. The text was checked before; of text that
//! was not, the answer is of no use, but nothing bad happens.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use memchr::{memchr2, memchr3};

use super::unquote;

/// The members of a JSON object, in order. A name that no Rust string can hold is left out.
///
/// `None` if `raw` is not an object.
pub fn members(raw: &Bytes) -> Option<Vec<(String, Bytes)>> {
    let mut walk = Walk::inside(raw, b'{', b'}')?;
    let mut members = Vec::new();
    while let Some(name) = walk.value() {
        walk.punctuation(b':')?;
        let value = walk.value()?;
        if let Some(name) = unquote(&name) {
            members.push((name.into_owned(), value));
        }
        if walk.punctuation(b',').is_none() {
            break;
        }
    }
    Some(members)
}

/// The elements of a JSON array.
///
/// `None` if `raw` is not an array.
pub fn elements(raw: &Bytes) -> Option<Vec<Bytes>> {
    let mut walk = Walk::inside(raw, b'[', b']')?;
    let mut elements = Vec::new();
    while let Some(value) = walk.value() {
        elements.push(value);
        if walk.punctuation(b',').is_none() {
            break;
        }
    }
    Some(elements)
}

struct Walk {
    rest: Bytes,
}

impl Walk {
    fn inside(raw: &Bytes, open: u8, close: u8) -> Option<Self> {
        let text = raw.trim_ascii();
        let inside = text.strip_prefix(&[open])?.strip_suffix(&[close])?;
        Some(Self { rest: raw.slice_ref(inside) })
    }

    /// The next value; `None` at the end.
    fn value(&mut self) -> Option<Bytes> {
        self.skip_blanks();
        let end = match self.rest.first()? {
            b'"' => string_end(&self.rest),
            b'{' => nested_end(&self.rest, b'{', b'}'),
            b'[' => nested_end(&self.rest, b'[', b']'),
            _ => {
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b",:]}".contains(byte);
                self.rest.iter().position(ends).unwrap_or(self.rest.len())
            }
        };
        (end > 0).then(|| self.rest.split_to(end))
    }

    fn punctuation(&mut self, byte: u8) -> Option<()> {
        self.skip_blanks();
        (self.rest.first() == Some(&byte)).then(|| drop(self.rest.split_to(1)))
    }

    fn skip_blanks(&mut self) {
        let blanks = self.rest.len() - self.rest.trim_ascii_start().len();
        drop(self.rest.split_to(blanks));
    }
}

/// Where the string ends that `text` begins with: after its closing quote, or at the end of the text if it has none.
pub(super) fn string_end(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(next) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += next + 1;
        if text[at - 1] == b'"' {
            return at;
        }
        // Whatever is escaped.
        at += 1;
    }
    text.len()
}

/// Where the object or array ends that `text` begins with. Of the others inside it, only those of its own kind count: they
/// are nested properly.
fn nested_end(text: &[u8], open: u8, close: u8) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(next) = memchr3(b'"', open, close, &text[at..]) {
        at += next;
        match text[at] {
            b'"' => at += string_end(&text[at..]),
            bracket => {
                at += 1;
                depth = if bracket == open { depth + 1 } else { depth.saturating_sub(1) };
                if depth == 0 {
                    return at;
                }
            }
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec;

    fn texts(values: &[Bytes]) -> Vec<String> {
        values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    #[test]
    fn values_come_to_the_byte_whatever_they_hold() {
        let raw = Bytes::from_static(br#" { "a" : 1.10, "b\u0063":[1,{"x":"]}\""}] ,"c":NaN} "#);
        let (names, values): (Vec<_>, Vec<_>) = members(&raw).unwrap().into_iter().unzip();
        assert_eq!(names, ["a", "bc", "c"]);
        assert_eq!(texts(&values), ["1.10", r#"[1,{"x":"]}\""}]"#, "NaN"]);
        let raw = Bytes::from_static(br#"[ "x, y" ,null, [] ]"#);
        assert_eq!(texts(&elements(&raw).unwrap()), vec![r#""x, y""#, "null", "[]"]);
    }

    #[test]
    fn empty_ones_are_empty_and_others_are_none() {
        assert_eq!(members(&Bytes::from_static(b"{ }")), Some(Vec::new()));
        assert_eq!(elements(&Bytes::from_static(b"[]")), Some(Vec::new()));
        for raw in ["null", "12", "\"{}\"", ""] {
            assert_eq!(members(&Bytes::from(raw.to_string())), None, "{raw}");
            assert_eq!(elements(&Bytes::from(raw.to_string())), None, "{raw}");
        }
    }

    #[test]
    fn text_that_was_not_checked_ends_too() {
        for inside in ["\"", "[[", "a b", ",,", ":", "\"a\" 1", "\"\\"] {
            members(&Bytes::from(format!("{{{inside}}}")));
            elements(&Bytes::from(format!("[{inside}]")));
        }
    }
}
