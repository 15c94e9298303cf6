//! Where the pieces of an incomplete line wait for the rest.
//!
//! Small pieces are copied together, so that a line that comes byte by byte is no chain of one-byte chunks and nobody
//! keeps a read buffer alive with three bytes of it. Large pieces are kept as they are. Easy to get wrong: what counts
//! against the memory budget is the room taken, not the bytes shown.

use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

use super::rope::Rope;

/// Pieces below this size are copied together into chunks of this size. With the usual read buffers of 64 KiB a
/// piece that is kept as a slice holds at most four times its size.
pub(super) const GATHER: usize = 16 * 1024;

/// The bytes of an incomplete line.
#[derive(Debug, Default)]
pub(super) struct Gather {
    rope: Rope,
    /// Comes after the rope; shorter than `GATHER`.
    tail: Vec<u8>,
}

impl Gather {
    pub(super) fn len(&self) -> usize {
        self.rope.len() + self.tail.len()
    }

    /// Memory taken, in bytes.
    pub(super) fn held(&self) -> usize {
        self.rope.len() + self.rope.overhead() + self.tail.capacity()
    }

    pub(super) fn push(&mut self, piece: Bytes) {
        if piece.len() < GATHER {
            self.copy(&piece);
        } else {
            self.flush();
            self.rope.push(piece);
        }
    }

    /// The line, with its last piece. A line that came in one piece is that piece, not a copy.
    pub(super) fn finish(&mut self, last: Bytes) -> Rope {
        if self.len() == 0 {
            return Rope::from(last);
        }
        self.push(last);
        self.flush();
        mem::take(&mut self.rope)
    }

    fn copy(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.tail.capacity() == 0 && !self.rope.is_empty() {
                self.tail.reserve_exact(GATHER); // the line is long: no need to feel the way up
            }
            let (now, later) = bytes.split_at(bytes.len().min(GATHER - self.tail.len()));
            self.tail.extend_from_slice(now);
            if self.tail.len() == GATHER {
                self.flush();
            }
            bytes = later;
        }
    }

    /// Moves the tail to the rope, without the room that it has to spare.
    fn flush(&mut self) {
        let mut tail = mem::take(&mut self.tail);
        tail.shrink_to_fit();
        self.rope.push(Bytes::from(tail));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_come_one_by_one_become_chunks_of_the_gathering_size() {
        let mut gather = Gather::default();
        for _ in 0..3 * GATHER + 5 {
            gather.push(Bytes::from_static(b"x"));
            assert!(gather.held() <= gather.len() + GATHER + 1024);
        }
        let rope = gather.finish(Bytes::from_static(b"yz"));
        assert_eq!(rope.chunks().map(Bytes::len).collect::<Vec<_>>(), [GATHER, GATHER, GATHER, 7]);
        assert_eq!((gather.len(), gather.held()), (0, 0));
    }

    #[test]
    fn large_pieces_are_kept_small_ones_copied() {
        let buffer = Bytes::from(vec![b'x'; 4 * GATHER]);
        let mut gather = Gather::default();
        gather.push(buffer.slice(..3));
        gather.push(buffer.slice(3..3 + GATHER));
        let rope = gather.finish(buffer.slice(3 + GATHER..GATHER + 10));
        let chunks: Vec<&Bytes> = rope.chunks().collect();
        assert_eq!(chunks.iter().map(|chunk| chunk.len()).collect::<Vec<_>>(), [3, GATHER, 7]);
        assert_eq!(chunks[1].as_ptr(), buffer[3..].as_ptr());
        assert_ne!(chunks[0].as_ptr(), buffer.as_ptr());
    }

    #[test]
    fn gathered_pieces_take_no_more_room_than_they_need() {
        let mut gather = Gather::default();
        for piece in [&[b'x'; 100][..], &[b'x'; GATHER], &[b'x'; 30], &[b'x'; GATHER], &[b'x'; 70]] {
            gather.push(Bytes::copy_from_slice(piece));
        }
        for chunk in gather.finish(Bytes::from_static(b"xyz")).into_chunks() {
            let len = chunk.len();
            assert_eq!(chunk.try_into_mut().expect("nobody else has it").capacity(), len);
        }
    }

    #[test]
    fn a_line_in_one_piece_is_not_copied() {
        let piece = Bytes::from(vec![b'x'; 10]);
        let rope = Gather::default().finish(piece.clone());
        assert_eq!(rope.to_bytes().as_ptr(), piece.as_ptr());
    }
}
