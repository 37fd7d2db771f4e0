#![no_main]
//! Records of a few conversations, in any order, with little room or much.

libfuzzer_sys::fuzz_target!(|data: &[u8]| flowtail_fuzz::sessions(data));
