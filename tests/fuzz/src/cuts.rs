//! The same bytes in several pieces, as a socket may give them.

/// Pieces of 1 to 64 bytes, whose lengths follow from the bytes.
pub(crate) fn pieces(mut data: &[u8]) -> Vec<&[u8]> {
    let mut state = data.iter().fold(1_u32, |state, &byte| state.wrapping_mul(31).wrapping_add(byte.into()));
    let mut pieces = Vec::new();
    while !data.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (piece, rest) = data.split_at(data.len().min((state >> 26) as usize + 1));
        pieces.push(piece);
        data = rest;
    }
    pieces
}

/// Checks that what comes of the bytes does not depend on how they are cut.
pub(crate) fn same_in_every_cut<T: PartialEq + std::fmt::Debug>(data: &[u8], play: impl Fn(&[&[u8]]) -> T) {
    let whole = play(&[data]);
    assert_eq!(play(&data.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    assert_eq!(play(&pieces(data)), whole, "in pieces");
}
