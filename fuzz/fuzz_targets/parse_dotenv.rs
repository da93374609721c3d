//! Fuzzes [`mcplexer_fuzz::parse_dotenv`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::parse_dotenv;

fuzz_target!(|bytes: &[u8]| parse_dotenv(bytes));
