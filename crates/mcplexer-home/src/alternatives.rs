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
    let closeness = |name: &str| {
        // Two swapped letters are one mistake, in a short name too.
        let is_slip = strsim::osa_distance(typed, name) == 1 && typed.len() > 2;
        let alike = strsim::jaro_winkler(typed, name);
        if is_slip { alike.max(0.9) } else { alike }
    };
    let best = names
        .map(|name| (closeness(name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.85).then(|| Alternatives::Similar {
        name: best.1.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closest(typed: &str) -> Option<String> {
        match similar(typed, ["github-token", "web", "ab"].into_iter())? {
            Alternatives::Similar { name } => Some(name),
            _ => None,
        }
    }

    #[test]
    fn a_slip_finds_the_name_and_another_word_does_not() {
        assert_eq!(closest("github-tokne").as_deref(), Some("github-token"));
        assert_eq!(closest("wbe").as_deref(), Some("web"));
        assert_eq!(closest("drive"), None);
        assert_eq!(closest("ac"), None, "too short to be a slip");
    }
}
