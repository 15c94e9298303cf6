//! Arrays of numbers, which is what instruments send much of: as many whole numbers at once as there are.
//!
//! The scanner goes byte by byte, so that it can stop anywhere. Where the bytes at hand are `number, number, ...`, this
//! reads them in blocks. It is only ever ahead of the scanner, never of another opinion: what it does not
//! recognise, the last number included, it leaves to the scanner.
//!
//! A block becomes one mask for each kind of byte, with a bit for each place, and the grammar is checked for all places at once.
//! Adding a bit to a run of ones carries it to the place behind the run: that is how the ends of the digits are found.

use core::ops::BitOr;

use wide::u8x16;

use super::bulk::{LANES, leading_digits, not_digit};

/// The places of a block.
const BLOCK: usize = u64::BITS as usize;

/// So many numbers are read one by one before the first block, and after one that cannot be read as such. Arrays of points have
/// fewer in each, and for them blocks would be looked at in vain: there is always a bracket in them.
const ONE_BY_ONE: usize = 4;

/// How many of the bytes are numbers with a comma behind each, and perhaps a space; and how many numbers these are.
pub(super) fn numbers(bytes: &[u8]) -> (usize, u32) {
    let (mut rest, mut count) = (bytes, 0);
    loop {
        for _ in 0..ONE_BY_ONE {
            let Some([b',', b' ', after @ ..] | [b',', after @ ..]) = number(rest) else {
                return (bytes.len() - rest.len(), count);
            };
            rest = after;
            count += 1;
        }
        while let Some((length, numbers)) = rest.first_chunk().and_then(numbers_in_block) {
            rest = &rest[length..];
            rest = rest.strip_prefix(b" ").unwrap_or(rest);
            count += numbers;
        }
    }
}

/// The length of the numbers in a block, up to the last comma, and how many they are; `None` where there is no comma, anything that
/// is not right before it, or an exponent or another byte anywhere in the block.
fn numbers_in_block(block: &[u8; BLOCK]) -> Option<(usize, u32)> {
    let commas = mask(block, |bytes| bytes.simd_eq(u8x16::splat(b',')));
    let last = commas.checked_ilog2()?;
    let whole = u64::MAX >> (u64::BITS - 1 - last);
    let places = |byte| mask(block, |bytes| bytes.simd_eq(u8x16::splat(byte))) & whole;
    let (points, minus) = (places(b'.'), places(b'-'));
    let digits = !mask(block, not_digit) & whole;
    // Nothing else is there: see below.
    let spaces = whole ^ (digits | points | commas | minus);
    // Numbers begin at the start, behind a comma, or behind the space after one.
    let behind = commas << 1 & whole;
    let begin = (1 | behind) & !spaces | (behind & spaces) << 1;
    let first = begin & !minus | (begin & minus) << 1;
    let end = digits.wrapping_add(first) & !digits;
    let fraction = (end & points) << 1;
    let fraction_end = digits.wrapping_add(fraction) & !digits;
    let wrong = [
        spaces & !behind,
        minus & !begin,
        (first | fraction) & !digits,
        points & !end,
        commas ^ (end & !points | fraction_end), // a number without a comma, or the reverse
    ];
    // Most have one digit before the point, which may be any.
    let long = first & digits >> 1;
    // Joined, as an array is compared element by element.
    let is_right = wrong.into_iter().fold(0, BitOr::bitor) == 0
        && (long == 0 || long & places(b'0') == 0)
        && has_no_other_bytes(block);
    is_right.then_some((last as usize + 1, commas.count_ones()))
}

/// Whether all bytes of a block may be in an array of numbers without exponents. To know where they are not would cost as much as
/// another mask.
#[inline]
fn has_no_other_bytes(block: &[u8; BLOCK]) -> bool {
    let (lanes, _) = block.as_chunks::<LANES>();
    let others = lanes.iter().map(|lane| {
        let bytes = u8x16::new(*lane);
        let is = |byte| bytes.simd_eq(u8x16::splat(byte));
        not_digit(bytes) & !(is(b',') | is(b'.') | is(b'-') | is(b' '))
    });
    others.fold(u8x16::ZERO, BitOr::bitor) == u8x16::ZERO
}

/// The places in a block of the bytes for which `test` sets the high bit.
#[inline]
fn mask(block: &[u8; BLOCK], test: impl Fn(u8x16) -> u8x16) -> u64 {
    let (lanes, _) = block.as_chunks::<LANES>();
    let masks = lanes.iter().map(|lane| u64::from(test(u8x16::new(*lane)).to_bitmask()));
    masks.rev().fold(0, |mask, bits| mask << LANES | bits)
}

/// What follows the number that the bytes begin with, if they do.
#[inline]
pub(super) fn number(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let mut rest = match bytes {
        [b'0'..=b'9', b'.', ..] => &bytes[1..], // most floats: one digit needs no counting
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
    while let Some(next) = rest.first_chunk() {
        let count = leading_digits(next);
        rest = &rest[count..];
        if count < LANES {
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
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

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

    /// What `numbers` does, without blocks.
    fn one_by_one(bytes: &[u8]) -> (usize, u32) {
        let (mut rest, mut count) = (bytes, 0);
        while let Some([b',', b' ', after @ ..] | [b',', after @ ..]) = number(rest) {
            (rest, count) = (after, count + 1);
        }
        (bytes.len() - rest.len(), count)
    }

    /// The bytes with one of them replaced, or left out.
    fn changed(mut bytes: Vec<u8>, at: Index, byte: Option<u8>) -> Vec<u8> {
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes.splice(at..=at, byte);
        }
        bytes
    }

    /// What numbers have, what stands next to the digits, and what is no ASCII.
    fn byte() -> impl Strategy<Value = Option<u8>> {
        option::of(select(b"-0123456789., eE+x/:\x80\xb0\xff".to_vec()))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn blocks_are_of_the_same_opinion(text in "(-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?(e-?[0-9]{1,2})?, ?){0,40}", at: Index, byte in byte()) {
            prop_assert_eq!(numbers(text.as_bytes()), one_by_one(text.as_bytes()));
            let bytes = changed(text.into_bytes(), at, byte);
            prop_assert_eq!(numbers(&bytes), one_by_one(&bytes));
        }

        #[test]
        fn blocks_are_of_the_same_opinion_of_anything(
            numbers_before in 0..8_usize, text in "[-0-3., ]{0,200}", at: Index, byte in byte()
        ) {
            let bytes = changed(("1, ".repeat(numbers_before) + &text).into_bytes(), at, byte);
            prop_assert_eq!(numbers(&bytes), one_by_one(&bytes));
        }
    }
}
