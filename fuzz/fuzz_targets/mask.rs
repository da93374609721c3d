//! Fuzzes [`mcplexer_fuzz::mask`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::mask;

fuzz_target!(|bytes: &[u8]| mask(bytes));
