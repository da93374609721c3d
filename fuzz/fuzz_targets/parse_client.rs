//! Fuzzes [`mcplexer_fuzz::parse_client`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::parse_client;

fuzz_target!(|bytes: &[u8]| parse_client(bytes));
