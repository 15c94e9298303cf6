//! What the fuzz targets do with their input: each a function of any bytes. Where a rule is broken it panics,
//! which is what a fuzzer looks for.
//!
//! The entries for the fuzzer are in `fuzz/`, which ordinary builds leave out. The functions are here so that `cargo test`
//! replays the corpora without a fuzzer. Every input is the bytes themselves, as they would come from a socket or a file, so
//! recorded conversations are good seeds; whatever else a target needs, such as where to cut, follows from the bytes.

mod connection;
mod cuts;
mod decoder;
mod devices;
mod handshake;
mod keys;
mod lab;
mod terminal;
mod world;

pub use connection::connection;
pub use decoder::decoder;
pub use devices::{client, service};
pub use handshake::handshake;
pub use keys::keys;
pub use terminal::terminal;
pub use world::world;

/// The name of a target and of its corpus, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 8] = [
    ("client", client),
    ("connection", connection),
    ("decoder", decoder),
    ("handshake", handshake),
    ("keys", keys),
    ("service", service),
    ("terminal", terminal),
    ("world", world),
];
