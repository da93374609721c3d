//! Credentials in a file that stand at no place where they are looked for: in comments, in other
//! parts of the file.

use std::collections::BTreeSet;
use std::ops::Range;

use super::plan::{Becomes, Finding, Stays};
use super::server::{Place, Server};
use crate::detect::{self, Reason};
use crate::position::{Lines, Position};

/// Shortest value that is looked for elsewhere, in bytes: shorter ones stand everywhere.
const MIN_LEN: usize = 8;

/// What stands elsewhere: known shapes of tokens, and the values that `moved` has.
pub(super) fn find(
    text: &str,
    servers: &[Server],
    moved: &[(&str, Option<Reason>)],
) -> Vec<Finding> {
    let texts = servers.iter().flat_map(|server| &server.texts);
    let mut looked_at: Vec<_> = texts.map(|it| it.span.clone()).collect();
    looked_at.sort_by_key(|span| span.start);
    let is_looked_at = |at: usize| {
        let next = looked_at.partition_point(|span| span.start <= at);
        let last = next.checked_sub(1).and_then(|it| looked_at.get(it));
        last.is_some_and(|span| at < span.end)
    };
    let lines = Lines::of(text.as_bytes());
    let mut found: BTreeSet<usize> = BTreeSet::new();
    let mut findings = Vec::new();
    let mut add = |at: usize, reason: Option<Reason>| {
        let position = lines.position(at);
        if !is_looked_at(at) && found.insert(position.line) {
            findings.push(finding(position, reason));
        }
    };
    for (value, reason) in moved.iter().filter(|(value, _)| value.len() >= MIN_LEN) {
        for (at, _) in text.match_indices(value) {
            add(at, *reason);
        }
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        for (range, reason) in shapes(line) {
            add(start + range.start, Some(reason));
        }
        start += line.len();
    }
    findings.sort_by_key(|it| (it.position.line, it.position.column));
    findings
}

fn shapes(line: &str) -> Vec<(Range<usize>, Reason)> {
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some((range, reason)) = line.get(from..).and_then(detect::find) {
        found.push((from + range.start..from + range.end, reason));
        from += range.end.max(1);
    }
    found
}

fn finding(position: Position, reason: Option<Reason>) -> Finding {
    Finding {
        server: String::new(),
        place: Place::Elsewhere,
        position,
        reason,
        becomes: Becomes::Stays(Stays::NotEnvironment),
    }
}
