//! Which scope a server's credentials go to.

use std::collections::BTreeMap;

use mcplexer_secrets::{
    Error, InvalidName, MAX_SCOPE_ID_LEN, NewScope, Purpose, ScopeId, ScopeInfo, ScopeKind,
    SecretName, SecretStore, SecretValue, Select, Store,
};
use mcplexer_secrets::{ImportAction, OnConflict};

/// Most numbers that are tried behind a server's name.
const MAX_NUMBER: usize = 1000;

/// What was stored is opened again, to compare it.
const READ_BACK: Purpose<'_> = Purpose::Inject { program: None };

type Secrets = Vec<(SecretName, SecretValue)>;

/// Secrets on their way into a store, by scope.
pub(super) struct Scopes {
    planned: BTreeMap<ScopeId, Secrets>,
    /// Those that are there, and no place for variables.
    of_other_kinds: Vec<ScopeId>,
}

impl Scopes {
    pub(super) fn of(scopes: &[ScopeInfo]) -> Self {
        let others = scopes.iter().filter(|it| it.kind != ScopeKind::Env);
        Self {
            planned: BTreeMap::new(),
            of_other_kinds: others.map(|scope| scope.id.clone()).collect(),
        }
    }

    /// Plans to put secrets into the scope of a server.
    pub(super) fn place(
        &mut self,
        store: &Store,
        server: &str,
        secrets: Secrets,
    ) -> Result<ScopeId, Error> {
        for number in 1..=MAX_NUMBER {
            let scope = scope_of(server, number)?;
            if !self.fits(store, &scope, &secrets)? {
                continue;
            }
            let planned = self.planned.entry(scope.clone()).or_default();
            for (name, value) in secrets {
                if planned.iter().all(|(known, _)| *known != name) {
                    planned.push((name, value));
                }
            }
            return Ok(scope);
        }
        Err(Error::ScopeExists {
            scope: scope_of(server, 1)?,
        })
    }

    /// Whether a scope has no other value under any of these names, nor is to have.
    fn fits(&self, store: &Store, scope: &ScopeId, secrets: &Secrets) -> Result<bool, Error> {
        if self.of_other_kinds.contains(scope) {
            return Ok(false);
        }
        let planned = self.planned.get(scope).map(Vec::as_slice);
        let differs = |(name, value): &(SecretName, SecretValue)| {
            let mut planned = planned.unwrap_or_default().iter();
            planned.any(|(known, other)| known == name && other.expose() != value.expose())
        };
        if secrets.iter().any(differs) {
            return Ok(false);
        }
        let new = NewScope::env(scope.clone());
        let imported = store.plan_import(&new, secrets, OnConflict::Overwrite)?;
        Ok(imported.count(ImportAction::Replace) == 0)
    }

    pub(super) fn store(&self, store: &Store) -> Result<(), Error> {
        for (scope, secrets) in &self.planned {
            store.import(&NewScope::env(scope.clone()), secrets, OnConflict::Fail)?;
            let names: Vec<_> = secrets.iter().map(|(name, _)| name.clone()).collect();
            let stored = store.credentials(scope, Select::Only(&names), READ_BACK)?;
            for (name, value) in secrets {
                let stored = stored.get(name).map(SecretValue::expose);
                if stored != Some(value.expose()) {
                    return Err(Error::ReadBack {
                        scope: scope.clone(),
                        name: name.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// The scope of a server: its name in lower case, with `-` for what no scope id has, and a number
/// from 2 on.
pub(super) fn scope_of(server: &str, number: usize) -> Result<ScopeId, InvalidName> {
    let number = match number {
        0 | 1 => String::new(),
        number => format!("-{number}"),
    };
    let mut id = String::new();
    for character in server.chars().flat_map(char::to_lowercase) {
        let fits = character.is_ascii_lowercase()
            || character.is_ascii_digit()
            || (!id.is_empty() && "._".contains(character));
        match (fits, id.is_empty() || id.ends_with('-')) {
            (true, _) => id.push(character),
            (false, false) => id.push('-'),
            (false, true) => {}
        }
    }
    id.truncate(MAX_SCOPE_ID_LEN - number.len());
    let id = id.trim_end_matches('-');
    let id = if id.is_empty() { "server" } else { id };
    format!("{id}{number}").parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_named_after_its_server() {
        for (server, number, scope) in [
            ("github", 1, "github"),
            ("GitHub MCP (work)", 1, "github-mcp-work"),
            ("@scope/server_x.y", 2, "scope-server_x.y-2"),
            ("--", 1, "server"),
            ("日本", 3, "server-3"),
            ("Größe", 1, "gr-e"),
        ] {
            assert_eq!(scope_of(server, number).unwrap().as_str(), scope);
        }
        let longest = scope_of(&"x".repeat(100), 12).unwrap();
        assert_eq!(longest.as_str(), format!("{}-12", "x".repeat(61)));
    }
}
