//! Fuzzes [`mcplexer_fuzz::open_damaged_value`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::open_damaged_value;

fuzz_target!(|bytes: &[u8]| open_damaged_value(bytes));
