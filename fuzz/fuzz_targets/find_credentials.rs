//! Fuzzes [`mcplexer_fuzz::find_credentials`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::find_credentials;

fuzz_target!(|bytes: &[u8]| find_credentials(bytes));
