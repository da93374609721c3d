//! Copies, moves and renames secrets, and renames scopes. A move is refused where `config.yaml` refers to the old name.

use std::path::PathBuf;

use mcplexer_files::config::Transport;
use mcplexer_files::reference::Reference;
use mcplexer_files::template::Template;
use mcplexer_secrets::{Error as StoreError, Moved, PutMode, ScopeId, Stored};

use crate::config::{self, ScopeToMake, of_home};
use crate::open::OpenHome;

/// A failure to move or to rename.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `config.yaml` refers to the old name.
    #[error("{} refers to {what}: {}", .file.display(), .places.join(", "))]
    Referred {
        /// The file.
        file: PathBuf,
        /// The scope or the secret.
        what: String,
        /// Where, such as `servers.github.env.TOKEN`.
        places: Vec<String>,
    },
    /// `config.yaml` cannot be read or has problems.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The store does not allow it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What to do with references to the old name in `config.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum References {
    /// If there are any, nothing is changed.
    Refuse,
    /// They stay as they are, and refer to nothing.
    Leave,
}

/// Copies the value of a secret; returns the scope to which as well.
///
/// # Errors
/// As [`Store::copy`](mcplexer_secrets::Store::copy); [`Error::Config`] if the scope has to be created and
/// `config.yaml` has problems.
pub fn copy(
    from: &Reference,
    to: &Reference,
    mode: PutMode,
    open: &OpenHome,
) -> Result<(Stored, ScopeToMake), Error> {
    let new = ScopeToMake::find(&to.scope, open)?;
    let from = (&from.scope, &from.name);
    let stored = open.store().copy(from, (&new.scope, &to.name), mode)?;
    Ok((stored, new))
}

/// Moves a secret with its versions; returns the scope to which as well.
///
/// # Errors
/// [`Error::Referred`]; as [`copy`]; as [`Store::move_secret`](mcplexer_secrets::Store::move_secret).
pub fn move_secret(
    from: &Reference,
    to: &Reference,
    mode: PutMode,
    references: References,
    open: &OpenHome,
) -> Result<(Moved, ScopeToMake), Error> {
    // A secret that is not there is the first thing to say.
    open.store().secret_info(&from.scope, &from.name)?;
    if references == References::Refuse {
        require_no_reference(&Old::Secret(from), open)?;
    }
    let new = ScopeToMake::find(&to.scope, open)?;
    let from = (&from.scope, &from.name);
    let moved = open
        .store()
        .move_secret(from, (&new.scope, &to.name), mode)?;
    Ok((moved, new))
}

/// Renames a scope; returns how many secrets it holds.
///
/// # Errors
/// [`Error::Referred`]; as [`Store::rename_scope`](mcplexer_secrets::Store::rename_scope).
pub fn rename_scope(
    scope: &ScopeId,
    new: &ScopeId,
    references: References,
    open: &OpenHome,
) -> Result<usize, Error> {
    if references == References::Refuse && open.store().has_scope(scope)? {
        require_no_reference(&Old::Scope(scope), open)?;
    }
    Ok(open.store().rename_scope(scope, new)?)
}

/// A name that is about to go.
enum Old<'a> {
    Scope(&'a ScopeId),
    Secret(&'a Reference),
}

impl Old<'_> {
    fn is(&self, reference: &Reference) -> bool {
        match self {
            Self::Scope(scope) => reference.scope == **scope,
            Self::Secret(secret) => reference == *secret,
        }
    }

    fn is_scope(&self, id: &ScopeId) -> bool {
        matches!(self, Self::Scope(scope) if *scope == id)
    }

    fn is_in(&self, value: &str) -> bool {
        let template = Template::parse(value.as_bytes()).ok();
        template.is_some_and(|it| it.references().any(|(reference, _)| self.is(reference)))
    }
}

/// Fails if `config.yaml` refers to a name.
fn require_no_reference(old: &Old<'_>, open: &OpenHome) -> Result<(), Error> {
    let config = of_home(open.home())?.unwrap_or_default();
    let mut places = Vec::new();
    for (name, server) in &config.servers {
        let (values, scopes) = match &server.transport {
            Transport::Http(_) => ("headers", "auth.scope"),
            _ => ("env", "scopes"),
        };
        let used = server.transport.values().iter();
        let used = used.filter(|(_, value)| old.is_in(value));
        places.extend(used.map(|(field, _)| format!("servers.{name}.{values}.{field}")));
        if server.transport.scopes().any(|it| old.is_scope(it)) {
            places.push(format!("servers.{name}.{scopes}"));
        }
    }
    let mut named = config.auth_scopes.iter().flatten();
    if named.any(|it| old.is_scope(&it.id)) {
        places.push("auth_scopes".to_owned());
    }
    if places.is_empty() {
        return Ok(());
    }
    Err(Error::Referred {
        file: open.home().config(),
        what: match old {
            Old::Scope(scope) => format!("scope {scope}"),
            Old::Secret(secret) => format!("{}/{}", secret.scope, secret.name),
        },
        places,
    })
}
