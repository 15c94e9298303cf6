//! Thousands of worlds, each with its own seed.
//!
//! What fails here is looked at with `cargo run --release -p msl-network-world -- --seed N`, which makes it smaller, too.

use std::thread;

use msl_network_world::{bytes_of, check, reached::Reached, shrink};

/// How many worlds; enough to reach every kind many times.
const SEEDS: u64 = 3000;

const THREADS: u64 = 4;

#[test]
fn every_rule_holds_whatever_happens_and_everything_happens() {
    let threads = (0..THREADS).map(|first| {
        thread::spawn(move || {
            let mut reached = Reached::default();
            for seed in (first..SEEDS).step_by(usize::try_from(THREADS).unwrap()) {
                let report = check(&bytes_of(seed), false);
                reached.merge(&report.unwrap_or_else(|failure| panic!("seed {seed}: {failure}")).reached);
            }
            reached
        })
    });
    let mut reached = Reached::default();
    for thread in threads.collect::<Vec<_>>() {
        reached.merge(&thread.join().unwrap());
    }
    println!("{reached}");
    assert_eq!(reached.missing(), [""; 0]);
}

#[test]
fn the_same_bytes_give_the_same_trace_to_the_byte() {
    for seed in 0..40 {
        let bytes = bytes_of(seed);
        let [first, second] = [(); 2].map(|()| check(&bytes, true).unwrap().trace.unwrap());
        assert!(first.lines().count() > 10, "seed {seed} has no trace");
        assert!(first == second, "seed {seed}");
    }
}

#[test]
fn any_bytes_are_a_scenario() {
    for bytes in [&[][..], &[255; 7], &[0; 8], &[255; 50]] {
        check(bytes, false).unwrap();
    }
}

#[test]
fn what_fails_is_made_small() {
    // Given that it takes a byte of 77 behind one of at least 100.
    let fails = |bytes: &[u8]| {
        let first = bytes.iter().position(|byte| *byte >= 100);
        first.is_some_and(|first| bytes[first..].contains(&77))
    };
    let seed = (0..1000).find(|seed| fails(&bytes_of(*seed))).unwrap();
    let smallest = shrink(&bytes_of(seed), fails);
    assert!(fails(&smallest));
    assert_eq!(smallest.iter().filter(|byte| **byte != 0).copied().collect::<Vec<_>>(), [100, 77]);
    assert!(smallest.len() <= 16, "{smallest:?}");
}
