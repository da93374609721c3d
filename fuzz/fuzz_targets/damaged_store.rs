//! Fuzzes [`mcplexer_fuzz::damaged_store`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::damaged_store;

fuzz_target!(|bytes: &[u8]| damaged_store(bytes));
