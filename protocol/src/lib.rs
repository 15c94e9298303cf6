//! The protocol of MSL-Network as pure state machines.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod broker;
pub mod connection;
#[cfg(feature = "std")]
pub mod drive;
pub mod error;
pub mod frame;
pub mod hub;
pub mod identity;
pub mod instant;
pub mod json;
pub mod limits;
pub mod mailbox;
pub mod message;
pub mod name;
pub mod relay;
pub mod settings;
pub mod terminal;
