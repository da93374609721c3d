//! Credentials in a file that stand at no place where they are looked for: in comments, in other
//! parts of the file.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::iter;
use std::ops::Range;

use super::plan::{Becomes, Finding, Stays};
use super::server::{Place, Server};
use mcplexer_detect::{self as detect, Reason};
use mcplexer_files::position::{Lines, Position};

/// Shortest value that is looked for elsewhere, in bytes: shorter ones stand everywhere.
const MIN_LEN: usize = 8;

/// What stands elsewhere: known shapes of tokens, what its name makes a credential, and the values that
/// `moved` has. One of each line is told of.
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
    let mut found: BTreeMap<usize, (usize, Option<Reason>)> = BTreeMap::new();
    for (value, reason) in moved.iter().filter(|(value, _)| value.len() >= MIN_LEN) {
        for (at, _) in text.match_indices(value) {
            if !is_looked_at(at) {
                found.entry(lines.line(at)).or_insert((at, *reason));
            }
        }
    }
    for gap in gaps(&looked_at, text.len()) {
        let mut start = gap.start;
        for part in text.get(gap).unwrap_or_default().split_inclusive('\n') {
            let line = found.entry(lines.line(start));
            if let Entry::Vacant(line) = line
                && let Some((place, reason)) = in_part(part)
            {
                line.insert((start + place.start, Some(reason)));
            }
            start += part.len();
        }
    }
    let found = found.into_values();
    found
        .map(|(at, reason)| finding(lines.position(at), reason))
        .collect()
}

/// What lies between ranges that are in order.
fn gaps(ranges: &[Range<usize>], end: usize) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    let last = iter::once(end..end);
    ranges.iter().cloned().chain(last).map(move |range| {
        let gap = from..range.start.max(from);
        from = range.end.max(from);
        gap
    })
}

fn in_part(text: &str) -> Option<(Range<usize>, Reason)> {
    // What is asked for (`inputs`) may have a default, which is named so whatever it is.
    detect::find(text).or_else(|| detect::find_named(text, |name| name == "default"))
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
