//! Credentials outside of the servers' entries: in comments, and in other parts of the file.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::iter;
use std::ops::Range;

use mcplexer_detect::{self as detect, Reason};
use mcplexer_files::position::{Lines, Position};

use crate::finding::{Finding, Outcome, Stays};
use crate::server::{Place, Server};
use crate::values::Values;

/// How many credentials of a line are found at most, since each is looked for in all of its rest.
const MOST_OF_LINE: usize = 20;

/// Finds, outside of the servers' texts, the values that move, tokens of known shapes, and what its
/// name makes a credential. Returns at most one finding for each line.
pub(crate) fn find(
    text: &str,
    servers: &[Server],
    moved: &[(&str, Option<Reason>)],
) -> Vec<Finding> {
    let texts = servers.iter().flat_map(|server| &server.texts);
    let mut known: Vec<_> = texts.map(|it| it.span.clone()).collect();
    known.sort_by_key(|span| span.start);
    let lines = Lines::of(text.as_bytes());
    let mut found = moved_values(text, &known, moved, &lines);
    for gap in gaps(&known, text.len()) {
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

/// Finds the credentials in a text without servers: at most [`MOST_OF_LINE`] of each line.
pub(crate) fn positions(text: &str) -> Vec<Position> {
    let lines = Lines::of(text.as_bytes());
    let (mut found, mut start) = (Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let mut from = 0;
        for _ in 0..MOST_OF_LINE {
            let rest = line.get(from..).unwrap_or_default();
            let Some((place, _)) = in_part(rest).filter(|(place, _)| !place.is_empty()) else {
                break;
            };
            found.push(lines.position(start + from + place.start));
            from += place.end;
        }
        start += line.len();
    }
    found
}

/// Finds the values that move. Of a line that has several, returns the one that comes first in
/// `moved`.
fn moved_values(
    text: &str,
    known: &[Range<usize>],
    moved: &[(&str, Option<Reason>)],
    lines: &Lines<'_>,
) -> BTreeMap<usize, (usize, Option<Reason>)> {
    let values = Values::new(moved.iter().map(|(value, _)| *value));
    let mut found: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for at in gaps(known, text.len()).flatten() {
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        if let Some(value) = values.at_start_of(rest) {
            let first = found.entry(lines.line(at)).or_insert((value, at));
            *first = (*first).min((value, at));
        }
    }
    let reason = |value: usize| moved.get(value).and_then(|(_, reason)| *reason);
    let found = found.into_iter();
    found
        .map(|(line, (value, at))| (line, (at, reason(value))))
        .collect()
}

/// Returns the ranges between sorted ranges.
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
    // The `inputs` of VS Code have a default, which has this name whatever it holds.
    detect::find(text).or_else(|| detect::find_named(text, |name| name == "default"))
}

fn finding(position: Position, reason: Option<Reason>) -> Finding {
    Finding {
        server: String::new(),
        project: None,
        place: Place::Elsewhere,
        position,
        reason,
        outcome: Outcome::Stays(Stays::Outside),
        is_exposed: false,
    }
}
