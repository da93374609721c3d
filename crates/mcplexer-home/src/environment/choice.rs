//! Which secrets of which scopes a command gets, and under which names.

use std::fmt;
use std::str::FromStr;

use mcplexer_secrets::{ScopeId, ScopeKind, SecretName};

use super::Error;
use crate::credentials::Wanted;

/// The secrets to pass: all of these scopes, or `only` some, and some under another name.
#[derive(Debug)]
pub struct Choice {
    /// The scopes whose secrets are passed on.
    pub scopes: Vec<ScopeId>,
    /// All secrets if empty.
    pub only: Vec<ChosenKey>,
    /// Other names for some of them.
    pub renames: Vec<Rename>,
    /// Variables that may take over the command ([`takes_over`](super::takes_over)).
    pub allowed: Vec<String>,
}

impl Choice {
    /// Asks for the chosen secrets to be opened.
    pub fn want(&self, wanted: &mut Wanted) {
        let scopes = self.distinct_scopes();
        for scope in &scopes {
            // The scope must exist, even if none of its secrets is chosen.
            wanted.scope(scope);
            if self.only.is_empty() {
                wanted.all_of(scope);
            }
            for key in self.only.iter().filter(|key| key.may_be_in(scope)) {
                if scopes.len() > 1 && key.scope.is_none() {
                    wanted.if_there(scope, &key.name);
                } else {
                    wanted.required(scope, &key.name);
                }
            }
        }
    }

    /// Returns the scopes, sorted, each once.
    pub(super) fn distinct_scopes(&self) -> Vec<&ScopeId> {
        let mut scopes: Vec<_> = self.scopes.iter().collect();
        scopes.sort();
        scopes.dedup();
        scopes
    }

    /// Returns whether a secret of one of the scopes is chosen.
    pub(super) fn has(&self, scope: &ScopeId, name: &SecretName) -> bool {
        self.only.is_empty() || self.only.iter().any(|key| key.is(scope, name))
    }

    /// Checks that each key that `only` and `renames` name is given.
    pub(super) fn check(&self, is_given: impl Fn(&ChosenKey) -> bool) -> Result<(), Error> {
        let scopes = || self.scopes.clone();
        if let Some(key) = self.only.iter().find(|key| !is_given(key)).cloned() {
            let scopes = scopes();
            return Err(Error::NothingToPass { key, scopes });
        }
        let mut renamed = self.renames.iter().map(|rename| &rename.from);
        match renamed.find(|key| !is_given(key)).cloned() {
            None => Ok(()),
            Some(key) if !self.only.is_empty() => Err(Error::RenamedAndLeftOut { key }),
            Some(key) => {
                let scopes = scopes();
                Err(Error::NothingToRename { key, scopes })
            }
        }
    }

    /// Returns the other name of a secret, if it has one.
    pub(super) fn rename_of(
        &self,
        scope: &ScopeId,
        name: &SecretName,
    ) -> Result<Option<&SecretName>, Error> {
        let mut renames = self.renames.iter().filter(|it| it.from.is(scope, name));
        let first = renames.next();
        if renames.next().is_some() {
            return Err(Error::RenamedTwice {
                scope: scope.clone(),
                name: name.clone(),
            });
        }
        Ok(first.map(|rename| &rename.to))
    }
}

/// A secret of the scopes at hand: `KEY`, or `SCOPE/KEY` for that of one scope.
#[derive(Debug, Clone)]
pub struct ChosenKey {
    /// The scope; any of those chosen if it is `None`.
    pub scope: Option<ScopeId>,
    /// The name of the secret.
    pub name: SecretName,
}

impl ChosenKey {
    /// Returns whether it names this secret of this scope.
    pub(super) fn is(&self, scope: &ScopeId, name: &SecretName) -> bool {
        self.name == *name && self.may_be_in(scope)
    }

    fn may_be_in(&self, scope: &ScopeId) -> bool {
        self.scope.as_ref().is_none_or(|it| it == scope)
    }
}

impl FromStr for ChosenKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scope, name) = match text.split_once('/') {
            Some((scope, name)) => (Some(scope), name),
            None => (None, text),
        };
        let scope = scope.map(str::parse::<ScopeId>).transpose();
        Ok(Self {
            scope: scope.map_err(|error| error.to_string())?,
            name: name.parse().map_err(|error| format!("{error}"))?,
        })
    }
}

impl fmt::Display for ChosenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Some(scope) => write!(f, "{scope}/{}", self.name),
            None => self.name.fmt(f),
        }
    }
}

/// Another name for a secret: `KEY=NAME` or `SCOPE/KEY=NAME`.
#[derive(Debug, Clone)]
pub struct Rename {
    /// The secret.
    pub from: ChosenKey,
    /// The name of the variable.
    pub to: SecretName,
}

impl FromStr for Rename {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once('=').ok_or("expected KEY=NAME")?;
        let to: SecretName = to.parse().map_err(|error| format!("{error}"))?;
        ScopeKind::Env
            .check(&to)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            from: from.parse()?,
            to,
        })
    }
}
