//! Fuzzes [`mcplexer_fuzz::key_file`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::key_file;

fuzz_target!(|bytes: &[u8]| key_file(bytes));
