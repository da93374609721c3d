//! Fuzzes [`mcplexer_fuzz::parse_references`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::parse_references;

fuzz_target!(|bytes: &[u8]| parse_references(bytes));
