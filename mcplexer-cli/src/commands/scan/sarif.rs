//! The output of `mcplexer scan` as SARIF 2.1.0 (OASIS), which code hosts and editors show.
//!
//! It says which lines have findings, and nothing about the values: no snippet, and no digest. Columns are left out,
//! because SARIF counts them in characters and a search counts bytes.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::{Value, json};

use super::{Kind, rule};
use crate::scan::{Finding, Report};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// The only rule for values of the store.
const STORED: &str = "stored-secret";

/// Returns a report as a log of one run.
pub(super) fn sarif(report: &Report, kind: Kind) -> Value {
    let mut rules: BTreeMap<String, &str> = BTreeMap::new();
    for it in &report.findings {
        rules.insert(rule_of(it, kind), description(it, kind));
    }
    // The same finding has the same number in its file as long as none of its rule comes before it.
    let mut numbers: BTreeMap<(&Path, String), u64> = BTreeMap::new();
    let mut results = Vec::new();
    for it in &report.findings {
        let rule = rule_of(it, kind);
        let number = numbers.entry((&it.file, rule.clone())).or_default();
        *number += 1;
        results.push(result(it, kind, &rule, *number));
    }
    let rules = rules
        .iter()
        .map(|(id, text)| json!({ "id": id, "shortDescription": { "text": text } }));
    let unread = report
        .unread
        .iter()
        .map(|it| json!({ "level": "error", "message": { "text": format!("cannot read {it}") } }));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "mcplexer",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            } },
            "invocations": [{
                "executionSuccessful": report.unread.is_empty(),
                "toolExecutionNotifications": unread.collect::<Vec<_>>(),
            }],
            "results": results,
        }],
    })
}

fn result(it: &Finding, kind: Kind, rule: &str, number: u64) -> Value {
    let what = match kind {
        Kind::Values => format!("the value of {}", it.place.label),
        Kind::Shapes { .. } => format!("what looks like a credential: {}", it.place.label),
    };
    let uri = uri(&it.file);
    json!({
        "ruleId": rule,
        "level": "error",
        "message": { "text": format!("This line contains {what}.") },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri },
            "region": { "startLine": it.place.line },
        } }],
        "partialFingerprints": { "ruleFileNumber/v1": format!("{rule}:{uri}:{number}") },
    })
}

fn rule_of(it: &Finding, kind: Kind) -> String {
    match kind {
        Kind::Values => STORED.to_owned(),
        Kind::Shapes { .. } => rule(&it.place.label),
    }
}

fn description(it: &Finding, kind: Kind) -> &str {
    match kind {
        Kind::Values => "a value of the store",
        Kind::Shapes { .. } => &it.place.label,
    }
}

/// Returns a path as a URI reference (RFC 3986): absolute paths with their scheme.
fn uri(path: &Path) -> String {
    let scheme = if path.is_absolute() { "file://" } else { "" };
    let mut uri = scheme.to_owned();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => uri.push(byte.into()),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_is_a_uri() {
        assert_eq!(uri(Path::new("src/a b:ü#.rs")), "src/a%20b%3A%C3%BC%23.rs");
        assert_eq!(uri(Path::new("/tmp/x")), "file:///tmp/x");
    }
}
