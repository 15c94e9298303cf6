//! Where every decision of a world comes from: a string of bytes, and nothing else.
//!
//! A scenario reads the bytes one after the other; behind their end all are 0, and a choice of 0 is the plainest one. So a
//! string with bytes taken out or lowered is a scenario, too, mostly a simpler one: that is all that shrinking needs, and
//! a fuzzer can work on it.

use std::cell::Cell;

/// The bytes of the settings in front of the steps.
pub(crate) const HEADER: usize = 8;

/// The bytes of a step.
pub(crate) const STEP: usize = 4;

/// The most steps that are taken out of a string; further bytes are left alone. A fuzzer's input may be long.
pub(crate) const MOST_STEPS: usize = 400;

/// Reads a scenario.
#[derive(Debug)]
pub(crate) struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    /// From the beginning.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The next so many bytes; 0 for what is behind the end.
    pub(crate) fn take<const N: usize>(&mut self) -> [u8; N] {
        let (here, rest) = self.bytes.split_at(N.min(self.bytes.len()));
        self.bytes = rest;
        let mut taken = [0; N];
        taken[..here.len()].copy_from_slice(here);
        taken
    }

    /// Whether all have been taken.
    pub(crate) fn is_over(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// The string of a seed: between 10 and 90 steps.
pub fn bytes_of(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let length = HEADER + STEP * usize::try_from(10 + next(&mut state) % 81).expect("it is below 91");
    (0..length).map(|_| next(&mut state).to_le_bytes()[0]).collect()
}

/// What is too small to be worth a byte: which of the tasks that were woken is next, how many bytes one read gives. Each step
/// sets it anew with a byte of its own, so that a step that is taken out leaves the others as they were.
#[derive(Debug, Default)]
pub(crate) struct Chance(Cell<u64>);

impl Chance {
    /// From now on as this byte says; 0 always chooses the plainest.
    pub(crate) fn set(&self, byte: u8) {
        self.0.set(u64::from(byte));
    }

    /// A number below `count`, which is not 0.
    pub(crate) fn below(&self, count: usize) -> usize {
        let mut state = self.0.get();
        if state == 0 || count < 2 {
            return 0;
        }
        let drawn = next(&mut state);
        // 0 would be the end of chance.
        self.0.set(state | 1 << 63);
        usize::try_from(drawn % count as u64).unwrap_or_default()
    }
}

/// The generator `splitmix64`: small, and the same everywhere.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
