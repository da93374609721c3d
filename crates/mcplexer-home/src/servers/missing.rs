//! What servers need of the store and it does not have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use mcplexer_files::config::{Server, ServerName, Transport};
use mcplexer_files::reference::Reference;
use mcplexer_files::template::Template;
use mcplexer_secrets::{Error as StoreError, ErrorKind, ScopeId, ScopeKind, SecretName};

use crate::alternatives::closest;
use crate::config::of_home;
use crate::open::OpenHome;
use crate::servers::Error;

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
        /// A secret or a scope of almost that name, which was probably meant.
        meant: Option<String>,
    },
    /// A scope whose secrets it gets.
    Scope {
        /// The server.
        server: ServerName,
        /// The scope.
        scope: ScopeId,
        /// The kind that it should have.
        kind: ScopeKind,
        /// A scope of almost that name, which was probably meant.
        meant: Option<String>,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret {
                server, reference, ..
            } => write!(
                f,
                "{server} refers to {reference}, which is not in the store"
            ),
            Self::Scope { server, scope, .. } => write!(
                f,
                "{server} gets the secrets of the scope {scope}, which has none"
            ),
        }
    }
}

impl Missing {
    /// Returns what to do about it, a line each.
    #[must_use]
    pub fn fix(&self) -> Vec<String> {
        let stores = match self {
            Self::Secret { .. } => "stores it",
            Self::Scope { .. } => "stores one",
        };
        let meant = self.meant().map(|it| format!("did you mean {it}?"));
        let store = format!("{} {stores}", self.command());
        meant.into_iter().chain([store]).collect()
    }

    /// Returns the command that stores what is missing.
    #[must_use]
    pub fn command(&self) -> String {
        match self {
            Self::Secret { reference, .. } => {
                let Reference { scope, name } = reference;
                format!("mcplexer secret put {scope} {name}")
            }
            Self::Scope { scope, kind, .. } => {
                let create = match kind {
                    ScopeKind::Env => String::new(),
                    kind => format!("mcplexer scope create {scope} --kind {kind} && "),
                };
                format!("{create}mcplexer secret put {scope} KEY")
            }
        }
    }

    /// Returns the server that needs it.
    #[must_use]
    pub fn server(&self) -> &ServerName {
        match self {
            Self::Secret { server, .. } | Self::Scope { server, .. } => server,
        }
    }

    /// Returns a name that was probably meant.
    #[must_use]
    pub fn meant(&self) -> Option<&str> {
        match self {
            Self::Secret { meant, .. } | Self::Scope { meant, .. } => meant.as_deref(),
        }
    }
}

/// Returns what the servers of a home's `config.yaml` need and the store does not have, by server; without those that are
/// disabled. Opens no secret.
///
/// # Errors
/// If the store or the file cannot be read, or the file has problems.
pub fn missing_at_home(open: &OpenHome) -> Result<Vec<Missing>, Error> {
    let config = of_home(open.home())?.unwrap_or_default();
    let servers = config.servers.into_iter().filter(|(_, it)| !it.disabled);
    Ok(missing(open, &servers.collect::<Vec<_>>())?)
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
                    meant: names.meant(&reference)?,
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
                    meant: names.scope_like(scope)?,
                    server: name.clone(),
                    scope: scope.clone(),
                    kind: kind.unwrap_or_default(),
                });
            }
        }
    }
    Ok(missing)
}

/// Returns the secrets that a server refers to one by one. It may get more: those of [whole scopes](Transport::scopes).
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
            let names = match self.open.store().secret_names(scope) {
                Ok(names) => names.into_iter().collect(),
                Err(error) if error.kind() == ErrorKind::NotFound => BTreeSet::new(),
                Err(error) => return Err(error),
            };
            self.known.insert(scope.clone(), names);
        }
        Ok(self.known.entry(scope.clone()).or_default())
    }

    /// Returns a name that was probably meant by that of a secret that is not there.
    fn meant(&mut self, reference: &Reference) -> Result<Option<String>, StoreError> {
        let names = self.of(&reference.scope)?;
        if names.is_empty() {
            return self.scope_like(&reference.scope);
        }
        let meant = closest(
            reference.name.as_str(),
            names.iter().map(SecretName::as_str),
        );
        Ok(meant.map(str::to_owned))
    }

    /// Returns the name of a scope that was probably meant by one that is not there.
    fn scope_like(&self, scope: &ScopeId) -> Result<Option<String>, StoreError> {
        let scopes = self.open.store().scope_names()?;
        let others = scopes.iter().filter(|it| *it != scope);
        let meant = closest(scope.as_str(), others.map(ScopeId::as_str));
        Ok(meant.map(str::to_owned))
    }
}
