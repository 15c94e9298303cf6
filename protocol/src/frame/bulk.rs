//! The loops that most bytes pass through: how far until a byte that matters?
//!
//! Strings and the digits of numbers are most of it: for these, [`plain`] and [`leading_digits`] use vectors by hand. [`find`]
//! looks for any other bytes and leaves it to the compiler to make vector instructions of a loop over blocks.

use core::ops::BitOr;

use wide::u8x16;

/// So many bytes are tested at once by [`find`].
const BLOCK: usize = 32;

/// The bytes of one vector.
pub(super) const LANES: usize = 16;

/// So many bytes are tested at once in a long string.
const LONG: usize = 4 * LANES;

/// The index of the first byte that `stop` holds for, or the number of bytes.
///
/// `stop` should be a few comparisons joined with `|`, not `||`: without branches it is tested for a block at once.
#[inline]
pub(super) fn find(bytes: &[u8], stop: impl Fn(u8) -> bool) -> usize {
    let mut at = 0;
    while let Some((block, _)) = bytes[at..].split_first_chunk::<BLOCK>() {
        if block.iter().fold(false, |any, &byte| any | stop(byte)) {
            break;
        }
        at += BLOCK;
    }
    let rest = &bytes[at..];
    at + rest.iter().position(|&byte| stop(byte)).unwrap_or(rest.len())
}

/// How many bytes at the beginning are ASCII that stands for itself in a JSON string.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    match bytes.first_chunk().map(leading_plain) {
        Some(LANES) | None => long_plain(bytes),
        Some(count) => count,
    }
}

/// The same where it is not decided at once.
#[inline(never)]
fn long_plain(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(block) = bytes[at..].first_chunk::<LONG>() {
        let (lanes, _) = block.as_chunks();
        if lanes.iter().map(|lane| not_plain(u8x16::new(*lane))).fold(u8x16::ZERO, BitOr::bitor).to_bitmask()
            != 0
        {
            break;
        }
        at += LONG;
    }
    while let Some(next) = bytes[at..].first_chunk() {
        let count = leading_plain(next);
        at += count;
        if count < LANES {
            return at;
        }
    }
    let rest = &bytes[at..];
    at + rest.iter().position(|&byte| special(byte) || !byte.is_ascii()).unwrap_or(rest.len())
}

/// What ends a run of plain string bytes.
#[expect(clippy::needless_bitwise_bool, reason = "without branches it is tested for many bytes at once")]
pub(super) fn special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20)
}

/// How many of the bytes are plain before the first that is not.
#[inline]
fn leading_plain(bytes: &[u8; LANES]) -> usize {
    first(not_plain(u8x16::new(*bytes)))
}

/// The high bit of each lane says whether the byte is none that stands for itself in a string of ASCII.
#[inline]
fn not_plain(bytes: u8x16) -> u8x16 {
    let is = |byte| bytes.simd_eq(u8x16::splat(byte));
    // Those beyond ASCII have the high bit.
    bytes.simd_lt(u8x16::splat(b' ')) | is(b'"') | is(b'\\') | bytes
}

/// How many of the bytes are digits before the first that is none.
#[inline]
pub(super) fn leading_digits(bytes: &[u8; LANES]) -> usize {
    first(not_digit(u8x16::new(*bytes)))
}

/// All bits of each lane say whether the byte is no digit.
#[inline]
pub(super) fn not_digit(bytes: u8x16) -> u8x16 {
    // Most processors cannot compare unsigned bytes but for equality.
    let beyond = u8x16::splat(10);
    (bytes - u8x16::splat(b'0')).min(beyond).simd_eq(beyond)
}

/// The number of the first lane whose high bit is set, or how many there are.
#[inline]
fn first(mask: u8x16) -> usize {
    (mask.to_bitmask() | 1 << LANES).trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stop_is_found_at_every_offset_and_length() {
        for length in 0..100 {
            let mut bytes = vec![b'a'; length];
            assert_eq!(find(&bytes, |byte| byte == b'x'), length);
            for at in (0..length).rev() {
                bytes[at] = b'x';
                assert_eq!(find(&bytes, |byte| byte == b'x'), at);
            }
        }
    }

    #[test]
    fn plain_bytes_are_counted_at_every_length() {
        for length in 0..200 {
            let mut bytes = vec![b'a'; length];
            assert_eq!(plain(&bytes), length);
            for at in (0..length).rev() {
                bytes[at] = b'"';
                assert_eq!(plain(&bytes), at);
            }
        }
    }

    #[test]
    fn of_sixteen_bytes_the_first_is_found_that_is_no_digit_or_not_plain() {
        for at in 0..LANES {
            for byte in 0..=u8::MAX {
                for beyond in [0, b'5', b'"', 0x80, 0xff] {
                    let mut bytes = [beyond; LANES];
                    bytes[..at].fill(b'9');
                    bytes[at] = byte;
                    let expected =
                        |stop: fn(u8) -> bool| bytes.iter().position(|&byte| stop(byte)).unwrap_or(LANES);
                    assert_eq!(leading_digits(&bytes), expected(|byte| !byte.is_ascii_digit()), "{bytes:?}");
                    assert_eq!(
                        leading_plain(&bytes),
                        expected(|byte| special(byte) || !byte.is_ascii()),
                        "{bytes:?}"
                    );
                }
            }
        }
    }
}
