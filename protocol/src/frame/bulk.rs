//! The one loop that most bytes pass through: how far until a byte that matters?

/// Tested at once; a compiler turns the test of one block into a few vector instructions.
const BLOCK: usize = 32;

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

#[cfg(test)]
mod tests {
    use super::find;

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
}
