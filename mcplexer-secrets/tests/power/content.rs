//! The content of a store, for comparison.

use std::fs;
use std::path::{Path, PathBuf};

use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::keys::{Ask, FileKeys, Identity, KeyProvider};
use mcplexer_secrets::{
    Error, NewScope, Progress, PutMode, ScopeInfo, SecretInfo, SecretStore, SecretValue, SlotInfo,
    Store, VersionInfo,
};

/// Everything in a home directory that can be read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    pub(crate) store: Option<Told>,
    /// The identities in the key file.
    pub(crate) keys: Vec<String>,
}

/// Each secret with its versions, the newest first.
type Secrets = Vec<(SecretInfo, Vec<(u64, Vec<u8>)>)>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    generation: u64,
    slots: Vec<SlotInfo>,
    scopes: Vec<(ScopeInfo, Secrets)>,
}

pub(crate) fn store_file(home: &Path) -> PathBuf {
    home.join("secrets.redb")
}

pub(crate) fn audit_log(home: &Path) -> PathBuf {
    // In a directory of its own, which nothing else has synced.
    home.join("log/audit.log")
}

/// Returns the store of this home, whose reads and writes are recorded in its log.
pub(crate) fn store(home: &Path) -> Result<Store, Error> {
    Ok(silent_store(home)?.with_audit_log(FileAudit::new(audit_log(home))))
}

fn keys(home: &Path) -> FileKeys {
    FileKeys::new(home.join("age.key"))
}

fn silent_store(home: &Path) -> Result<Store, Error> {
    Store::open(store_file(home), keys(home))
}

pub(crate) fn no_progress(_: Progress) {}

impl Content {
    fn told_by(store: &Store, home: &Path) -> Result<Self, Error> {
        let keys = match home.join("age.key").exists() {
            true => keys(home).identities(Ask::Never)?,
            false => Vec::new(),
        };
        Ok(Self {
            store: Told::by(store)?,
            keys: keys.iter().map(Identity::name).collect(),
        })
    }

    /// Reads everything in a copy, so that the original remains unchanged.
    pub(crate) fn of_copy(home: &Path) -> Self {
        let copy = tempfile::tempdir().unwrap();
        if let Ok(names) = fs::read_dir(home) {
            for name in names {
                let from = name.unwrap().path();
                if from.is_dir() {
                    continue;
                }
                fs::copy(&from, copy.path().join(from.file_name().unwrap())).unwrap();
            }
        }
        Self::told_by(&silent_store(copy.path()).unwrap(), copy.path()).unwrap()
    }

    /// Reads everything as after a power cut: the log must verify as well, and if it `goes_on`, the
    /// next change must succeed.
    pub(crate) fn found_in(home: &Path, goes_on: bool) -> Result<Self, String> {
        let said = |error: Error| format!("{error}: {error:?}");
        let store = silent_store(home).map_err(said)?;
        let content = Self::told_by(&store, home).map_err(said)?;
        let verify = |store: &Store| store.verify_audit(&audit_log(home), None).map_err(said);
        verify(&store)?;
        if !goes_on {
            return Ok(content);
        }
        let store = store.with_audit_log(FileAudit::new(audit_log(home)));
        let scope = NewScope::env("after".parse().unwrap());
        let name = "AFTER".parse().unwrap();
        let value = SecretValue::copy_of(b"the power is back").unwrap();
        store
            .put(&scope, &name, &value, PutMode::Overwrite)
            .map_err(said)?;
        let found = store.get(&scope.id, &name).map_err(said)?;
        if found.expose() != value.expose() {
            return Err("what is put then does not come back".into());
        }
        verify(&store)?;
        Ok(content)
    }
}

impl Told {
    fn by(store: &Store) -> Result<Option<Self>, Error> {
        let mut problems = Vec::new();
        let report = store.check(&mut |error| problems.push(error), &mut no_progress)?;
        if let Some(problem) = problems.pop() {
            return Err(problem);
        }
        let Some(report) = report else {
            return Ok(None);
        };
        let mut scopes = Vec::new();
        for info in store.scopes()? {
            let mut secrets = Vec::new();
            for secret in store.list(&info.id)? {
                let mut versions = Vec::new();
                for VersionInfo { version, .. } in store.history(&info.id, &secret.name)? {
                    let value = store.get_version(&info.id, &secret.name, version)?;
                    versions.push((version, value.expose().to_vec()));
                }
                secrets.push((secret, versions));
            }
            scopes.push((info, secrets));
        }
        Ok(Some(Self {
            generation: report.generation,
            slots: store.slots()?,
            scopes,
        }))
    }
}
