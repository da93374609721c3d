//! `docs/proof/faults.md` names the tests of each known fault: those whose comments have its number.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The number of known faults of other tools. They are numbered from 1.
const FAULTS: usize = 48;

type Tests = BTreeMap<usize, BTreeSet<String>>;

/// Returns the fault numbers in a comment, each the letter F and two digits.
fn numbers(comment: &str) -> impl Iterator<Item = usize> {
    let words = comment.split(|it: char| !it.is_alphanumeric());
    words.filter_map(|word| match word.strip_prefix('F')?.parse() {
        Ok(number) if word.len() == 3 => Some(number),
        _ => None,
    })
}

fn function(line: &str) -> Option<&str> {
    let (before, name) = line.split_once("fn ")?;
    let name = name.split(['(', '<']).next()?;
    let is_declared = before.trim().is_empty() || before.trim().starts_with("pub");
    is_declared.then_some(name)
}

/// Adds the tests of a file that have a number in their comment or in their body.
fn add(tests: &mut Tests, module: &str, text: &str) {
    let all_count = module.starts_with("conformance");
    let has_properties = text.contains("\nproptest! {");
    let (mut before, mut within) = (Vec::new(), None);
    let mut is_test = false;
    for line in text.lines() {
        is_test |= has_properties && line.starts_with("    fn ");
        let line = line.trim();
        if let Some(comment) = line.strip_prefix("///") {
            before.extend(numbers(comment));
        } else if let Some(name) = function(line) {
            within = (is_test || all_count).then_some(name);
            is_test = false;
            for number in before.drain(..) {
                let test = within.map(|name| format!("{module}::{name}"));
                tests.entry(number).or_default().extend(test);
            }
        } else if let Some(comment) = line.strip_prefix("// ") {
            for number in numbers(comment) {
                let test = within.map(|name| format!("{module}::{name}"));
                tests.entry(number).or_default().extend(test);
            }
        } else if line.starts_with("#[") {
            is_test |= line == "#[test]";
        } else {
            before.clear();
        }
    }
}

/// Returns all files below a directory, with their module names.
fn add_all(tests: &mut Tests, directory: &Path, module: &str) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let inner = match (module, name) {
            (outer, "main" | "lib") => outer.to_owned(),
            ("", name) => name.to_owned(),
            (outer, name) => format!("{outer}::{name}"),
        };
        if path.is_dir() {
            add_all(tests, &path, &inner);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let is_code = path.iter().any(|it| it == "src") && module != "conformance";
            let text = match text.split_once("#[cfg(test)]\nmod ") {
                Some((_, tests)) if is_code => tests,
                None if is_code => "",
                _ => &text,
            };
            add(tests, &inner, text);
        }
    }
}

#[test]
fn each_fault_has_the_tests_that_the_table_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut tests = Tests::new();
    let crates = fs::read_dir(root.join("crates")).unwrap();
    let crates = crates.map(|entry| entry.unwrap().path());
    for package in crates.chain(["mcplexer-cli", "mcplexer-secrets"].map(|it| root.join(it))) {
        for directory in ["tests", "src"].map(|it| package.join(it)) {
            if directory.exists() {
                add_all(&mut tests, &directory, "");
            }
        }
    }
    let text = fs::read_to_string(root.join("docs/proof/faults.md")).unwrap();
    let mut differ = String::new();
    for number in 1..=FAULTS {
        let named = tests.remove(&number).unwrap_or_default();
        let named: Vec<_> = named.iter().map(|it| format!("`{it}`")).collect();
        let named = named.join(", ");
        let row = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("| F{number:02} | ")));
        let has = row.and_then(|row| row.strip_suffix(" |")?.rsplit_once(" | "));
        if named.is_empty() || has.is_none_or(|(_, has)| has != named) {
            writeln!(differ, "| F{number:02} | … | {named} |").unwrap();
        }
    }
    assert!(
        differ.is_empty(),
        "docs/proof/faults.md should have:\n{differ}"
    );
    assert!(tests.is_empty(), "no such fault: {tests:?}");
}
