//! The loops that most bytes pass through: how far until a byte that matters?
//!
//! Long strings are tested 32 bytes at a time, what a compiler turns into a few vector instructions. Names, uids and digits are
//! short: there a word of eight bytes is tested, and says where the byte is.

/// Tested at once in a long run.
const BLOCK: usize = 32;

/// Tested at once in a short one.
pub(super) const WORD: usize = size_of::<u64>();

/// So many bytes are a short run.
const SHORT: usize = 8 * WORD;

/// The high bit of each byte.
const HIGH: u64 = each(0x80);

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
    let mut at = 0;
    while at < SHORT
        && let Some(word) = bytes[at..].first_chunk()
    {
        let count = leading_plain(u64::from_le_bytes(*word));
        at += count;
        if count < WORD {
            return at;
        }
    }
    at + find(&bytes[at..], |byte| special(byte) | !byte.is_ascii())
}

/// What ends a run of plain string bytes.
#[expect(clippy::needless_bitwise_bool, reason = "without branches it is tested for many bytes at once")]
pub(super) fn special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20)
}

/// How many bytes of a word are plain before the first that is not; the lowest byte is the first.
#[inline]
fn leading_plain(word: u64) -> usize {
    // The high bit of each byte below a limit. Bytes above one that is may be wrong, as it borrows from them; the first is right.
    let below = |word: u64, limit: u8| word.wrapping_sub(each(limit)) & !word;
    let others = below(word, 0x20) | below(word ^ each(b'"'), 1) | below(word ^ each(b'\\'), 1) | word;
    (others & HIGH).trailing_zeros() as usize / WORD
}

/// How many bytes of a word are digits before the first that is none; the lowest byte is the first.
#[inline]
pub(super) fn leading_digits(word: u64) -> usize {
    // 0 to 9 for digits; the sum has the high bit where it is more, and no byte of it carries into the next.
    let values = word ^ each(b'0');
    let others = ((values & !HIGH) + each(0x7f - 9)) | values;
    (others & HIGH).trailing_zeros() as usize / WORD
}

const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; WORD])
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
    fn a_word_says_where_the_first_byte_is_that_is_no_digit_or_not_plain() {
        for first in 0..WORD {
            for other in 0..=u8::MAX {
                for beyond in [0, b'5', b'"', 0x80, 0xff] {
                    let mut bytes = [beyond; WORD];
                    bytes[..first].fill(b'9');
                    bytes[first] = other;
                    let expected =
                        |stop: fn(u8) -> bool| bytes.iter().position(|&byte| stop(byte)).unwrap_or(WORD);
                    let word = u64::from_le_bytes(bytes);
                    assert_eq!(leading_digits(word), expected(|byte| !byte.is_ascii_digit()), "{bytes:?}");
                    assert_eq!(
                        leading_plain(word),
                        expected(|byte| special(byte) || !byte.is_ascii()),
                        "{bytes:?}"
                    );
                }
            }
        }
    }
}
