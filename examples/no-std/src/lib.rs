//! A Manager and a service in a C program, without Rust's standard library: the core and the machines need memory and atomics,
//! nothing else.
//!
//! The C program in `main.c` is the network: it carries bytes between the two. What is here could run as well on two boards, with
//! a wire between them. All `unsafe` code of the project is in this example: an allocator, and the border to C.

#![no_std]

extern crate alloc;

mod border;
mod manager;
mod memory;
mod service;
