//! What the standard library would have brought: memory, and what happens at a panic.
//!
//! The allocator hands out one array from its beginning to its end and takes nothing back: right for an example that runs
//! once, and short enough to be believed.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

const SIZE: usize = 1024 * 1024;

struct Arena {
    bytes: UnsafeCell<[u8; SIZE]>,
    /// Where the free part begins.
    free: AtomicUsize,
}

// SAFETY: the array is only reached through `alloc`, which never hands out the same byte twice.
unsafe impl Sync for Arena {}

// SAFETY: every block is aligned, lies inside the array, and overlaps no other.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.bytes.get().cast::<u8>();
        let mut start = 0;
        let place = |free: usize| {
            start = free + (base as usize + free).wrapping_neg() % layout.align();
            start.checked_add(layout.size()).filter(|end| *end <= SIZE)
        };
        match self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, place) {
            // SAFETY: `start` is inside the array: the block behind it ends there at the latest.
            Ok(_) => unsafe { base.add(start) },
            Err(_) => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
}

#[global_allocator]
static ARENA: Arena = Arena { bytes: UnsafeCell::new([0; SIZE]), free: AtomicUsize::new(0) };

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// The `alloc` that comes with the compiler was built to unwind and refers to this by name. Nothing unwinds here.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
