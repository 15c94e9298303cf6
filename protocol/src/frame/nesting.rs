//! Which brackets are open: one bit a level, so that depth costs neither stack nor heap.

/// How deep a frame may be nested; the object at the top is level 1 (docs/wire.md section 1).
///
/// Python's parser gives up near 985 levels, and an invalid frame would end a Python receiver.
pub const MAX_DEPTH: usize = 512;

const WORD: usize = u64::BITS as usize;

/// The open brackets of a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Nesting {
    /// Bit `n` of the whole tells whether level `n + 1` is an object.
    objects: [u64; MAX_DEPTH / WORD],
    depth: usize,
}

impl Nesting {
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Opens a bracket; false when that would be too deep.
    #[must_use]
    pub(super) fn open(&mut self, object: bool) -> bool {
        if self.depth == MAX_DEPTH {
            return false;
        }
        let (word, bit) = (self.depth / WORD, 1 << (self.depth % WORD));
        if object {
            self.objects[word] |= bit;
        } else {
            self.objects[word] &= !bit;
        }
        self.depth += 1;
        true
    }

    /// Closes all brackets.
    pub(super) fn clear(&mut self) {
        self.depth = 0;
    }

    /// Closes the innermost bracket, if there is one.
    pub(super) fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Is the innermost open bracket an object's?
    pub(super) fn in_object(&self) -> bool {
        self.depth.checked_sub(1).is_some_and(|level| self.objects[level / WORD] >> (level % WORD) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_DEPTH, Nesting};

    #[test]
    fn brackets_close_in_the_reverse_order_of_opening() {
        let is_object = |level: usize| level.is_multiple_of(3) || level.is_multiple_of(7);
        let mut nesting = Nesting::default();
        for _ in 0..2 {
            for level in 0..MAX_DEPTH {
                assert!(nesting.open(is_object(level)));
            }
            assert!(!nesting.open(true));
            for level in (0..MAX_DEPTH).rev() {
                assert_eq!(nesting.in_object(), is_object(level));
                nesting.close();
            }
            assert_eq!(nesting.depth(), 0);
            assert!(!nesting.in_object());
        }
    }
}
