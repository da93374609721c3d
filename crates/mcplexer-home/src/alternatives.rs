//! What to try instead of a name that was not found.

use mcplexer_secrets::{Error, ScopeId, SecretName, Store};
use serde::Serialize;

/// What exists where a name was not found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Alternatives {
    /// A name so close that it was probably meant.
    Similar {
        /// The name of a scope or a secret.
        name: String,
    },
    /// The store has no scopes at all.
    NoScopes {
        /// The scope that was asked for.
        scope: ScopeId,
    },
    /// There are other scopes.
    Scopes,
    /// The scope has other secrets, or none.
    Secrets {
        /// The scope.
        scope: ScopeId,
    },
}

impl Alternatives {
    /// Looks for alternatives to the name that was not found. `None` for any other error, and if
    /// the store cannot be read. Nothing is recorded in the audit log.
    #[must_use]
    pub fn to(error: &Error, store: &Store) -> Option<Self> {
        match error {
            Error::ScopeNotFound { scope } => {
                let scopes = store.scope_names().ok()?;
                if scopes.is_empty() {
                    return Some(Self::NoScopes {
                        scope: scope.clone(),
                    });
                }
                let names = scopes.iter().map(ScopeId::as_str);
                similar(scope.as_str(), names).or(Some(Self::Scopes))
            }
            Error::SecretNotFound { scope, name } => {
                let secrets = store.secret_names(scope).ok()?;
                let names = secrets.iter().map(SecretName::as_str);
                similar(name.as_str(), names).or_else(|| {
                    Some(Self::Secrets {
                        scope: scope.clone(),
                    })
                })
            }
            _ => None,
        }
    }
}

/// Returns the name closest to `typed`, if it is close.
fn similar<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<Alternatives> {
    let name = closest(typed, names)?.to_owned();
    Some(Alternatives::Similar { name })
}

/// Returns the name that was probably meant by one that is not there: the closest, if it is close.
#[must_use]
pub fn closest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed_small = typed.to_lowercase();
    let closeness = |name: &str| {
        let small = name.to_lowercase();
        if small == typed_small {
            return 1.0;
        }
        // Two swapped letters are one mistake, in a short name too.
        let is_slip = strsim::osa_distance(&typed_small, &small) == 1 && typed.len() > 2;
        let alike = strsim::jaro_winkler(&typed_small, &small);
        if is_slip { alike.max(0.9) } else { alike }
    };
    let names = names.into_iter().map(|name| (closeness(name), name));
    let best = names.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.85).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(typed: &str) -> Option<&str> {
        closest(typed, ["github-token", "web", "ab"])
    }

    #[test]
    fn a_slip_finds_the_name_and_another_word_does_not() {
        assert_eq!(found("github-tokne"), Some("github-token"));
        assert_eq!(found("wbe"), Some("web"));
        assert_eq!(found("GitHub-Token"), Some("github-token"));
        assert_eq!(found("GITHUB-TOKNE"), Some("github-token"));
        assert_eq!(found("drive"), None);
        assert_eq!(found("ac"), None, "too short to be a slip");
    }
}
