//! Lists the secrets of all scopes, or finds some of them by name, scope or note.

use mcplexer_secrets::{Error as StoreError, ScopeId};
use serde::Serialize;

use crate::open::OpenHome;
use crate::scopes::SecretRow;

/// Secrets of several scopes.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct FoundList {
    /// The secrets, by scope and name.
    pub secrets: Vec<FoundRow>,
}

/// A secret of one of several scopes.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct FoundRow {
    /// Its scope.
    pub scope: ScopeId,
    /// The secret.
    #[serde(flatten)]
    pub secret: SecretRow,
}

impl FoundRow {
    /// Returns `SCOPE/KEY`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}/{}", self.scope, self.secret.name)
    }
}

/// What to look for: a text in upper or lower case that is somewhere, or, with `*` or `?`, all there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    letters: Vec<char>,
    is_glob: bool,
}

impl Pattern {
    /// Takes a pattern as a person types it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            letters: text.to_lowercase().chars().collect(),
            is_glob: text.contains(['*', '?']),
        }
    }

    /// Whether the pattern matches a text.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        match self.is_glob {
            true => glob(&self.letters, &text.chars().collect::<Vec<_>>()),
            false => text.contains(&self.letters.iter().collect::<String>()),
        }
    }

    fn finds(&self, row: &FoundRow) -> bool {
        let note = row.secret.note.as_ref().map(ToString::to_string);
        self.matches(&row.place())
            || self.matches(row.scope.as_str())
            || self.matches(row.secret.name.as_str())
            || note.is_some_and(|note| self.matches(&note))
    }
}

/// Whether a pattern with `*` for any letters and `?` for one matches all of a text. Takes time in proportion to both.
fn glob(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut seen) = (0, 0);
    // Where to go on after the last `*`, with one more letter for it.
    let mut again = None;
    while let Some(letter) = text.get(seen) {
        match pattern.get(at) {
            Some('*') => {
                again = Some((at + 1, seen));
                at += 1;
                continue;
            }
            Some(wanted) if *wanted == '?' || wanted == letter => {
                (at, seen) = (at + 1, seen + 1);
                continue;
            }
            _ => {}
        }
        let Some((after, from)) = again else {
            return false;
        };
        again = Some((after, from + 1));
        (at, seen) = (after, from + 1);
    }
    let rest = pattern.get(at..).unwrap_or_default();
    rest.iter().all(|it| *it == '*')
}

/// Returns the secrets of all scopes.
///
/// # Errors
/// If the store cannot be read.
pub fn all(open: &OpenHome) -> Result<FoundList, StoreError> {
    let secrets = open.store().list_all()?.into_iter();
    Ok(FoundList {
        secrets: secrets
            .map(|(scope, info)| FoundRow {
                scope,
                secret: SecretRow::from(info),
            })
            .collect(),
    })
}

/// Returns the secrets of all scopes whose name, scope, `SCOPE/KEY` or note matches.
///
/// # Errors
/// If the store cannot be read.
pub fn find(pattern: &Pattern, open: &OpenHome) -> Result<FoundList, StoreError> {
    let mut list = all(open)?;
    list.secrets.retain(|row| pattern.finds(row));
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_matches_anywhere_and_a_pattern_as_a_whole() {
        for (pattern, text, expected) in [
            ("tok", "GITHUB_TOKEN", true),
            ("TOK", "github_token", true),
            ("tokens", "TOKEN", false),
            ("", "TOKEN", true),
            ("tok*", "TOKEN", true),
            ("tok*", "A_TOKEN", false),
            ("*_k?y", "A_B_KEY", true),
            ("*_k?y", "A_B_KEYS", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("shop/*", "shop/A", true),
            ("?", "", false),
            ("*", "", true),
            ("É*", "école", true),
        ] {
            let found = Pattern::new(pattern).matches(text);
            assert_eq!(found, expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let (pattern, text) = ("*a".repeat(200) + "b", "a".repeat(10_000));
        assert!(!Pattern::new(&pattern).matches(&text));
    }
}
