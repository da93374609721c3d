//! Fuzzes [`mcplexer_fuzz::operations`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::operations;

fuzz_target!(|bytes: &[u8]| operations(bytes));
