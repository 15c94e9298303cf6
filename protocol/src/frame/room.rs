//! Memory for what came in several pieces and has to be in one: it goes round.
//!
//! An allocator gives memory of tens of kilobytes back to the system each time, and gets it as new pages. Easy to get wrong: a
//! short copy keeps all of the room alive. So there is one room only, of a fixed size; where it is in use, or is too small, a
//! copy has memory of its own.

use bytes::{Bytes, BytesMut};

use super::rope::Rope;

/// In bytes: several arguments of the usual read buffers' size.
const SIZE: usize = 256 * 1024;

/// The room, once it was needed.
#[derive(Debug, Default)]
pub(crate) struct Room(Option<BytesMut>);

impl Room {
    /// All bytes of a rope in one piece; copied only when they are in several.
    pub(super) fn put_together(&mut self, rope: &Rope) -> Bytes {
        if rope.is_in_one_piece() {
            return rope.to_bytes();
        }
        let room = self.0.get_or_insert_with(|| BytesMut::with_capacity(SIZE));
        if room.capacity() < rope.len() && !room.try_reclaim(rope.len()) {
            return rope.to_bytes();
        }
        rope.chunks().for_each(|chunk| room.extend_from_slice(chunk));
        room.split().freeze()
    }
}
