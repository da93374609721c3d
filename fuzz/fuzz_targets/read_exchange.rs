//! Fuzzes [`mcplexer_fuzz::read_exchange`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::read_exchange;

fuzz_target!(|bytes: &[u8]| read_exchange(bytes));
