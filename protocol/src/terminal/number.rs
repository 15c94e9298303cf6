//! Numbers as Python or JSON write them, turned into JSON.
//!
//! Digits are kept: `1.10` stays `1.10`, and a whole number of any length keeps all of them. Only what JSON
//! does not know is rewritten: signs, underscores, other bases, and points without digits on both sides.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

/// The longest hexadecimal, octal or binary number, in digits: turning it into decimals takes quadratic time.
const MAX_BASE_DIGITS: usize = 1024;

/// A number, in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Number {
    Whole(String),
    Float(String),
}

impl Number {
    pub(super) fn as_json(&self) -> &str {
        match self {
            Self::Whole(json) | Self::Float(json) => json,
        }
    }

    /// What Python's `json.dumps` writes, between quotes, for a number as a key of an object.
    pub(super) fn python_key(&self) -> Cow<'_, str> {
        match self {
            Self::Whole(json) => json.into(),
            Self::Float(json) => {
                json.parse().map_or_else(|_| json.into(), |value| python_float(value).into())
            }
        }
    }
}

/// Reads the whole of `word` as a number.
pub(super) fn number(word: &str) -> Option<Number> {
    let (negative, unsigned) = match word.as_bytes().first()? {
        b'-' => (true, &word[1..]),
        b'+' => (false, &word[1..]),
        _ => (false, word),
    };
    let sign = if negative { "-" } else { "" };
    let base = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 10,
    };
    let whole = if base == 10 {
        let (whole, rest) = digits(unsigned);
        if !rest.is_empty() {
            return float(sign, &whole, rest);
        }
        whole
    } else {
        from_base(base, &unsigned[2..])?
    };
    let significant = whole.trim_start_matches('0');
    if whole.is_empty() || (!significant.is_empty() && significant.len() < whole.len()) {
        return None; // Neither language takes 007.
    }
    if significant.is_empty() {
        Some(Number::Whole("0".into()))
    } else {
        Some(Number::Whole(format!("{sign}{whole}")))
    }
}

/// A float, after its whole part. Python takes leading zeros here, and a point with digits on one side only.
fn float(sign: &str, whole: &str, rest: &str) -> Option<Number> {
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => {
            let (fraction, rest) = digits(rest);
            (Some(fraction), rest)
        }
        None => (None, rest),
    };
    if whole.is_empty() && fraction.as_deref().unwrap_or_default().is_empty() {
        return None;
    }
    let significant = whole.trim_start_matches('0');
    let mut json = format!("{sign}{}", if significant.is_empty() { "0" } else { significant });
    if let Some(fraction) = fraction {
        json.push('.');
        json.push_str(if fraction.is_empty() { "0" } else { &fraction });
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let (exponent_digits, after) = digits(unsigned);
        if exponent_digits.is_empty() || !after.is_empty() {
            return None;
        }
        json.push_str(&rest[..rest.len() - unsigned.len()]);
        json.push_str(&exponent_digits);
    } else if !rest.is_empty() {
        return None;
    }
    Some(Number::Float(json))
}

/// The decimal digits at the beginning of `text` without underscores, which may stand between two of them,
/// and the rest.
fn digits(text: &str) -> (String, &str) {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while is_digit(end)
        || (end > 0 && bytes.get(end) == Some(&b'_') && is_digit(end - 1) && is_digit(end + 1))
    {
        end += 1;
    }
    let (digits, rest) = text.split_at(end);
    (digits.replace('_', ""), rest)
}

/// Decimal digits of a number in another base, given without its prefix. An underscore may stand before each
/// digit.
fn from_base(base: u32, text: &str) -> Option<String> {
    /// Decimal digits in a limb.
    const WIDTH: usize = 9;
    const LIMB: u64 = 1_000_000_000;

    if text.is_empty() || text.len() > 2 * MAX_BASE_DIGITS || text.ends_with('_') || text.contains("__") {
        return None;
    }
    let digits: Vec<u32> = text
        .chars()
        .filter(|&digit| digit != '_')
        .map(|digit| digit.to_digit(base))
        .collect::<Option<_>>()?;
    if digits.len() > MAX_BASE_DIGITS {
        return None;
    }
    // Least significant first.
    let mut limbs: Vec<u64> = Vec::new();
    for digit in digits {
        let mut carry = u64::from(digit);
        for limb in &mut limbs {
            let product = *limb * u64::from(base) + carry;
            *limb = product % LIMB;
            carry = product / LIMB;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let mut decimal = limbs.pop().unwrap_or(0).to_string();
    for limb in limbs.iter().rev() {
        // Writing to a String never fails.
        let _ = write!(decimal, "{limb:0WIDTH$}");
    }
    Some(decimal)
}

/// A float as Python's `repr` writes it, or as `json.dumps` does where it is too large to be one.
fn python_float(value: f64) -> String {
    if value.is_infinite() {
        return if value < 0.0 { "-Infinity".into() } else { "Infinity".into() };
    }
    let scientific = format!("{value:e}");
    match scientific.split_once('e').map(|(mantissa, exponent)| (mantissa, exponent.parse::<i32>())) {
        Some((mantissa, Ok(exponent))) if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
        }
        // Within these, Rust's debug form has no exponent either, but a point always.
        _ => format!("{value:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(word: &str) -> Option<String> {
        number(word).map(|number| number.as_json().to_string())
    }

    #[test]
    fn numbers_of_both_languages_become_json() {
        for (typed, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("+0", "0"),
            ("000", "0"),
            ("0_0", "0"),
            ("17", "17"),
            ("+17", "17"),
            ("-17", "-17"),
            ("1_000_000", "1000000"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("0x10", "16"),
            ("-0X1f", "-31"),
            ("0xFFFF_FFFF_FFFF_FFFF_FFFF", "1208925819614629174706175"),
            ("0x3b9aca00", "1000000000"),
            ("0x_f", "15"),
            ("0o17", "15"),
            ("0b101", "5"),
            ("-0b0", "0"),
            ("0x00ff", "255"),
            ("1.5", "1.5"),
            ("1.10", "1.10"),
            ("-1.", "-1.0"),
            (".5", "0.5"),
            ("+.5", "0.5"),
            ("-0.0", "-0.0"),
            ("007.5", "7.5"),
            ("1e3", "1e3"),
            ("1E+05", "1E+05"),
            ("1.e-5", "1.0e-5"),
            (".5e1_0", "0.5e10"),
            ("1_0.0_1", "10.01"),
            ("01e5", "1e5"),
            ("1e400", "1e400"),
        ] {
            assert_eq!(json(typed).as_deref(), Some(expected), "{typed}");
        }
    }

    #[test]
    fn what_only_resembles_a_number_is_none() {
        for typed in [
            "", "-", "+", ".", "-.", "e5", ".e5", "1e", "1e+", "1.2.3", "10.0.0.1", "007", "-01", "1__0",
            "_1", "1_", "1_.5", "1._5", "0x", "0xg", "0x1_", "0x1__0", "0b2", "0o8", "0x-1", "--1", "+-1",
            "1-2", "1/2", "5V", "1j", "12:30", "½", "\u{663}", "inf", "nan", "1e5.5", "0x1.5", "١",
        ] {
            assert_eq!(json(typed), None, "{typed}");
        }
    }

    #[test]
    fn numbers_in_other_bases_have_a_limit() {
        let longest = format!("0b{}", "1".repeat(MAX_BASE_DIGITS));
        assert!(json(&longest).is_some());
        assert_eq!(json(&format!("{longest}1")), None);
    }

    #[test]
    fn a_key_is_written_as_python_writes_it() {
        for (typed, key) in [
            ("1_000", "1000"),
            ("1.10", "1.1"),
            ("1e3", "1000.0"),
            ("-0.0", "-0.0"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1e15", "1000000000000000.0"),
            ("1e16", "1e+16"),
            ("-1.25e100", "-1.25e+100"),
            ("1e999", "Infinity"),
            ("-1e999", "-Infinity"),
        ] {
            assert_eq!(number(typed).unwrap().python_key(), key, "{typed}");
        }
    }
}
