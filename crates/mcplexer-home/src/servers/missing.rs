//! What servers need of the store and it does not have.

use std::collections::{BTreeMap, BTreeSet};

use mcplexer_files::config::{Server, ServerName, Transport};
use mcplexer_files::reference::Reference;
use mcplexer_files::template::Template;
use mcplexer_secrets::{
    Error as StoreError, ErrorKind, ScopeId, ScopeKind, SecretName, SecretStore,
};

use crate::open::OpenHome;

/// Something that a server needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// A secret that it refers to.
    Secret {
        /// The server.
        server: ServerName,
        /// The secret.
        reference: Reference,
    },
    /// A scope whose secrets it gets.
    Scope {
        /// The server.
        server: ServerName,
        /// The scope.
        scope: ScopeId,
        /// The kind that it should have.
        kind: ScopeKind,
    },
}

/// Returns what servers need and the store does not have, by server. Opens no secret.
///
/// # Errors
/// If the store cannot be read.
pub fn missing(
    open: &OpenHome,
    servers: &[(ServerName, Server)],
) -> Result<Vec<Missing>, StoreError> {
    let mut names = Names {
        open,
        known: BTreeMap::new(),
    };
    let mut missing = Vec::new();
    for (name, server) in servers {
        for reference in references(server) {
            if !names.of(&reference.scope)?.contains(&reference.name) {
                missing.push(Missing::Secret {
                    server: name.clone(),
                    reference,
                });
            }
        }
        let kind = match &server.transport {
            Transport::Http(http) => http.auth.as_ref().map(|auth| auth.kind),
            _ => None,
        };
        for scope in server.transport.scopes() {
            if names.of(scope)?.is_empty() {
                missing.push(Missing::Scope {
                    server: name.clone(),
                    scope: scope.clone(),
                    kind: kind.unwrap_or_default(),
                });
            }
        }
    }
    Ok(missing)
}

/// Returns the secrets that a server refers to. Those of whole [scopes](Transport::scopes) are not among them.
#[must_use]
pub fn references(server: &Server) -> BTreeSet<Reference> {
    let values = server.transport.values().values();
    let templates = values.filter_map(|value| Template::parse(value.as_bytes()).ok());
    let references = templates.flat_map(|it| {
        let references = it.references().map(|(reference, _)| reference.clone());
        references.collect::<Vec<_>>()
    });
    references.collect()
}

/// The names of secrets, by scope.
struct Names<'a> {
    open: &'a OpenHome,
    known: BTreeMap<ScopeId, BTreeSet<SecretName>>,
}

impl Names<'_> {
    /// Returns the names in a scope; none if it does not exist.
    fn of(&mut self, scope: &ScopeId) -> Result<&BTreeSet<SecretName>, StoreError> {
        if !self.known.contains_key(scope) {
            let names = match self.open.store().list(scope) {
                Ok(secrets) => secrets.into_iter().map(|it| it.name).collect(),
                Err(error) if error.kind() == ErrorKind::NotFound => BTreeSet::new(),
                Err(error) => return Err(error),
            };
            self.known.insert(scope.clone(), names);
        }
        Ok(self.known.entry(scope.clone()).or_default())
    }
}
