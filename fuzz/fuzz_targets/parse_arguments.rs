//! Fuzzes [`mcplexer_fuzz::parse_arguments`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::parse_arguments;

fuzz_target!(|bytes: &[u8]| parse_arguments(bytes));
