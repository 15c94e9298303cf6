//! A whole laboratory, whose every choice is a byte.
//!
//! The rules are those of the reference model in `msl-network-world`.

/// The scenario in these bytes.
pub fn world(data: &[u8]) {
    if let Err(failure) = msl_network_world::check(data, false) {
        panic!("{failure}");
    }
}
