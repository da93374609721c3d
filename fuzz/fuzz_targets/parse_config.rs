//! Fuzzes [`mcplexer_fuzz::parse_config`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::parse_config;

fuzz_target!(|bytes: &[u8]| parse_config(bytes));
