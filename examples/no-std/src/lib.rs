//! A Manager in a C program, without Rust's standard library: the core needs memory and atomics, nothing else.
//!
//! There is one function for C, in `main.c`. It lets one device talk to a Manager that lives for as long as the call, which is
//! enough to link everything that a real one would use. All `unsafe` code of the project is in this example: an allocator, and
//! the border to C.

#![no_std]

extern crate alloc;

mod memory;

use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::slice;

use bytes::Bytes;
use msl_network_protocol::connection::Action;
use msl_network_protocol::hub::{Hub, Input, Output};
use msl_network_protocol::settings::ManagerIdentity;
use msl_network_protocol::instant::Instant;
use msl_network_protocol::limits::Limits;
use msl_network_protocol::mailbox::{ConnectionId, Notice};
use msl_network_protocol::settings::{Authentication, Settings};

/// Connects one device to a new Manager, gives it the bytes at `input`, and copies what the Manager says to `output`, as far as
/// there is room. Returns how many bytes the Manager said, room or not.
///
/// # Safety
/// `input` points to `input_length` readable bytes, `output` to `output_room` writable ones, and the two do not overlap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn msl_network_converse(
    input: *const u8,
    input_length: usize,
    output: *mut u8,
    output_room: usize,
) -> usize {
    // SAFETY: the caller vouches for both, as said above.
    let (input, output) = unsafe {
        (slice::from_raw_parts(input, input_length), slice::from_raw_parts_mut(output, output_room))
    };
    let said = converse(Bytes::copy_from_slice(input));
    let copied = said.len().min(output.len());
    output[..copied].copy_from_slice(&said[..copied]);
    said.len()
}

fn converse(input: Bytes) -> Vec<u8> {
    let identity = ManagerIdentity {
        hostname: "board".into(),
        port: 1875,
        language: "Rust, without std".into(),
        os: "none".into(),
    };
    // Time is what the caller says it is: here it stands still.
    let now = Instant::EPOCH;
    let mut hub = Hub::new(Settings::new(identity, Authentication::None, Limits::for_memory(64 * 1024)));
    let mut outputs = Vec::new();
    let device = hub.connect(Ipv4Addr::LOCALHOST.into(), 50_000, now, &mut outputs);
    if outputs.contains(&Output::Act(device, Action::LookUpHost)) {
        hub.handle(device, Input::Told(Notice::HostName("board".into())), now, &mut outputs);
    }
    let mut said = lines(&mut hub, device);
    hub.handle(device, Input::Received(input), now, &mut outputs);
    said.extend(lines(&mut hub, device));
    said
}

/// What the Manager has for the device. It counts as held until the device has it; this device takes all at once.
fn lines(hub: &mut Hub, device: ConnectionId) -> Vec<u8> {
    let mut said = Vec::new();
    while let Some(line) = hub.next_line(device) {
        said.extend_from_slice(&line.to_bytes());
    }
    let taken = Input::Written { bytes: said.len(), pending: 0 };
    hub.handle(device, taken, Instant::EPOCH, &mut Vec::new());
    said
}
