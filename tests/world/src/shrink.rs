//! Makes a failing scenario small: takes out bytes and lowers them, for as long as it fails.

use crate::choices::{HEADER, STEP};

/// The smallest scenario that was found to fail, from one that does.
pub fn shrink(bytes: &[u8], fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut smallest = bytes.to_vec();
    loop {
        let before = smallest.clone();
        take_out(&mut smallest, &fails);
        lower(&mut smallest, &fails);
        if smallest == before {
            return smallest;
        }
    }
}

/// Takes out steps: many at a time first, then fewer.
fn take_out(bytes: &mut Vec<u8>, fails: &impl Fn(&[u8]) -> bool) {
    let mut count = (bytes.len() / STEP).next_power_of_two();
    while count > 0 {
        // From behind: what comes later depends on what came before, not the other way round.
        let mut end = bytes.len();
        while end > HEADER {
            let begin = end.saturating_sub(count * STEP).max(HEADER);
            let mut fewer = bytes.clone();
            fewer.drain(begin..end);
            if fails(&fewer) {
                *bytes = fewer;
            }
            end = begin;
        }
        count /= 2;
    }
}

/// Lowers each byte: to 0, or else to half.
fn lower(bytes: &mut [u8], fails: &impl Fn(&[u8]) -> bool) {
    for at in 0..bytes.len() {
        let old = bytes[at];
        for lower in [0, old / 4, old / 2, old.saturating_sub(16), old.saturating_sub(1)] {
            if lower < old {
                bytes[at] = lower;
                if fails(bytes) {
                    break;
                }
                bytes[at] = old;
            }
        }
    }
}
