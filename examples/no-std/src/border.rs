//! The border to C: here the pointers of `main.c` end.
//!
//! A Manager and a service live until the program ends; nothing takes them back.

use alloc::boxed::Box;
use core::slice;

use bytes::Bytes;
use msl_network_protocol::mailbox::ConnectionId;

use crate::manager::Manager;
use crate::service::Service;

#[unsafe(no_mangle)]
extern "C" fn manager_new() -> *mut Manager {
    Box::into_raw(Box::new(Manager::new()))
}

/// A device connects; its number is returned.
///
/// # Safety
/// `manager` is of [`manager_new`], and nobody else uses it meanwhile.
#[unsafe(no_mangle)]
unsafe extern "C" fn manager_connect(manager: *mut Manager, port: u16) -> u64 {
    // SAFETY: the caller vouches for it, as said above.
    unsafe { &mut *manager }.connect(port).0
}

/// The Manager gets what the device has sent.
///
/// # Safety
/// `manager` as above; `bytes` points to `length` bytes that can be read.
#[unsafe(no_mangle)]
unsafe extern "C" fn manager_hears(manager: *mut Manager, device: u64, bytes: *const u8, length: usize) {
    // SAFETY: the caller vouches for both, as said above.
    let (manager, bytes) = unsafe { (&mut *manager, slice::from_raw_parts(bytes, length)) };
    manager.hears(ConnectionId(device), bytes);
}

/// Copies the Manager's next line for the device, or several that came together, to `room`; what does not fit is lost. Returns how
/// many bytes were copied; 0 if there is no line.
///
/// # Safety
/// `manager` as above; `room` points to `size` bytes that can be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn manager_says(manager: *mut Manager, device: u64, room: *mut u8, size: usize) -> usize {
    // SAFETY: the caller vouches for both, as said above.
    let (manager, room) = unsafe { (&mut *manager, slice::from_raw_parts_mut(room, size)) };
    copy(manager.says(ConnectionId(device)), room)
}

#[unsafe(no_mangle)]
extern "C" fn service_new() -> *mut Service {
    Box::into_raw(Box::new(Service::new()))
}

/// The service gets what the Manager has sent.
///
/// # Safety
/// `service` is of [`service_new`], and nobody else uses it meanwhile; `bytes` points to `length` bytes that can be read.
#[unsafe(no_mangle)]
unsafe extern "C" fn service_hears(service: *mut Service, bytes: *const u8, length: usize) {
    // SAFETY: the caller vouches for both, as said above.
    let (service, bytes) = unsafe { (&mut *service, slice::from_raw_parts(bytes, length)) };
    service.hears(bytes);
}

/// Copies the service's next line to `room`; what does not fit is lost. Returns how many bytes were copied; 0 if there is no
/// line.
///
/// # Safety
/// `service` as above; `room` points to `size` bytes that can be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn service_says(service: *mut Service, room: *mut u8, size: usize) -> usize {
    // SAFETY: the caller vouches for both, as said above.
    let (service, room) = unsafe { (&mut *service, slice::from_raw_parts_mut(room, size)) };
    copy(service.says(), room)
}

fn copy(line: Option<Bytes>, room: &mut [u8]) -> usize {
    let line = line.unwrap_or_default();
    let fits = line.len().min(room.len());
    room[..fits].copy_from_slice(&line[..fits]);
    fits
}
