//! See `jpegdct::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| jpegdct::fuzzing::structure(bytes));
