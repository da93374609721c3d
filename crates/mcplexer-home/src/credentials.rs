//! The secrets that a command needs, collected first and then opened together: one unlock, and
//! each scope once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mcplexer_files::reference::Reference;
use mcplexer_secrets::{
    Credential, Credentials, Error as StoreError, Purpose, ScopeId, SecretInfo, SecretName,
    SecretStore, SecretValue, Select,
};

/// The secrets that a command needs, by scope.
#[derive(Debug, Default)]
pub struct Wanted {
    scopes: BTreeMap<ScopeId, Want>,
    /// Where each reference is, for messages.
    places: HashMap<Reference, String>,
}

#[derive(Debug, Default)]
struct Want {
    all: bool,
    /// Open all of them, although not all are used.
    rest: bool,
    required: BTreeSet<SecretName>,
    optional: BTreeSet<SecretName>,
}

/// Opened secrets, by scope. Its `Debug` shows no value.
#[derive(Debug)]
pub struct Opened {
    scopes: BTreeMap<ScopeId, Credentials>,
    due: Vec<(ScopeId, SecretInfo)>,
}

/// A failure to open secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store does not give them out.
    #[error("{}{source}", at(.place))]
    Store {
        /// The place of the reference to the missing scope or secret, if a text refers to it.
        place: Option<String>,
        /// What is wrong.
        source: StoreError,
    },
    /// Every secret of a scope is needed, and it has none.
    #[error("scope {scope} has no secrets")]
    NoSecrets {
        /// The scope.
        scope: ScopeId,
    },
}

fn at(place: &Option<String>) -> String {
    place
        .as_ref()
        .map_or_else(String::new, |it| format!("{it}: "))
}

impl Wanted {
    /// Adds a scope, so far without any of its secrets. The scope must exist.
    pub fn scope(&mut self, scope: &ScopeId) {
        self.want(scope);
    }

    /// Adds every secret of a scope.
    pub fn all_of(&mut self, scope: &ScopeId) {
        self.want(scope).all = true;
    }

    /// Adds a secret that must exist.
    pub fn required(&mut self, scope: &ScopeId, name: &SecretName) {
        self.want(scope).required.insert(name.clone());
    }

    /// Adds a secret that may be missing.
    pub fn if_there(&mut self, scope: &ScopeId, name: &SecretName) {
        self.want(scope).optional.insert(name.clone());
    }

    /// Adds a secret that a text refers to, and the place of the reference in it.
    pub fn referred(&mut self, reference: &Reference, place: String) {
        self.required(&reference.scope, &reference.name);
        self.places.entry(reference.clone()).or_insert(place);
    }

    /// Adds the other secrets of each scope added so far, which are opened and not used.
    #[must_use]
    pub fn with_all_of_each(mut self) -> Self {
        self.scopes.values_mut().for_each(|want| want.rest = true);
        self
    }

    /// Opens the secrets for a purpose.
    ///
    /// # Errors
    /// - [`Error::Store`] if one that must exist does not, or the store cannot be opened.
    /// - [`Error::NoSecrets`] if a whole scope was added and has no secrets.
    pub fn open(&self, store: &dyn SecretStore, purpose: Purpose<'_>) -> Result<Opened, Error> {
        let (mut scopes, mut due) = (BTreeMap::new(), Vec::new());
        for (scope, want) in &self.scopes {
            let credentials = want
                .open(store, scope, purpose)
                .map_err(|source| Error::Store {
                    place: self.place_of(&source).map(str::to_owned),
                    source,
                })?;
            if credentials.is_empty() && want.opens_all() && want.required.is_empty() {
                return Err(Error::NoSecrets {
                    scope: scope.clone(),
                });
            }
            let used = credentials.due().iter().filter(|it| want.uses(&it.name));
            due.extend(used.map(|secret| (scope.clone(), secret.clone())));
            scopes.insert(scope.clone(), credentials);
        }
        Ok(Opened { scopes, due })
    }

    fn want(&mut self, scope: &ScopeId) -> &mut Want {
        self.scopes.entry(scope.clone()).or_default()
    }

    fn place_of(&self, error: &StoreError) -> Option<&str> {
        let is_it = |reference: &Reference| match error {
            StoreError::ScopeNotFound { scope } => reference.scope == *scope,
            StoreError::SecretNotFound { scope, name } => {
                (&reference.scope, &reference.name) == (scope, name)
            }
            _ => false,
        };
        let places = self.places.iter().filter(|(reference, _)| is_it(reference));
        places.map(|(_, place)| place.as_str()).min()
    }
}

impl Want {
    fn opens_all(&self) -> bool {
        self.all || self.rest
    }

    fn uses(&self, name: &SecretName) -> bool {
        self.all || self.required.contains(name) || self.optional.contains(name)
    }

    fn open(
        &self,
        store: &dyn SecretStore,
        scope: &ScopeId,
        purpose: Purpose<'_>,
    ) -> Result<Credentials, StoreError> {
        let names = |names: &[&BTreeSet<SecretName>]| -> Vec<SecretName> {
            names.iter().copied().flatten().cloned().collect()
        };
        if !self.opens_all() && self.optional.is_empty() {
            return store.credentials(scope, Select::Only(&names(&[&self.required])), purpose);
        }
        let credentials = if self.opens_all() {
            store.credentials(scope, Select::All, purpose)?
        } else {
            let any = names(&[&self.required, &self.optional]);
            store.credentials(scope, Select::AnyOf(&any), purpose)?
        };
        let missing = |name: &&SecretName| credentials.get(name).is_none();
        match self.required.iter().find(missing) {
            None => Ok(credentials),
            Some(name) => Err(StoreError::SecretNotFound {
                scope: scope.clone(),
                name: name.clone(),
            }),
        }
    }
}

impl Opened {
    /// Iterates over the scopes.
    pub fn iter(&self) -> impl Iterator<Item = &Credentials> {
        self.scopes.values()
    }

    /// Returns the secrets of a scope.
    #[must_use]
    pub fn scope(&self, scope: &ScopeId) -> Option<&Credentials> {
        self.scopes.get(scope)
    }

    /// Returns those of the secrets to use that have expired or were to be rotated, by scope.
    #[must_use]
    pub fn due(&self) -> &[(ScopeId, SecretInfo)] {
        &self.due
    }

    /// Returns the value that a reference stands for.
    #[must_use]
    pub fn value(&self, reference: &Reference) -> Option<&SecretValue> {
        self.scope(&reference.scope)?.get(&reference.name)
    }

    /// Returns the secret that a reference stands for.
    #[must_use]
    pub fn credential(&self, reference: &Reference) -> Option<Credential<'_>> {
        let mut credentials = self.scope(&reference.scope)?.iter();
        credentials.find(|it| *it.name == reference.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSE: Purpose<'_> = Purpose::Scan;
    use mcplexer_secrets::keys::FixedKeys;
    use mcplexer_secrets::{Change, NewScope, PutMode, SecretEdit, Store, Timestamp};

    fn store() -> Store {
        let store = Store::in_memory(FixedKeys::generate()).unwrap();
        for name in ["A", "B"] {
            let value = SecretValue::new(name.into()).unwrap();
            let (scope, name) = (NewScope::env("web".parse().unwrap()), name.parse().unwrap());
            store
                .put(&scope, &name, &value, PutMode::Overwrite)
                .unwrap();
        }
        store
    }

    fn names(opened: &Opened) -> Vec<String> {
        let all = opened.iter().flat_map(Credentials::iter);
        all.map(|it| it.name.to_string()).collect()
    }

    #[test]
    fn only_what_is_wanted_is_opened() {
        let (scope, a, c) = (
            "web".parse().unwrap(),
            "A".parse().unwrap(),
            "C".parse().unwrap(),
        );
        let mut wanted = Wanted::default();
        wanted.required(&scope, &a);
        assert_eq!(names(&wanted.open(&store(), PURPOSE).unwrap()), ["A"]);
        wanted.if_there(&scope, &c);
        assert_eq!(names(&wanted.open(&store(), PURPOSE).unwrap()), ["A"]);
        let all = wanted.with_all_of_each();
        assert_eq!(names(&all.open(&store(), PURPOSE).unwrap()), ["A", "B"]);
    }

    #[test]
    fn what_has_expired_is_due_if_it_is_used() {
        let store = store();
        let (scope, a) = ("web".parse().unwrap(), "A".parse().unwrap());
        let expired = SecretEdit {
            expires: Change::Set(Timestamp::from_micros(1)),
            ..SecretEdit::default()
        };
        store.edit(&scope, &"B".parse().unwrap(), &expired).unwrap();
        let due = |wanted: Wanted| wanted.open(&store, PURPOSE).unwrap().due().len();
        let mut wanted = Wanted::default();
        wanted.required(&scope, &a);
        assert_eq!(due(wanted.with_all_of_each()), 0);
        let mut wanted = Wanted::default();
        wanted.all_of(&scope);
        assert_eq!(due(wanted), 1);
    }

    #[test]
    fn a_missing_secret_is_named_with_the_place_of_its_reference() {
        let mut wanted = Wanted::default();
        let reference = Reference::of_value("mcplexer://web/C").unwrap();
        wanted.all_of(&reference.scope);
        wanted.referred(&reference, "file, line 2".to_owned());
        let error = wanted.open(&store(), PURPOSE).unwrap_err();
        assert_eq!(error.to_string(), "file, line 2: no secret C in scope web");
    }

    #[test]
    fn a_whole_scope_without_secrets_is_an_error() {
        let store = store();
        let empty: ScopeId = "empty".parse().unwrap();
        store.create_scope(&NewScope::env(empty.clone())).unwrap();
        let mut wanted = Wanted::default();
        wanted.scope(&empty);
        assert!(
            wanted
                .open(&store, PURPOSE)
                .unwrap()
                .value(&Reference::of_value("mcplexer://empty/A").unwrap())
                .is_none()
        );
        wanted.all_of(&empty);
        assert!(matches!(
            wanted.open(&store, PURPOSE),
            Err(Error::NoSecrets { .. })
        ));
    }
}
