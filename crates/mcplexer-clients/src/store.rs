//! Adopting with a [`Store`]: planning for what it holds, storing, and reading back.

use std::collections::HashMap;

use mcplexer_secrets::{
    ImportAction, NewScope, OnConflict, Purpose, ScopeId, SecretName, SecretStore, SecretValue,
    Select, Store,
};

use crate::adoption::Adoption;
use crate::choice::Choice;
use crate::config::ClientConfig;
use crate::error::AdoptError;
use crate::scopes::Destination;

/// What is opened here is only compared.
const READ_BACK: Purpose<'_> = Purpose::Inject { program: None };

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
    config.plan(&destination, program, choice)
}

/// Stores the credentials of an adoption, one commit for each scope, and reads each of them back.
///
/// # Errors
/// - [`AdoptError::ReadBack`] if a value does not come back as it was stored.
/// - [`AdoptError::Store`] if the store fails; with
///   [`Conflicts`](mcplexer_secrets::Error::Conflicts) if it has got another value since the plan.
///
/// Keeps the scopes that were stored before the error.
pub fn save(adoption: &Adoption, store: &Store) -> Result<(), AdoptError> {
    for (scope, secrets) in adoption.secrets() {
        store.import(&NewScope::env(scope.clone()), secrets, OnConflict::Fail)?;
        read_back(store, scope, secrets)?;
    }
    Ok(())
}

fn read_back(
    store: &dyn SecretStore,
    scope: &ScopeId,
    secrets: &[(SecretName, SecretValue)],
) -> Result<(), AdoptError> {
    let names: Vec<_> = secrets.iter().map(|(name, _)| name.clone()).collect();
    let stored = store.credentials(scope, Select::Only(&names), READ_BACK)?;
    let stored: HashMap<_, _> = stored.iter().map(|it| (it.name, it.value)).collect();
    for (name, value) in secrets {
        let stored = stored.get(name).map(|value| value.expose());
        if stored != Some(value.expose()) {
            return Err(AdoptError::ReadBack {
                scope: scope.clone(),
                name: name.clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use mcplexer_secrets::PutMode;
    use mcplexer_secrets::keys::FixedKeys;

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
        let secrets = [(name.clone(), value("visible?"))];
        let error = read_back(&store, &scope, &secrets).unwrap_err();
        assert_eq!(error.to_string(), "s/K does not come back as it was stored");
        assert!(!format!("{error:?}").contains("visible"));
        read_back(&store, &scope, &[(name, value("other"))]).unwrap();
    }
}
