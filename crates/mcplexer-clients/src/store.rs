//! Adopting with a [`Store`]: planning for what it holds, storing, and reading back.

use std::collections::HashSet;

use mcplexer_secrets::{
    Error, ImportAction, NewScope, OnConflict, ScopeInfo, SecretName, SecretStore, SecretValue,
    Store,
};

use crate::adoption::Adoption;
use crate::choice::Choice;
use crate::config::ClientConfig;
use crate::error::AdoptError;
use crate::finding::{Outcome, Stays};
use crate::scopes::Destination;

/// Plans an adoption for what a store holds now. Changes nothing.
///
/// # Errors
/// As [`ClientConfig::plan`].
pub fn plan(
    config: &ClientConfig,
    store: &Store,
    program: &str,
    choice: &Choice<'_>,
) -> Result<Adoption, AdoptError> {
    let scopes = store.scopes()?;
    let destination = Destination {
        scopes: &scopes,
        holds_other: &|scope, secrets| {
            let scope = NewScope::env(scope.clone());
            let planned = store.plan_import(&scope, secrets, OnConflict::Overwrite)?;
            Ok(planned.count(ImportAction::Replace) > 0)
        },
    };
    let mut adoption = config.plan(&destination, program, choice)?;
    check_references(&mut adoption, &scopes, store)?;
    Ok(adoption)
}

/// Marks the references to secrets that the store does not have and the adoption does not store.
fn check_references(
    adoption: &mut Adoption,
    scopes: &[ScopeInfo],
    store: &Store,
) -> Result<(), Error> {
    let planned = adoption.secrets().flat_map(|(scope, secrets)| {
        let names = secrets.iter().map(|(name, _)| name.clone());
        names.map(|name| (scope.clone(), name))
    });
    let mut known: HashSet<_> = planned.collect();
    let references = std::mem::take(&mut adoption.references);
    let referred: HashSet<_> = references.iter().map(|(_, it)| &it.scope).collect();
    for scope in scopes.iter().map(|it| &it.id) {
        if referred.contains(scope) {
            let names = store.secret_names(scope)?;
            known.extend(names.into_iter().map(|name| (scope.clone(), name)));
        }
    }
    for (at, reference) in references {
        let is_known = known.contains(&(reference.scope.clone(), reference.name.clone()));
        if let Some(finding) = adoption.findings.get_mut(at).filter(|_| !is_known) {
            finding.outcome = Outcome::Stays(Stays::Missing(reference));
        }
    }
    Ok(())
}

/// Stores the credentials of an adoption in one commit, or none of them, and reads each of them back.
///
/// # Errors
/// - [`AdoptError::ReadBack`] if a value does not come back as it was stored.
/// - [`AdoptError::Store`] if the store fails; with
///   [`Conflicts`](mcplexer_secrets::Error::Conflicts) if it has got another value since the plan.
pub fn save(adoption: &Adoption, store: &Store) -> Result<(), AdoptError> {
    let secrets = adoption.secrets();
    let imports = secrets.map(|(scope, secrets)| (NewScope::env(scope.clone()), secrets));
    let imports: Vec<_> = imports.collect();
    store.import_all(&imports, OnConflict::Fail)?;
    read_back(store, &imports)
}

/// What goes into a scope, which is created like this if it does not exist.
type Import<'a> = (NewScope, &'a [(SecretName, SecretValue)]);

fn read_back(store: &Store, imports: &[Import<'_>]) -> Result<(), AdoptError> {
    let planned = store.plan_import_all(imports, OnConflict::Fail)?;
    for ((scope, _), stored) in imports.iter().zip(planned) {
        let differs = |(_, action): &(_, _)| *action != ImportAction::Same;
        if let Some((name, _)) = stored.secrets.into_iter().find(differs) {
            return Err(AdoptError::ReadBack {
                scope: scope.id.clone(),
                name,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use mcplexer_secrets::keys::FixedKeys;
    use mcplexer_secrets::{PutMode, ScopeId};

    use super::*;

    #[test]
    fn another_value_is_noticed_when_it_is_read_back() {
        let store = Store::in_memory(FixedKeys::generate()).unwrap();
        let (scope, name): (ScopeId, SecretName) = ("s".parse().unwrap(), "K".parse().unwrap());
        let value = |text: &str| SecretValue::copy_of(text.as_bytes()).unwrap();
        store
            .put(
                &NewScope::env(scope.clone()),
                &name,
                &value("other"),
                PutMode::Overwrite,
            )
            .unwrap();
        let read_back =
            |secrets: &[_]| read_back(&store, &[(NewScope::env(scope.clone()), secrets)]);
        let error = read_back(&[(name.clone(), value("visible?"))]).unwrap_err();
        assert_eq!(error.to_string(), "s/K does not come back as it was stored");
        assert!(!format!("{error:?}").contains("visible"));
        read_back(&[(name, value("other"))]).unwrap();
    }
}
