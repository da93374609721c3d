//! Every input of the corpora through its target, without a fuzzer.

#![cfg(test)]

use std::fs;
use std::path::Path;

use mcplexer_secrets::fuzzing::{decode_record, open_damaged_value, open_sealed_value};

fn replay(corpus: &str, target: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(corpus);
    let mut inputs = 0;
    for entry in fs::read_dir(directory).unwrap() {
        target(&fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "no corpus for {corpus}");
}

#[test]
fn records_of_the_corpus_decode_or_are_refused() {
    replay("decode_record", decode_record);
}

#[test]
fn sealed_values_of_the_corpus_do_not_open() {
    replay("open_sealed_value", open_sealed_value);
}

#[test]
fn damaged_values_of_the_corpus_do_not_open() {
    replay("open_damaged_value", open_damaged_value);
}
