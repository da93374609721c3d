//! Several secrets at once: of one scope, or of all scopes.

use super::not_found;
use super::recorder::Subject;
use super::secret::SecretInfo;
use super::vault::{IfMissing, Vault};
use crate::audit::AuditOperation;
use crate::{Error, ScopeId, SecretName, SecretValue};

/// Deletes secrets, all of them or none.
pub(super) fn delete(vault: &Vault, scope: &ScopeId, names: &[SecretName]) -> Result<(), Error> {
    let subject = Subject::secrets(AuditOperation::Delete, scope, names);
    vault.write(subject, IfMissing::ScopeNotFound(scope), |writer| {
        for name in names {
            writer.delete_secret(scope, name)?;
            if names.len() > 1 {
                writer.add_secret_part(AuditOperation::Delete, scope, name);
            }
        }
        Ok(())
    })
}

/// Opens secrets of one state of the store, with what is said about them.
pub(super) fn get(
    vault: &Vault,
    scope: &ScopeId,
    names: &[SecretName],
) -> Result<Vec<(SecretInfo, SecretValue)>, Error> {
    let subject = Subject::secrets(AuditOperation::Get, scope, names);
    let opened = vault.read(subject, |reader| {
        let reader = reader.existing_scope(scope)?;
        let open = |name| {
            let value = reader.existing_secret(name)?;
            let entry = reader.entry(name)?;
            let entry = entry.ok_or_else(|| not_found::secret(scope, name))?;
            Ok((entry.info(), value))
        };
        names.iter().map(open).collect()
    });
    opened?.ok_or_else(|| not_found::scope(scope))
}

/// Lists the secrets of all scopes.
pub(super) fn list(vault: &Vault) -> Result<Vec<(ScopeId, SecretInfo)>, Error> {
    let subject = Subject::store(AuditOperation::List);
    let listed = vault.read_names(subject, |names| {
        let mut all = Vec::new();
        for scope in names.scope_ids()? {
            let secrets = names.listed_secrets(&scope)?;
            all.extend(secrets.into_iter().map(|info| (scope.clone(), info)));
        }
        Ok(all)
    });
    Ok(listed?.unwrap_or_else(Vec::new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::{filled, id, name, vault};

    #[test]
    fn several_secrets_are_deleted_together_or_not_at_all() {
        let vault = filled();
        let names = [name("K"), name("X")];
        let missing = delete(&vault, &id("s"), &names);
        assert!(matches!(missing, Err(Error::SecretNotFound { name, .. }) if name == names[1]));
        assert_eq!(get(&vault, &id("s"), &names[..1]).unwrap().len(), 1);
        delete(&vault, &id("s"), &[name("L"), name("K")]).unwrap();
        assert!(list(&vault).unwrap().is_empty());
    }

    #[test]
    fn several_values_are_opened_in_the_order_asked_for() {
        let vault = filled();
        let opened = get(&vault, &id("s"), &[name("L"), name("K")]).unwrap();
        let opened: Vec<_> = opened
            .iter()
            .map(|(info, value)| (info.name.as_str(), value.expose()))
            .collect();
        assert_eq!(opened, [("L", &b"L"[..]), ("K", b"K")]);
        let missing = get(&vault, &id("s"), &[name("L"), name("X")]);
        assert!(matches!(missing, Err(Error::SecretNotFound { .. })));
        let missing = get(&vault, &id("x"), &[]);
        assert!(matches!(missing, Err(Error::ScopeNotFound { .. })));
    }

    #[test]
    fn the_secrets_of_all_scopes_are_listed() {
        let listed = list(&filled()).unwrap();
        let listed: Vec<_> = listed
            .iter()
            .map(|(scope, info)| (scope.as_str(), info.name.as_str()))
            .collect();
        assert_eq!(listed, [("s", "K"), ("s", "L")]);
        assert!(list(&vault()).unwrap().is_empty());
    }
}
