//! Fuzzes [`mcplexer_fuzz::decode_record`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::decode_record;

fuzz_target!(|bytes: &[u8]| decode_record(bytes));
