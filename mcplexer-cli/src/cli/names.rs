//! The names on the command line, among which a value may be.

use clap::ArgMatches;
use mcplexer_files::reference::Reference;
use mcplexer_home::environment::{ChosenKey, Rename};
use mcplexer_home::{Home, Names};
use mcplexer_secrets::{ScopeId, SecretName};

use crate::failure::{Failure, has_credential};

/// The scopes and the secrets that the arguments of a command name.
#[derive(Debug, Default)]
pub(crate) struct Named {
    scopes: Vec<ScopeId>,
    keys: Vec<SecretName>,
}

impl Named {
    /// Returns what was named. A log that has a value in the place of a name must stay readable by that name.
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let mut named = Self::default();
        if matches.subcommand_name() != Some("audit") {
            named.add(matches);
        }
        named
    }

    /// Returns what a file names, for a scope.
    pub(crate) fn in_file<'a>(
        scope: &ScopeId,
        keys: impl IntoIterator<Item = &'a SecretName>,
    ) -> Self {
        Self {
            scopes: vec![scope.clone()],
            keys: keys.into_iter().cloned().collect(),
        }
    }

    fn add(&mut self, matches: &ArgMatches) {
        for id in matches.ids() {
            let id = id.as_str();
            let (scopes, keys) = (&mut self.scopes, &mut self.keys);
            let mut chosen = |it: &ChosenKey| {
                scopes.extend(it.scope.clone());
                keys.push(it.name.clone());
            };
            if let Ok(Some(names)) = matches.try_get_many::<ChosenKey>(id) {
                names.for_each(&mut chosen);
            }
            if let Ok(Some(names)) = matches.try_get_many::<Rename>(id) {
                names.for_each(|it| chosen(&it.from));
            }
            if let Ok(Some(names)) = matches.try_get_many::<Reference>(id) {
                for it in names {
                    scopes.push(it.scope.clone());
                    keys.push(it.name.clone());
                }
            }
            if let Ok(Some(names)) = matches.try_get_many::<ScopeId>(id) {
                scopes.extend(names.cloned());
            }
            if let Ok(Some(names)) = matches.try_get_many::<SecretName>(id) {
                keys.extend(names.cloned());
            }
        }
        if let Some((_, below)) = matches.subcommand() {
            self.add(below);
        }
    }

    /// Refuses a name that looks like a value: the store has names in the clear, and so has the log. Accepts one that the
    /// store has already, so that it can be renamed or deleted.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let mut store = None;
        let mut is_new = |is_there: &dyn Fn(&Names) -> bool| {
            let open = || Names::of(&Home::from_env().ok()?).ok();
            !store
                .get_or_insert_with(open)
                .as_ref()
                .is_some_and(is_there)
        };
        for scope in self.scopes.iter().filter(|it| has_credential(it.as_str())) {
            if is_new(&|store| store.scopes().is_ok_and(|all| all.contains(scope))) {
                return Err(Failure::of_value_as_name("scope"));
            }
        }
        for key in self.keys.iter().filter(|it| has_credential(it.as_str())) {
            let has = |store: &Names, scope: &ScopeId| {
                store.secrets(scope).is_ok_and(|all| all.contains(key))
            };
            if is_new(&|store| self.scopes.iter().any(|scope| has(store, scope))) {
                return Err(Failure::of_value_as_name("secret"));
            }
        }
        Ok(())
    }
}
