//! A line's bytes as slices of the buffers they were read into.
//!
//! A line may be a gigabyte long: it is never one allocation and is never copied to grow. Cloning and slicing copy no
//! bytes. Easy to get wrong: a small slice keeps its whole buffer alive, so what waits for long should be
//! [compacted](Rope::compact).

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, mem, ops::Range};

use bytes::{Buf, Bytes};

/// Bytes in one or more chunks, in order. No chunk is empty.
///
/// It is a [`Buf`], so that what a socket has taken can be taken off in front.
#[derive(Clone, Default)]
pub struct Rope {
    /// Empty only when the rope is.
    first: Bytes,
    /// What comes behind it.
    #[expect(clippy::box_collection, reason = "what is moved about is nearly always a line in one piece")]
    rest: Option<Box<VecDeque<Bytes>>>,
    len: usize,
}

impl Rope {
    /// A rope without bytes.
    pub const fn new() -> Self {
        Self { first: Bytes::new(), rest: None, len: 0 }
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Are there no bytes?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts a chunk at the end. An empty one is ignored.
    pub fn push(&mut self, chunk: Bytes) {
        if chunk.is_empty() {
            return;
        }
        self.len += chunk.len();
        if self.first.is_empty() {
            self.first = chunk;
        } else {
            self.rest.get_or_insert_default().push_back(chunk);
        }
    }

    /// Puts another rope's chunks at the end.
    pub fn append(&mut self, other: Self) {
        if self.is_empty() {
            *self = other; // also where that is a long list
        } else {
            other.into_chunks().for_each(|chunk| self.push(chunk));
        }
    }

    /// The chunks in order; none is empty.
    pub fn chunks(&self) -> impl Iterator<Item = &Bytes> {
        let first = Some(&self.first).filter(|first| !first.is_empty());
        first.into_iter().chain(self.rest.iter().flat_map(|rest| rest.iter()))
    }

    /// The chunks in order, taken out; none is empty.
    pub fn into_chunks(self) -> impl Iterator<Item = Bytes> {
        let first = Some(self.first).filter(|first| !first.is_empty());
        first.into_iter().chain(self.rest.into_iter().flat_map(|rest| *rest))
    }

    /// A part of the rope, without a copy. What the range asks for beyond the end is left out.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        if self.is_in_one_piece() {
            let end = range.end.min(self.len);
            return Self::from(self.first.slice(range.start.min(end)..end));
        }
        let mut slice = Self::new();
        for (chunk, part) in self.parts(range) {
            slice.push(chunk.slice(part));
        }
        slice
    }

    /// The bytes of a part in one piece; copied only when they are in several. What the range asks for beyond the end is left out.
    pub fn view(&self, range: Range<usize>) -> Cow<'_, [u8]> {
        if let Some(bytes) = self.first.get(range.clone()) {
            return Cow::Borrowed(bytes);
        }
        let mut copy = Vec::with_capacity(range.len().min(self.len));
        self.copy_to(range, &mut copy);
        Cow::Owned(copy)
    }

    /// The bytes of a part in one piece, to be kept; copied only when they are in several. What the range asks for beyond the end
    /// is left out.
    pub(crate) fn bytes(&self, range: Range<usize>) -> Bytes {
        if range.start <= range.end && range.end <= self.first.len() {
            return self.first.slice(range);
        }
        self.slice(range).to_bytes()
    }

    /// All bytes in one piece; copied only when they are in several.
    pub fn to_bytes(&self) -> Bytes {
        if self.is_in_one_piece() { self.first.clone() } else { Bytes::from(self.copied()) }
    }

    /// The list of what comes behind the first chunk may be there although it is empty by now.
    pub(super) fn is_in_one_piece(&self) -> bool {
        self.first.len() == self.len
    }

    /// Copies the bytes into one allocation of just their size, so that a small line does not keep a big read buffer
    /// alive. Costs a copy even if the rope is in one piece: whether it shares its buffer cannot be seen.
    pub fn compact(&mut self) {
        if !self.is_empty() {
            *self = Self::from(self.copied());
        }
    }

    fn copied(&self) -> Vec<u8> {
        let mut copy = Vec::with_capacity(self.len);
        self.copy_to(0..self.len, &mut copy);
        copy
    }

    /// Appends a part of the rope to a buffer. What the range asks for beyond the end is left out.
    pub(crate) fn copy_to(&self, range: Range<usize>, buffer: &mut Vec<u8>) {
        if let Some(bytes) = self.first.get(range.clone()) {
            return buffer.extend_from_slice(bytes); // in one piece, as nearly always
        }
        for (chunk, part) in self.parts(range) {
            buffer.extend_from_slice(&chunk[part]);
        }
    }

    /// The parts of chunks that a range of the rope consists of.
    fn parts(&self, range: Range<usize>) -> impl Iterator<Item = (&Bytes, Range<usize>)> {
        let mut end = 0;
        self.chunks()
            .map(move |chunk| {
                let start = end;
                end += chunk.len();
                (chunk, start)
            })
            .take_while(move |(_, start)| *start < range.end)
            .map(move |(chunk, start)| {
                let inside = |at: usize| at.saturating_sub(start).min(chunk.len());
                (chunk, inside(range.start)..inside(range.end))
            })
            .filter(|(_, part)| !part.is_empty())
    }

    /// The last byte.
    pub(super) fn last(&self) -> Option<u8> {
        self.rest.as_ref().and_then(|rest| rest.back()).unwrap_or(&self.first).last().copied()
    }

    /// Takes the last byte off.
    pub(super) fn drop_last(&mut self) {
        let Self { first, rest, len } = self;
        let chunk = rest.as_mut().and_then(|rest| rest.back_mut()).unwrap_or(first);
        let Some(shorter) = chunk.len().checked_sub(1) else { return };
        chunk.truncate(shorter);
        *len -= 1;
        if shorter == 0
            && let Some(rest) = rest
        {
            rest.pop_back();
        }
    }

    /// Memory that the list of chunks takes, without the chunks.
    pub(super) fn overhead(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| rest.capacity() * mem::size_of::<Bytes>())
    }
}

/// [`Buf::advance`] goes no further than the end.
impl Buf for Rope {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        &self.first
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        let pairs = slices.iter_mut().zip(self.chunks());
        pairs.map(|(slice, chunk)| *slice = std::io::IoSlice::new(chunk)).count()
    }

    fn advance(&mut self, count: usize) {
        let mut left = count.min(self.len);
        self.len -= left;
        while left >= self.first.len() && !self.first.is_empty() {
            left -= self.first.len();
            self.first = self.rest.as_mut().and_then(|rest| rest.pop_front()).unwrap_or_default();
        }
        self.first.advance(left);
    }
}

impl From<Bytes> for Rope {
    fn from(chunk: Bytes) -> Self {
        Self { len: chunk.len(), first: chunk, rest: None }
    }
}

impl From<Vec<u8>> for Rope {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Bytes::from(bytes))
    }
}

impl From<String> for Rope {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<&'static str> for Rope {
    fn from(text: &'static str) -> Self {
        Self::from(Bytes::from_static(text.as_bytes()))
    }
}

impl From<&'static [u8]> for Rope {
    fn from(bytes: &'static [u8]) -> Self {
        Self::from(Bytes::from_static(bytes))
    }
}

/// Ropes are equal when their bytes are, however these are cut.
impl PartialEq for Rope {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.chunks().flatten().eq(other.chunks().flatten())
    }
}

impl Eq for Rope {}

impl fmt::Debug for Rope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.chunks()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rope(chunks: &[&'static str]) -> Rope {
        let mut rope = Rope::new();
        for chunk in chunks {
            rope.push(Bytes::from_static(chunk.as_bytes()));
        }
        rope
    }

    #[test]
    fn empty_chunks_are_ignored() {
        let mut rope = rope(&["", "ab", "", "c"]);
        rope.append(Rope::new());
        assert_eq!(rope.len(), 3);
        assert_eq!(rope.chunks().count(), 2);
        assert_eq!(rope.into_chunks().map(|chunk| chunk.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(Rope::new().chunks().count(), 0);
    }

    #[test]
    fn a_slice_is_the_same_bytes_without_a_copy() {
        let whole = rope(&["abc", "d", "efgh"]);
        for start in 0..=9 {
            for end in 0..=9 {
                let expected = "abcdefgh".get(start..end.min(8)).unwrap_or("");
                assert_eq!(whole.slice(start..end).to_bytes(), expected);
                assert_eq!(whole.bytes(start..end), expected);
            }
        }
        assert_eq!(whole.slice(1..2).first.as_ptr(), whole.first[1..].as_ptr());
        assert_eq!(whole.bytes(1..3).as_ptr(), whole.first[1..].as_ptr());
    }

    #[test]
    fn one_chunk_becomes_bytes_without_a_copy() {
        let single = rope(&["abc"]);
        assert_eq!(single.to_bytes().as_ptr(), single.first.as_ptr());
        assert_eq!(rope(&["abc", "def"]).to_bytes(), "abcdef");
    }

    #[test]
    fn so_does_what_is_left_of_several() {
        let mut line = rope(&["abc", "d"]);
        line.drop_last();
        assert_eq!(line.to_bytes().as_ptr(), line.first.as_ptr());
        assert_eq!(line.slice(1..3).first.as_ptr(), line.first[1..].as_ptr());
        let mut line = rope(&["abc", "d"]);
        line.advance(3);
        assert_eq!(line.to_bytes().as_ptr(), line.first.as_ptr());
    }

    #[test]
    fn a_compact_rope_no_longer_shares_its_buffer() {
        let buffer = Bytes::from(vec![b'x'; 65536]);
        let mut line = Rope::from(buffer.slice(10..13));
        line.compact();
        assert!(buffer.is_unique());
        assert_eq!(line.to_bytes(), "xxx");
    }

    #[test]
    fn what_was_taken_comes_off_in_front_however_it_is_cut() {
        for taken in 0..=10 {
            let mut line = rope(&["abc", "d", "efgh"]);
            line.advance(taken);
            assert_eq!(line.to_bytes(), &"abcdefgh"[taken.min(8)..]);
            assert_eq!(line.remaining(), line.to_bytes().len());
            assert!(line.chunks().all(|chunk| !chunk.is_empty()));
        }
    }

    #[cfg(feature = "std")]
    #[test]
    fn as_many_chunks_as_fit_are_handed_over_together() {
        let line = rope(&["abc", "d", "efgh"]);
        for (room, expected) in [(0, ""), (2, "abcd"), (5, "abcdefgh")] {
            let mut slices = vec![std::io::IoSlice::new(&[]); room];
            let count = line.chunks_vectored(&mut slices);
            let handed: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
            assert_eq!(handed, expected.as_bytes());
        }
    }

    #[test]
    fn equality_looks_at_bytes_not_at_cuts() {
        assert_eq!(rope(&["ab", "c"]), rope(&["a", "bc"]));
        assert_ne!(rope(&["ab", "c"]), rope(&["a", "bd"]));
        assert_ne!(rope(&["ab"]), rope(&["a"]));
    }

    #[test]
    fn the_last_byte_can_be_taken_off_until_nothing_is_left() {
        let mut line = rope(&["ab", "c"]);
        for left in ["ab", "a", "", ""] {
            line.drop_last();
            assert_eq!(line, rope(&[left]));
            assert_eq!(line.last(), left.bytes().last());
        }
    }
}
