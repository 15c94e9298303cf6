//! MSL-Network on smol: **not there yet**.
//!
//! This crate will have the public names of `msl-network-tokio`: a listener, a socket that is a `Wire`, and `serve`, over
//! smol's streams, with TLS by `futures-rustls`. All rules of the protocol are in `msl-network-protocol`, so little is
//! missing. Until then the crate is empty on purpose, and `msl-network-tokio` is the runtime to use.
