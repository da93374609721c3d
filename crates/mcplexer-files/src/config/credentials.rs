//! What looks like a credential, wherever in the file it stands.

use std::ops::Range;

use mcplexer_detect::{Reason, find_any, find_named};
use mcplexer_secrets::ScopeId;

use super::problem::{Problem, SecretPlace};
use crate::position::Position;
use crate::template::without_references;

/// A scalar, and the field it belongs to.
pub(super) struct Leaf<'a> {
    pub(super) position: Position,
    pub(super) last_line: usize,
    pub(super) text: &'a str,
    pub(super) path: String,
    pub(super) scope: Option<ScopeId>,
}

/// Finds credentials in each line as it is written, so that comments count, and in each scalar as it is
/// read, so that neither escapes nor line ends hide one.
pub(super) fn find(file: &str, mut leaves: Vec<Leaf<'_>>) -> Vec<Problem> {
    leaves.sort_by_key(|leaf| leaf.position);
    let mut problems = Vec::new();
    for (line, content) in (1..).zip(file.lines()) {
        let Some((range, reason)) = credential(content) else {
            continue;
        };
        let before = content.get(..range.start).unwrap_or_default();
        let column = before.chars().count() + 1;
        let at = Position { line, column };
        let next = leaves.partition_point(|leaf| leaf.position <= at);
        let leaf = next.checked_sub(1).and_then(|last| leaves.get(last));
        let leaf = leaf.filter(|leaf| leaf.last_line >= line);
        problems.push(problem(at, leaf, &reason));
    }
    let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    for leaf in &leaves {
        let next = lines.partition_point(|&line| line < leaf.position.line);
        let is_reported = lines.get(next).is_some_and(|&line| line <= leaf.last_line);
        if !is_reported && let Some((_, reason)) = credential(leaf.text) {
            problems.push(problem(leaf.position, Some(leaf), &reason));
        }
    }
    problems
}

/// Finds a credential by its shape, or behind a name that says what it is, as in `# password: …`.
fn credential(text: &str) -> Option<(Range<usize>, Reason)> {
    let text = without_references(text);
    find_any(&text).or_else(|| find_named(&text, |_| true))
}

/// Says that a credential is refused, and why it looks like one.
pub(super) fn refusal(reason: &Reason) -> String {
    match reason {
        Reason::Name => {
            "credentials are not allowed in this file: its name is that of one".to_owned()
        }
        reason => format!("credentials are not allowed in this file: {reason}"),
    }
}

fn problem(at: Position, leaf: Option<&Leaf<'_>>, reason: &Reason) -> Problem {
    let path = leaf.map_or("", |leaf| leaf.path.as_str());
    let message = refusal(reason);
    let mut problem = Problem::new(at, path, message);
    problem.instead = Some(SecretPlace {
        scope: leaf.and_then(|leaf| leaf.scope.clone()),
        ..SecretPlace::default()
    });
    problem
}
