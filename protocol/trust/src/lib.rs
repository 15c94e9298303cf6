//! What devices keep and ask on the computer they run on: the certificates that they trust, the home folder where those are,
//! and what they say of the computer itself.
//!
//! There are no sockets here and no runtime. A runtime crate makes a [`Handshake`] for each connection, hands its
//! configuration to its TLS stream, and asks it afterwards what is to be done about a certificate that is not known yet.
//! A Manager shares the [`Home`] and the way in which [files](mod@file) are written.
//!
//! Easy to get wrong: a Manager's certificate is its own authority. Libraries that follow the rules of the web to the letter
//! refuse such certificates, depending on how they were made; so one that is kept is compared with, byte by byte.

pub mod certificate;
pub mod computer;
pub mod file;
pub mod handshake;
pub mod home;
mod verifier;

pub use handshake::{FirstUse, Handshake};
pub use home::{Home, NoHome};
