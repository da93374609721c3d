//! Runs every target without a fuzzer: on its corpus, and on a fixed number of inputs derived from
//! it.

#![cfg(test)]

use std::path::Path;
use std::{env, fs};

use mcplexer_fuzz::mutation::Mutation;
use mcplexer_fuzz::{TARGETS, Target};

/// The number of derived inputs for each target, unless `MCPLEXER_FUZZ_INPUTS` is set.
const INPUTS: u64 = 400;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = manifest.join("corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "bin"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no corpus for {target}");
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn run(name: &str, target: Target, input: &[u8]) {
    if let Err(panic) = std::panic::catch_unwind(|| target(input)) {
        let path = env::temp_dir().join(format!("{name}.bin"));
        fs::write(&path, input).unwrap();
        eprintln!("{name} fails on what is now in {}", path.display());
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn every_target_holds_for_its_corpus() {
    for (name, target) in TARGETS {
        for input in corpus(name) {
            run(name, target, &input);
        }
    }
}

#[test]
fn every_target_holds_for_inputs_made_of_its_corpus() {
    let inputs = env::var("MCPLEXER_FUZZ_INPUTS");
    let inputs = inputs.map_or(INPUTS, |text| text.parse().unwrap());
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || {
                for (name, target) in TARGETS.into_iter().skip(half).step_by(2) {
                    let corpus = corpus(name);
                    let mut mutation = Mutation::seeded(name);
                    for _ in 0..inputs {
                        run(name, target, &mutation.of(&corpus));
                    }
                }
            });
        }
    });
}

#[test]
fn every_target_is_there_for_the_fuzzer() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = fs::read_dir(manifest.join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_owned())
        .collect();
    files.sort();
    assert_eq!(files, TARGETS.map(|(name, _)| name));
}
