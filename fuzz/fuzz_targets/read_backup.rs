//! Fuzzes [`mcplexer_fuzz::read_backup`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::read_backup;

fuzz_target!(|bytes: &[u8]| read_backup(bytes));
