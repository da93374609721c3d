//! Fuzzes [`mcplexer_fuzz::append_audit_log`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcplexer_fuzz::append_audit_log;

fuzz_target!(|bytes: &[u8]| append_audit_log(bytes));
