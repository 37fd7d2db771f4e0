#![no_main]
//! The bytes of a file, through the source that opens files, to records.

libfuzzer_sys::fuzz_target!(|data: &[u8]| flowtail_fuzz::envelope(data));
