#![no_main]
//! `--format` and header lines.

libfuzzer_sys::fuzz_target!(|data: &[u8]| flowtail_fuzz::format(data));
