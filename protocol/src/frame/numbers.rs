//! Arrays of numbers, which is what instruments send much of: as many whole numbers at once as there are.
//!
//! The scanner goes byte by byte, so that it can stop anywhere. Where the bytes at hand are `number, number, ...`, this
//! reads them eight digits at a time. It is only ever ahead of the scanner, never of another opinion: what it does not
//! recognise, the last number included, it leaves to the scanner.

use super::bulk::{WORD, leading_digits};

/// How many of the bytes are numbers with a comma behind each, and perhaps a space; and how many numbers these are.
pub(super) fn numbers(bytes: &[u8]) -> (usize, u32) {
    let (mut rest, mut count) = (bytes, 0);
    while let Some([b',', b' ', after @ ..] | [b',', after @ ..]) = number(rest) {
        rest = after;
        count += 1;
    }
    (bytes.len() - rest.len(), count)
}

/// What follows the number that the bytes begin with, if they do.
#[inline]
fn number(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let mut rest = match bytes {
        [b'0'..=b'9', b'.', ..] => &bytes[1..], // most floats: not worth a word
        [b'0', b'0'..=b'9', ..] => return None,
        _ => digits(bytes)?,
    };
    if let [b'.', fraction @ ..] = rest {
        rest = digits(fraction)?;
    }
    if let [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] = rest {
        rest = digits(exponent)?;
    }
    Some(rest)
}

/// What follows the digits that the bytes begin with, if they do.
#[inline]
fn digits(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    while let Some(word) = rest.first_chunk() {
        let count = leading_digits(u64::from_le_bytes(*word));
        rest = &rest[count..];
        if count < WORD {
            return (rest.len() < bytes.len()).then_some(rest);
        }
    }
    while let [b'0'..=b'9', after @ ..] = rest {
        rest = after;
    }
    (rest.len() < bytes.len()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_up_to_the_last_comma() {
        for (text, read, count) in [
            ("1, 2,3, 4]", 8, 3),
            ("-0.5, 1e5, 12345678.87654321E-10, 0]", 34, 3),
            ("123456789012345678901234567890, 1", 32, 1),
            ("0, 0.0, -0, 0e0,", 16, 4),
            ("1,  2, 3", 3, 1),
        ] {
            assert_eq!(numbers(text.as_bytes()), (read, count), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_with_a_comma_is_left() {
        for text in [
            "",
            "1",
            "1]",
            "1 ,",
            " 1,",
            "-,",
            "01,",
            "-01,",
            "1.,",
            ".5,",
            "1.e5,",
            "1e,",
            "1e+,",
            "+1,",
            "--1,",
            "NaN,",
            "-Infinity,",
            "\"1\",",
            "1a,",
            "1.5.5,",
            "1e5.5,",
            "1e5e5,",
            "1\u{663},",
            "[1,",
        ] {
            assert_eq!(numbers(text.as_bytes()), (0, 0), "{text}");
        }
    }
}
