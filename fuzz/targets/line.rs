#![no_main]
//! Lines, with and without a format that was given, whole and cut into batches.

libfuzzer_sys::fuzz_target!(|data: &[u8]| flowtail_fuzz::line(data));
