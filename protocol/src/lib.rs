//! The protocol of MSL-Network as pure state machines.
//!
//! A *Manager* links *clients* (the scripts of scientists) with *services* (an instrument each): one JSON object per line,
//! over TCP or TLS. This crate holds everything of that which is not a socket. It reads no clock, starts no thread, draws no
//! random number; bytes, moments and answers go in, lines and questions come out. So the same code runs on tokio, on
//! smol, in your own event loop, in a fuzzer and in a simulation whose clock jumps.
//!
//! # Where to begin
//! - To write a client or a service, or to run a Manager on a runtime: a runtime crate such as `msl-network-tokio`, whose page
//!   begins with a program of each. `drive` and `author` are what those are made of.
//! - To run a whole Manager in your own event loop: [`hub::Hub`], as below.
//! - To read lines of the protocol, whatever for: [`frame::Decoder`].
//!
//! # A Manager in your own event loop
//! Bytes that came from a socket go in; lines to be written, and what the world outside has to do, come out.
//! ```
//! use msl_network_protocol::connection::Action;
//! use msl_network_protocol::hub::{Hub, Input, Output};
//! use msl_network_protocol::instant::Instant;
//! use msl_network_protocol::limits::Limits;
//! use msl_network_protocol::mailbox::Notice;
//! use msl_network_protocol::settings::{Authentication, ManagerIdentity, Settings};
//!
//! let identity =
//!     ManagerIdentity { hostname: "lab".into(), port: 1875, language: "Rust".into(), os: "any".into() };
//! let mut hub = Hub::new(Settings::new(identity, Authentication::None, Limits::default()));
//! let (now, mut outputs) = (Instant::EPOCH, Vec::new());
//! let device = hub.connect([127, 0, 0, 1].into(), 50_000, now, &mut outputs);
//! assert!(outputs.contains(&Output::Act(device, Action::LookUpHost)));
//! hub.handle(device, Input::Told(Notice::HostName("lab".into())), now, &mut outputs);
//! hub.handle(device, Input::Received("client Ann\nidentity\n".into()), now, &mut outputs);
//!
//! let mut said = Vec::new();
//! while let Some(line) = hub.next_lines(device) {
//!     said.push(String::from_utf8(line.to_bytes().to_vec())?);
//! }
//! assert!(said[0].contains("\"attribute\": \"identity\""), "the Manager asks who it is");
//! assert!(said[1].contains("Ann[lab:50000]"), "and tells it who is there");
//! # Ok::<(), std::string::FromUtf8Error>(())
//! ```
//!
//! # How it fits together
//! ```text
//! bytes ─▶ frame::Decoder ─▶ connection::Connection ─▶ relay::Relay ─▶ broker::Broker      who is there, who may
//!                                     ▲                     │
//!                  lines to write     └── mailbox::Mailbox ◀┘      what waits for each device
//! ```
//! [`connection`] is the Manager's side of one socket and does all work that grows with bytes; [`broker`] holds the facts
//! that connections share and sees no bytes that it need not see; [`relay`] carries what the one causes to the other.
//! [`hub`] puts many of them into one value for one thread, [`drive`] spreads them over threads.
//!
//! The rules of the wire, by section, are in `docs/wire.md`; the ideas behind the code in `docs/theory.md`; why things are
//! as they are in `docs/design.md`.
//!
//! # Features
//! `std` (default) adds [`drive`]. Without it the crate needs only `alloc` and atomics.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "std")]
pub mod author;
pub mod broker;
pub mod client;
pub mod connection;
pub mod device;
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
pub mod service;
pub mod settings;
pub mod terminal;
#[cfg(test)]
mod testing;
