//! What the fuzzer starts from, and what it has found, replayed without a fuzzer.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use msl_network_fuzz_targets::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn names(folder: &str) -> BTreeSet<String> {
    let files = fs::read_dir(fuzz().join(folder)).unwrap();
    files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn every_input_in_a_corpus_keeps_to_the_rules_of_its_target() {
    for (target, run) in TARGETS {
        let mut inputs = 0;
        for file in fs::read_dir(fuzz().join("corpus").join(target)).unwrap() {
            let path = file.unwrap().path();
            println!("{}", path.display());
            run(&fs::read(path).unwrap());
            inputs += 1;
        }
        assert!(inputs > 0, "{target} has no seed");
    }
}

/// Where a whole conversation keeps to the rules, so does one that breaks off.
#[test]
fn every_beginning_of_an_input_keeps_to_the_rules_of_its_target() {
    for (target, run) in TARGETS.into_iter().filter(|(target, _)| *target != "decoder") {
        for file in fs::read_dir(fuzz().join("corpus").join(target)).unwrap() {
            let input = fs::read(file.unwrap().path()).unwrap();
            for length in (0..input.len()).step_by(input.len() / 16 + 1) {
                run(&input[..length]);
            }
        }
    }
}

#[test]
fn every_target_has_an_entry_for_the_fuzzer_and_a_corpus() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(target, _)| (*target).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
}
