//! Fuzzes [`mcplexer_fuzz::open_backup`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::open_backup;

fuzz_target!(|bytes: &[u8]| open_backup(bytes));
