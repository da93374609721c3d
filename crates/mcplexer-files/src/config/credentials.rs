//! What looks like a credential, wherever in the file it stands.

use std::ops::Range;

use super::field::{Path, known_field};
use super::problem::{Problem, SecretPlace};
use super::tree::{Content, Node, Place};
use mcplexer_detect::{Reason, find_any, find_named};
use mcplexer_secrets::ScopeId;

/// A scalar, and to which field it belongs.
struct Leaf<'a> {
    place: Place,
    last_line: usize,
    text: &'a str,
    path: String,
    scope: Option<ScopeId>,
}

/// Looks at each line as it stands, so that comments are seen, and at each scalar as it is read, so
/// that neither escapes nor line ends hide anything.
pub(super) fn find(text: &str, root: Option<&Node>) -> Vec<Problem> {
    let mut leaves = Vec::new();
    if let Some(root) = root {
        collect(root, &Path::default(), None, &mut leaves);
    }
    leaves.sort_by_key(|leaf| leaf.place);
    let mut problems = Vec::new();
    let mut next = 0;
    for (line, content) in (1..).zip(text.lines()) {
        while leaves.get(next).is_some_and(|leaf| leaf.place.line <= line) {
            next += 1;
        }
        if let Some((range, reason)) = find_any(content).or_else(|| named(content)) {
            let before = content.get(..range.start).unwrap_or_default();
            let place = Place {
                line,
                column: before.chars().count() + 1,
            };
            let of_line = leaves.get(..next).unwrap_or_default();
            let leaf = of_line.iter().rev().find(|leaf| leaf.place <= place);
            let leaf = leaf.filter(|leaf| leaf.last_line >= line);
            problems.push(problem(place, leaf, &reason));
        }
    }
    let seen: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    for leaf in &leaves {
        let at = seen.partition_point(|&line| line < leaf.place.line);
        let told = seen.get(at).is_some_and(|&line| line <= leaf.last_line);
        let found = || find_any(leaf.text).or_else(|| named(leaf.text));
        if !told && let Some((_, reason)) = found() {
            problems.push(problem(leaf.place, Some(leaf), &reason));
        }
    }
    problems
}

/// A value behind a name that says what it is, as in `# password: …` or `token=…`.
fn named(text: &str) -> Option<(Range<usize>, Reason)> {
    find_named(text, |_| true)
}

fn problem(place: Place, leaf: Option<&Leaf<'_>>, reason: &dyn std::fmt::Display) -> Problem {
    Problem {
        line: place.line,
        column: place.column,
        path: leaf.map(|leaf| leaf.path.clone()).unwrap_or_default(),
        message: format!("a credential has no place here: {reason}"),
        instead: Some(SecretPlace {
            scope: leaf.and_then(|leaf| leaf.scope.clone()),
            name: None,
        }),
    }
}

fn collect<'a>(node: &'a Node, path: &Path, scope: Option<&ScopeId>, leaves: &mut Vec<Leaf<'a>>) {
    match &node.content {
        Content::Scalar(text, _) => leaves.push(Leaf {
            place: node.place,
            last_line: node.last_line,
            text,
            path: path.to_string(),
            scope: scope.cloned(),
        }),
        Content::List(members) => {
            for (at, member) in members.iter().enumerate() {
                collect(member, &path.member(at), scope, leaves);
            }
        }
        Content::Map(members) => {
            let own = id_of(members);
            let scope = scope.or(own.as_ref());
            for (key, value) in members {
                collect(key, path, scope, leaves);
                let field = key.text().and_then(known_field);
                let path = field.map_or_else(|| path.clone(), |field| path.field(field));
                collect(value, &path, scope, leaves);
            }
        }
        Content::Alias => {}
    }
}

/// The id that a scope says it has, if it is one and no credential.
pub(super) fn id_of(members: &[(Node, Node)]) -> Option<ScopeId> {
    let (_, id) = members.iter().find(|(key, _)| key.text() == Some("id"))?;
    let text = id.text().filter(|text| find_any(text).is_none())?;
    text.parse().ok()
}
