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

use super::bulk::{LANES, leading_digits};

/// The places of a block.
const BLOCK: usize = u64::BITS as usize;

/// So many numbers are read one by one where a block is not of the usual form.
const ONE_BY_ONE: usize = 4;

/// How many of the bytes are numbers with a comma behind each, and perhaps a space; and how many numbers these are.
pub(super) fn numbers(bytes: &[u8]) -> (usize, u32) {
    let (mut rest, mut count) = (bytes, 0);
    loop {
        if let Some((length, numbers)) = rest.first_chunk().and_then(usual) {
            rest = &rest[length..];
            rest = rest.strip_prefix(b" ").unwrap_or(rest);
            count += numbers;
            continue;
        }
        for _ in 0..ONE_BY_ONE {
            let Some([b',', b' ', after @ ..] | [b',', after @ ..]) = number(rest) else {
                return (bytes.len() - rest.len(), count);
            };
            rest = after;
            count += 1;
        }
    }
}

/// The length of the numbers in a block, up to the last comma, and how many they are; `None` where there is no comma, an exponent,
/// or anything that is not right.
fn usual(block: &[u8; BLOCK]) -> Option<(usize, u32)> {
    let commas = mask(block, |bytes| bytes.simd_eq(u8x16::splat(b',')));
    let last = commas.checked_ilog2()?;
    let whole = u64::MAX >> (u64::BITS - 1 - last);
    let places = |byte| mask(block, |bytes| bytes.simd_eq(u8x16::splat(byte))) & whole;
    let digits = whole
        & !mask(block, |bytes| (bytes - u8x16::splat(b'0')).min(u8x16::splat(10)).simd_eq(u8x16::splat(10)));
    let (points, spaces, minus, zeros) = (places(b'.'), places(b' '), places(b'-'), places(b'0'));
    // Numbers begin at the start, behind a comma, or behind the space after one.
    let behind = commas << 1 & whole;
    let begin = (1 | behind) & !spaces | (behind & spaces) << 1;
    let first = begin & !minus | (begin & minus) << 1;
    let end = digits.wrapping_add(first) & !digits;
    let fraction = (end & points) << 1;
    let fraction_end = digits.wrapping_add(fraction) & !digits;
    let wrong = [
        whole ^ (digits | points | commas | spaces | minus), // another byte
        spaces & !behind,
        minus & !begin,
        (first | fraction) & !digits,
        (first & zeros) << 1 & digits, // a leading zero
        points & !end,
        commas ^ (end & !points | fraction_end), // a number without a comma, or the reverse
    ];
    let is_right = wrong.into_iter().fold(0, BitOr::bitor) == 0;
    is_right.then_some((last as usize + 1, commas.count_ones()))
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
    while let Some(next) = rest.first_chunk() {
        let count = leading_digits(*next);
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
    use proptest::prelude::*;
    use proptest::sample::Index;

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

    proptest! {
        #[test]
        fn blocks_are_of_the_same_opinion(text in "(-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?(e-?[0-9]{1,2})?, ?){0,40}", at: Index, byte in "[-0-9., eE+x]?") {
            let mut bytes = text.into_bytes();
            prop_assert_eq!(numbers(&bytes), one_by_one(&bytes));
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes.splice(at..=at, byte.bytes());
                prop_assert_eq!(numbers(&bytes), one_by_one(&bytes));
            }
        }

        #[test]
        fn blocks_are_of_the_same_opinion_of_anything(text in "[-0-3., ]{0,200}") {
            prop_assert_eq!(numbers(text.as_bytes()), one_by_one(text.as_bytes()));
        }
    }
}
