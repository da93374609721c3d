//! Choosing the scope that each server's credentials go to.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use mcplexer_secrets::{
    Error, InvalidName, MAX_SCOPE_ID_LEN, ScopeId, ScopeInfo, ScopeKind, SecretName, SecretValue,
};

use crate::error::AdoptError;

/// How many scopes are tried for a server: its name alone, then with the numbers from 2 on.
const MAX_NUMBER: usize = 1000;

/// What a plan has to know about the store that the credentials go to.
#[derive(Clone, Copy)]
pub struct Destination<'a> {
    /// All scopes of the store.
    pub scopes: &'a [ScopeInfo],
    /// Returns whether one of these scopes holds one of these names with another value.
    pub holds_other: &'a HoldsOther<'a>,
}

type HoldsOther<'a> = dyn Fn(&ScopeId, &[(SecretName, SecretValue)]) -> Result<bool, Error> + 'a;

impl fmt::Debug for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Assigns secrets to scopes, such that no name ever has two values in a scope.
pub(crate) struct Placement<'a> {
    kinds: HashMap<&'a ScopeId, ScopeKind>,
    holds_other: &'a HoldsOther<'a>,
    planned: Planned,
}

/// The secrets that are to go to the store.
#[derive(Default)]
pub(crate) struct Planned(BTreeMap<ScopeId, Secrets>);

#[derive(Default)]
struct Secrets {
    in_order: Vec<(SecretName, SecretValue)>,
    /// Where in the order each name is.
    by_name: HashMap<SecretName, usize>,
}

impl<'a> Placement<'a> {
    pub(crate) fn new(destination: &Destination<'a>) -> Self {
        let scopes = destination.scopes.iter();
        Self {
            kinds: scopes.map(|scope| (&scope.id, scope.kind)).collect(),
            holds_other: destination.holds_other,
            planned: Planned::default(),
        }
    }

    /// Assigns a server's secrets to the first of its scopes where they fit.
    pub(crate) fn place(
        &mut self,
        server: &str,
        secrets: Vec<(SecretName, SecretValue)>,
    ) -> Result<ScopeId, AdoptError> {
        let base = base_of(server);
        for number in 1..=MAX_NUMBER {
            let scope = numbered(&base, number).map_err(Error::from)?;
            if self.fits(&scope, &secrets)? {
                self.planned.add(&scope, secrets);
                return Ok(scope);
            }
        }
        let scope = numbered(&base, 1).map_err(Error::from)?;
        Err(AdoptError::NoFreeScope { scope })
    }

    fn fits(
        &self,
        scope: &ScopeId,
        secrets: &[(SecretName, SecretValue)],
    ) -> Result<bool, AdoptError> {
        let kind = self.kinds.get(scope);
        if kind.is_some_and(|kind| *kind != ScopeKind::Env) || self.planned.differs(scope, secrets)
        {
            return Ok(false);
        }
        Ok(kind.is_none() || !(self.holds_other)(scope, secrets)?)
    }

    pub(crate) fn into_planned(self) -> Planned {
        self.planned
    }
}

impl Planned {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ScopeId, &[(SecretName, SecretValue)])> {
        let scopes = self.0.iter();
        scopes.map(|(scope, secrets)| (scope, secrets.in_order.as_slice()))
    }

    /// Returns whether a scope is to hold one of these names with another value.
    fn differs(&self, scope: &ScopeId, secrets: &[(SecretName, SecretValue)]) -> bool {
        let Some(planned) = self.0.get(scope) else {
            return false;
        };
        secrets.iter().any(|(name, value)| {
            let at = planned.by_name.get(name);
            let other = at.and_then(|&at| planned.in_order.get(at));
            other.is_some_and(|(_, other)| other.expose() != value.expose())
        })
    }

    fn add(&mut self, scope: &ScopeId, secrets: Vec<(SecretName, SecretValue)>) {
        let planned = self.0.entry(scope.clone()).or_default();
        for (name, value) in secrets {
            if let Entry::Vacant(entry) = planned.by_name.entry(name.clone()) {
                entry.insert(planned.in_order.len());
                planned.in_order.push((name, value));
            }
        }
    }
}

/// Returns the first scope of a server: its name in lower case, with `-` for the characters that a
/// scope id cannot have.
pub(crate) fn scope_of(server: &str) -> Result<ScopeId, InvalidName> {
    numbered(&base_of(server), 1)
}

fn base_of(server: &str) -> String {
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
    id.truncate(MAX_SCOPE_ID_LEN);
    id
}

fn numbered(base: &str, number: usize) -> Result<ScopeId, InvalidName> {
    let suffix = match number {
        0 | 1 => String::new(),
        number => format!("-{number}"),
    };
    // All of it is ASCII.
    let end = base.len().min(MAX_SCOPE_ID_LEN - suffix.len());
    let id = base.get(..end).unwrap_or(base).trim_end_matches('-');
    let id = if id.is_empty() { "server" } else { id };
    format!("{id}{suffix}").parse()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use mcplexer_secrets::{NewScope, Timestamp};

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
            assert_eq!(numbered(&base_of(server), number).unwrap().as_str(), scope);
        }
        let longest = numbered(&base_of(&"x".repeat(100)), 12).unwrap();
        assert_eq!(longest.as_str(), format!("{}-12", "x".repeat(61)));
    }

    fn secret(value: &str) -> Vec<(SecretName, SecretValue)> {
        let value = SecretValue::copy_of(value.as_bytes()).unwrap();
        vec![("TOKEN".parse().unwrap(), value)]
    }

    #[test]
    fn another_value_goes_to_a_numbered_scope_and_the_same_value_does_not() {
        let header = NewScope {
            kind: ScopeKind::Header,
            ..NewScope::env("b".parse().unwrap())
        };
        let scopes = [ScopeInfo::new(&header, Timestamp::now())];
        let destination = Destination {
            scopes: &scopes,
            holds_other: &|_, _| panic!("the store has no scope that could hold them"),
        };
        let mut placement = Placement::new(&destination);
        for (server, value, scope) in [
            ("a", "1", "a"),
            ("a", "1", "a"),
            ("A", "2", "a-2"),
            ("A!", "1", "a"),
            ("a", "3", "a-3"),
            ("b", "1", "b-2"),
        ] {
            let placed = placement.place(server, secret(value)).unwrap();
            assert_eq!(placed.as_str(), scope, "{server} {value}");
        }
        let planned = placement.into_planned();
        assert!(planned.iter().all(|(_, secrets)| secrets.len() == 1));
    }

    #[test]
    fn the_store_is_asked_once_for_each_scope_that_exists() {
        let scopes: Vec<_> = (0..2_000)
            .map(|at| NewScope::env(format!("s{at}").parse().unwrap()))
            .map(|scope| ScopeInfo::new(&scope, Timestamp::now()))
            .collect();
        let asked = Cell::new(0);
        let destination = Destination {
            scopes: &scopes,
            holds_other: &|scope, _| {
                asked.set(asked.get() + 1);
                Ok(scope.as_str() == "s7")
            },
        };
        let mut placement = Placement::new(&destination);
        for at in 0..4_000 {
            let scope = placement.place(&format!("s{at}"), secret("1")).unwrap();
            let expected = if at == 7 {
                "s7-2".to_owned()
            } else {
                format!("s{at}")
            };
            assert_eq!(scope.as_str(), expected);
        }
        assert_eq!(asked.get(), scopes.len());
    }

    #[test]
    fn a_server_whose_scopes_are_all_taken_is_an_error() {
        let destination = Destination {
            scopes: &[],
            holds_other: &|_, _| Ok(false),
        };
        let mut placement = Placement::new(&destination);
        for at in 0..MAX_NUMBER {
            placement.place("a", secret(&at.to_string())).unwrap();
        }
        let placed = placement.place("a", secret("one more"));
        assert!(matches!(placed, Err(AdoptError::NoFreeScope { scope }) if scope.as_str() == "a"));
    }
}
