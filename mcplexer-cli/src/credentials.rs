//! Which secrets a command needs, and the same opened: one unlock, and each scope once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mcplexer_files::reference::Reference;
use mcplexer_mask::Known;
use mcplexer_secrets::{
    Credential, Credentials, Error, Purpose, ScopeId, SecretName, SecretStore, SecretValue, Select,
};

use crate::exit_code;
use crate::failure::Failure;
use crate::session::Session;

/// The secrets that a command needs, by scope.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    scopes: BTreeMap<ScopeId, Want>,
    /// Where the references stand, for messages.
    places: HashMap<Reference, String>,
}

#[derive(Debug, Default)]
pub(crate) struct Want {
    all: bool,
    required: BTreeSet<SecretName>,
    if_there: BTreeSet<SecretName>,
}

/// Opened secrets, by scope.
#[derive(Debug)]
pub(crate) struct Opened(BTreeMap<ScopeId, Credentials>);

impl Wanted {
    /// A scope, for now without any of its secrets.
    pub(crate) fn scope(&mut self, scope: &ScopeId) -> &mut Want {
        self.scopes.entry(scope.clone()).or_default()
    }

    /// Every secret of a scope.
    pub(crate) fn all_of(&mut self, scope: &ScopeId) {
        self.scope(scope).all = true;
    }

    /// A secret that must be there.
    pub(crate) fn required(&mut self, scope: &ScopeId, name: &SecretName) {
        self.scope(scope).required.insert(name.clone());
    }

    /// A secret that may be there.
    pub(crate) fn if_there(&mut self, scope: &ScopeId, name: &SecretName) {
        self.scope(scope).if_there.insert(name.clone());
    }

    /// A secret that a text refers to, at some place in it.
    pub(crate) fn referred(&mut self, reference: &Reference, place: String) {
        self.required(&reference.scope, &reference.name);
        self.places.entry(reference.clone()).or_insert(place);
    }

    /// Every secret of each of these scopes.
    pub(crate) fn with_all_of_each(mut self) -> Self {
        self.scopes.values_mut().for_each(|want| want.all = true);
        self
    }

    /// Opens them for a purpose. Fails if a required secret is missing, with its name, and its place
    /// if a text refers to it.
    pub(crate) fn open(&self, session: &Session, purpose: Purpose<'_>) -> Result<Opened, Failure> {
        let mut opened = BTreeMap::new();
        for (scope, want) in &self.scopes {
            let credentials = want.open(session, scope, purpose).map_err(|error| {
                let place = self.place_of(&error);
                let failure = session.explain(error);
                match place {
                    Some(place) => failure.at(place),
                    None => failure,
                }
            })?;
            if credentials.is_empty() && want.all && want.required.is_empty() {
                return Err(no_secrets(scope));
            }
            opened.insert(scope.clone(), credentials);
        }
        Ok(Opened(opened))
    }

    fn place_of(&self, error: &Error) -> Option<&str> {
        let is_it = |reference: &Reference| match error {
            Error::ScopeNotFound { scope } => reference.scope == *scope,
            Error::SecretNotFound { scope, name } => {
                (&reference.scope, &reference.name) == (scope, name)
            }
            _ => false,
        };
        let places = self.places.iter().filter(|(reference, _)| is_it(reference));
        places.map(|(_, place)| place.as_str()).min()
    }
}

/// Labels a secret `SCOPE/KEY` for the masker and the scanner.
pub(crate) fn known(secret: Credential<'_>) -> Known<'_> {
    Known {
        label: format!("{}/{}", secret.scope, secret.name),
        value: secret.value.expose(),
    }
}

/// There is nothing in a scope to put to use.
pub(crate) fn no_secrets(scope: &ScopeId) -> Failure {
    Failure::new(format!("scope {scope} has no secrets"))
        .with_hint(format!("mcplexer secret put {scope} KEY stores one"))
        .with_code(exit_code::NOT_FOUND)
}

impl Want {
    fn open(
        &self,
        session: &Session,
        scope: &ScopeId,
        purpose: Purpose<'_>,
    ) -> Result<Credentials, Error> {
        let names = |names: &[&BTreeSet<SecretName>]| -> Vec<SecretName> {
            names.iter().copied().flatten().cloned().collect()
        };
        let store = &session.store;
        if !self.all && self.if_there.is_empty() {
            let required = names(&[&self.required]);
            return store.credentials(scope, Select::Only(&required), purpose);
        }
        let credentials = if self.all {
            store.credentials(scope, Select::All, purpose)?
        } else {
            let any = names(&[&self.required, &self.if_there]);
            store.credentials(scope, Select::AnyOf(&any), purpose)?
        };
        let missing = |name: &&SecretName| credentials.get(name).is_none();
        match self.required.iter().find(missing) {
            None => Ok(credentials),
            Some(name) => Err(Error::SecretNotFound {
                scope: scope.clone(),
                name: name.clone(),
            }),
        }
    }
}

impl Opened {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Credentials> {
        self.0.values()
    }

    pub(crate) fn scope(&self, scope: &ScopeId) -> Option<&Credentials> {
        self.0.get(scope)
    }

    /// What was referred to was not among what was wanted: a mistake of this program.
    pub(crate) fn lacks_one() -> Failure {
        Failure::new("a reference was left out; nothing was done")
    }

    pub(crate) fn value(&self, reference: &Reference) -> Option<&SecretValue> {
        self.scope(&reference.scope)?.get(&reference.name)
    }

    pub(crate) fn credential(&self, reference: &Reference) -> Option<Credential<'_>> {
        let mut credentials = self.scope(&reference.scope)?.iter();
        credentials.find(|it| *it.name == reference.name)
    }
}
