//! Fuzzes [`mcplexer_fuzz::write_exchange`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::write_exchange;

fuzz_target!(|bytes: &[u8]| write_exchange(bytes));
