//! The entry of the fuzzer for `msl_network_fuzz_targets::world`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| msl_network_fuzz_targets::world(data));
