#![no_main]
//! Filters, for records and for sessions.

libfuzzer_sys::fuzz_target!(|data: &[u8]| flowtail_fuzz::filter(data));
