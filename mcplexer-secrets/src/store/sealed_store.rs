//! The store that keeps everything encrypted.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::apply::{self, AppliedScope};
use super::backup::{self, BackupReport};
use super::check::{self, CheckReport};
use super::contents::Progress;
use super::import::{self, Import, Imported, OnConflict};
use super::keyring::Keyring;
use super::life::{self, DueSecret, SecretEdit, VersionInfo};
use super::maker::{self, BackupMaker};
use super::names::Names;
use super::options::StoreOptions;
use super::recorder::Subject;
use super::restore::{self, RestoreMode, Restored};
use super::scope::{NewScope, ScopeEdit};
use super::secret::{PutMode, SecretInfo, Stored};
use super::state::SecretState;
use super::unlocked::read_header;
use super::vault::{IfMissing, Vault};
use super::{compact, not_found};
use crate::audit::{Actor, Audit, AuditOperation, AuditSink, KeptLog};
use crate::backend::{Backend, Copied, RedbBackend};
use crate::backup::{Backup, BackupTo};
use crate::keys::{KeyProvider, Pins};
use crate::{Error, ScopeId, SecretName, SecretValue, Timestamp};

mod log;
mod owners;
mod places;
mod secrets;
mod transfers;

/// A [`SecretStore`](crate::SecretStore) in which values, and the keys that encrypt them, are encrypted at rest.
///
/// It is cheap to keep open, and threads may share it. Several processes may use one file at the
/// same time. The key is asked for once, when it is first needed.
pub struct Store {
    vault: Vault,
}

impl Store {
    /// Opens the store in the redb file at `path`. If there is no file, the first put creates it
    /// with mode 0600, and the key.
    ///
    /// # Errors
    /// If the file is not a store, or has a later format.
    pub fn open(path: impl Into<PathBuf>, keys: impl KeyProvider + 'static) -> Result<Self, Error> {
        Self::with_backend(RedbBackend::file(path), keys)
    }

    /// Opens the store in the redb file at `path` as [`open`](Self::open) does, with other options.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(
        path: impl Into<PathBuf>,
        keys: impl KeyProvider + 'static,
        options: &StoreOptions,
    ) -> Result<Self, Error> {
        let backend = RedbBackend::file(path).with_options(options);
        Ok(Self::with_backend(backend, keys)?.with_options(options))
    }

    /// Opens a new store in memory, which is gone when it is dropped. It is encrypted like one on
    /// disk, so tests run the real thing.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn in_memory(keys: impl KeyProvider + 'static) -> Result<Self, Error> {
        Self::with_backend(RedbBackend::in_memory()?, keys)
    }

    /// Opens the store in any other backend.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn with_backend(
        backend: impl Backend + 'static,
        keys: impl KeyProvider + 'static,
    ) -> Result<Self, Error> {
        if let Some(snapshot) = backend.read()? {
            read_header(&*snapshot)?;
        }
        let vault = Vault::new(Arc::new(backend), Arc::new(Keyring::new(Arc::new(keys))));
        Ok(Self { vault })
    }

    /// Sets how long to wait for others, and how many scopes to keep open. A backend that was opened before has options of
    /// its own.
    #[must_use]
    pub fn with_options(mut self, options: &StoreOptions) -> Self {
        self.vault.patience = options.patience();
        self.vault.keyring = Arc::new(self.vault.keyring.with_open_scopes(options.open_scopes()));
        self
    }

    /// Records every operation in `sink`. An operation that cannot be recorded fails.
    #[must_use]
    pub fn with_audit(mut self, sink: impl AuditSink + 'static) -> Self {
        self.vault.recorder = self.vault.recorder.to(Audit::Sink(Box::new(sink)));
        self
    }

    /// Records every operation in `log`, and vouches for it: each change seals its line into the
    /// store. An operation that cannot be recorded fails, and so does a change if a sealed line is
    /// gone.
    #[must_use]
    pub fn with_audit_log(mut self, log: impl KeptLog + 'static) -> Self {
        self.vault.recorder = self.vault.recorder.to(Audit::Log(Box::new(log)));
        self
    }

    /// Remembers the root keys that an owner has accepted whose identity cannot claim a store: one of a plugin, or
    /// one that a [`KeyHolder`](crate::keys::KeyHolder) keeps. Without pins, such an owner accepts every store that the
    /// identity opens.
    #[must_use]
    pub fn with_pins(mut self, pins: Pins) -> Self {
        self.vault.keyring = Arc::new(self.vault.keyring.with_pins(pins));
        self
    }

    /// Returns the same open store, whose operations are recorded as done by `actor` instead of this
    /// process. It is cheap: both share everything else.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Self {
        let mut vault = self.vault.clone();
        vault.recorder = vault.recorder.acting_as(actor);
        Self { vault }
    }

    /// Whether there is a store yet.
    ///
    /// # Errors
    /// If the backend cannot be read; [`Error::Tampered`] if the audit log has changes of a store that is gone.
    pub fn exists(&self) -> Result<bool, Error> {
        self.vault.exists_and_is_not_lost()
    }

    /// Returns whether what was read last came from a copy, because the store itself could not be reached.
    #[must_use]
    pub fn copied(&self) -> Option<Copied> {
        self.vault.copied()
    }

    /// Creates an empty store, and a key if the provider has none yet. Returns whether it did: a
    /// store that exists stays as it is.
    ///
    /// # Errors
    /// If there is no key, or the store cannot be written.
    pub fn init(&self) -> Result<bool, Error> {
        if self.exists()? {
            return Ok(false);
        }
        let subject = Subject::store(AuditOperation::Init);
        self.vault.write(subject, IfMissing::CREATE, |_| Ok(()))?;
        Ok(true)
    }

    /// Returns whether there was no store, and a change through this handle has made one.
    #[must_use]
    pub fn has_created(&self) -> bool {
        self.vault.has_created()
    }

    /// Opens the store with the keys at hand, and gives nothing out. Names can be read without a key: this says whether values
    /// can. Returns `false` if there is no store. Not recorded.
    ///
    /// # Errors
    /// [`Error::Locked`] if no key opens the store.
    pub fn unlock(&self) -> Result<bool, Error> {
        Ok(self.vault.peek(|_| Ok(()))?.is_some())
    }

    /// Whether the scope exists. Verified if a key is at hand; not recorded.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn has_scope(&self, scope: &ScopeId) -> Result<bool, Error> {
        let found = self.vault.peek_names(|names| names.has_scope(scope))?;
        Ok(found.unwrap_or(false))
    }

    /// Returns the ids of all scopes, sorted; none if there is no store. Verified if a key is at
    /// hand; not recorded.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn scope_names(&self) -> Result<Vec<ScopeId>, Error> {
        let scopes = self
            .vault
            .peek_names(|names: &Names<'_>| names.scope_ids())?;
        Ok(scopes.unwrap_or_else(Vec::new))
    }

    /// Returns the names of a scope's secrets, sorted. Verified if a key is at hand; not recorded.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`], or if the store cannot be read.
    pub fn secret_names(&self, scope: &ScopeId) -> Result<Vec<SecretName>, Error> {
        let secrets = self.vault.peek_names(|names| names.secret_names(scope))?;
        secrets.ok_or_else(|| not_found::scope(scope))
    }

    /// Stores a value as [`put`](crate::SecretStore::put) does, and changes what is said about it.
    ///
    /// What `edit` keeps stays as it is, except that an expiry which has passed is dropped: it was that of the
    /// value before. [`Stored::expiry_dropped`] has it then.
    ///
    /// # Errors
    /// [`Error::InvalidExpiry`], or as [`put`](crate::SecretStore::put).
    pub fn put_with(
        &self,
        scope: &NewScope,
        name: &SecretName,
        value: &SecretValue,
        mode: PutMode,
        edit: &SecretEdit,
    ) -> Result<Stored, Error> {
        life::put(&self.vault, scope, name, value, mode, None, edit)
    }

    /// Replaces a value as [`put_with`](Self::put_with) does, if the secret is still in the state in which the caller saw it.
    ///
    /// # Errors
    /// [`Error::SecretsChanged`], or as [`put_with`](Self::put_with).
    pub fn put_if(
        &self,
        scope: &NewScope,
        name: &SecretName,
        value: &SecretValue,
        state: SecretState,
        edit: &SecretEdit,
    ) -> Result<Stored, Error> {
        let mode = PutMode::Overwrite;
        life::put(&self.vault, scope, name, value, mode, Some(state), edit)
    }

    /// Changes what is said about a secret. Its value, version and times stay. Returns the secret as it is
    /// now.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`], [`Error::SecretNotFound`] and [`Error::InvalidExpiry`].
    pub fn edit(
        &self,
        scope: &ScopeId,
        name: &SecretName,
        edit: &SecretEdit,
    ) -> Result<SecretInfo, Error> {
        life::edit(&self.vault, scope, name, edit, None)
    }

    /// As [`edit`](Self::edit), if the secret is still in the state in which the caller saw it.
    ///
    /// # Errors
    /// [`Error::SecretsChanged`], or as [`edit`](Self::edit).
    pub fn edit_if(
        &self,
        scope: &ScopeId,
        name: &SecretName,
        edit: &SecretEdit,
        state: SecretState,
    ) -> Result<SecretInfo, Error> {
        life::edit(&self.vault, scope, name, edit, Some(state))
    }

    /// Returns the versions of a secret, newest first: the current one, and those that its scope keeps.
    ///
    /// # Errors
    /// * [`Error::ScopeNotFound`] and [`Error::SecretNotFound`].
    /// * [`Error::Tampered`] if a version is missing, was added or was changed in any other way.
    pub fn history(&self, scope: &ScopeId, name: &SecretName) -> Result<Vec<VersionInfo>, Error> {
        life::history(&self.vault, scope, name)
    }

    /// Opens a version of a value.
    ///
    /// # Errors
    /// [`Error::VersionNotFound`], or as [`get`](crate::SecretStore::get).
    pub fn get_version(
        &self,
        scope: &ScopeId,
        name: &SecretName,
        version: u64,
    ) -> Result<SecretValue, Error> {
        life::get_version(&self.vault, scope, name, version)
    }

    /// Stores the value of a version again, as the next version.
    ///
    /// # Errors
    /// [`Error::VersionNotFound`], or as [`get`](crate::SecretStore::get).
    pub fn restore_version(
        &self,
        scope: &ScopeId,
        name: &SecretName,
        version: u64,
    ) -> Result<Stored, Error> {
        life::restore_version(&self.vault, scope, name, version, None)
    }

    /// As [`restore_version`](Self::restore_version), if the secret is still in the state in which the caller saw it: a secret that was
    /// deleted and created again has other versions with the same numbers.
    ///
    /// # Errors
    /// [`Error::SecretsChanged`], or as [`restore_version`](Self::restore_version).
    pub fn restore_version_if(
        &self,
        scope: &ScopeId,
        name: &SecretName,
        version: u64,
        state: SecretState,
    ) -> Result<Stored, Error> {
        life::restore_version(&self.vault, scope, name, version, Some(state))
    }

    /// Returns the secrets of a scope, or of all scopes, that expire or are to be rotated by `time`, sorted by
    /// scope and name. Recorded as a list.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`], or if the store cannot be read.
    pub fn list_due(
        &self,
        scope: Option<&ScopeId>,
        time: Timestamp,
    ) -> Result<Vec<DueSecret>, Error> {
        life::list_due(&self.vault, scope, time)
    }

    /// Returns what [`list_due`](Self::list_due) returns for all scopes. Verified if a key is at hand; not
    /// recorded.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn due(&self, time: Timestamp) -> Result<Vec<DueSecret>, Error> {
        life::due(&self.vault, time)
    }

    /// Returns a secret without its value. Verified if a key is at hand; not recorded.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`] and [`Error::SecretNotFound`].
    pub fn secret_info(&self, scope: &ScopeId, name: &SecretName) -> Result<SecretInfo, Error> {
        let info = self.vault.peek_names(|names| names.secret(scope, name))?;
        info.ok_or_else(|| not_found::scope(scope))
    }

    /// Gives a scope another kind, display name and hints, and another number of versions to keep; returns
    /// whether any of them differed.
    ///
    /// # Errors
    /// * [`Error::ScopeNotFound`].
    /// * [`Error::KindMisfit`] if it holds a secret whose name the new kind does not allow.
    pub fn update_scope(&self, scope: &NewScope) -> Result<bool, Error> {
        apply::update(&self.vault, scope)
    }

    /// Changes what is said about a scope, in one commit: what `edit` keeps stays as it is then, also if somebody else has just
    /// changed it. Returns whether anything differed.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`], [`Error::InvalidDisplayName`] and [`Error::TooManyVersions`].
    pub fn edit_scope(&self, id: &ScopeId, edit: &ScopeEdit) -> Result<bool, Error> {
        apply::edit(&self.vault, id, edit)
    }

    /// Returns what [`apply_scopes`](Self::apply_scopes) would do now with these scopes, and which
    /// others exist, sorted by id. Changes nothing.
    ///
    /// # Errors
    /// As [`apply_scopes`](Self::apply_scopes).
    pub fn plan_scopes(&self, scopes: &[NewScope]) -> Result<Vec<AppliedScope>, Error> {
        apply::plan(&self.vault, scopes)
    }

    /// Creates the scopes that do not exist, updates those that differ, and deletes `prune` with
    /// their secrets, in one commit. Returns what happened to each scope. If the backend
    /// [limits](Backend::limits) a commit, a larger change is cut, as by [`import`](Self::import).
    ///
    /// `prune` are scopes that [`plan_scopes`](Self::plan_scopes) returned. Without anything to do,
    /// nothing is written. Creates the store and a key where they are missing.
    ///
    /// # Errors
    /// Nothing is changed if this fails, except with [`Error::PartlyMade`].
    /// * [`Error::ScopeChanged`] if a scope to delete has other secrets than it had in the plan.
    /// * [`Error::KindMisfit`] if a scope holds a secret whose name the new kind does not allow.
    /// * [`Error::StoreFull`], or as [`put`](crate::SecretStore::put).
    pub fn apply_scopes(
        &self,
        scopes: &[NewScope],
        prune: &[AppliedScope],
    ) -> Result<Vec<AppliedScope>, Error> {
        apply::apply(&self.vault, scopes, prune)
    }

    /// Stores many secrets of one scope in one commit, or none of them. A scope that does not exist
    /// is created as `scope` describes it; one that exists stays as it is.
    ///
    /// If the backend [limits](Backend::limits) a commit, a larger import is cut into several. Everything is checked before
    /// the first of them, and each leaves a whole store. If a later one fails, that is [`Error::PartlyMade`]: the same
    /// import again finds what was stored to be [`Same`](super::ImportAction::Same), and goes on.
    ///
    /// # Errors
    /// Nothing is stored if this fails, except with [`Error::PartlyMade`].
    /// * [`Error::Conflicts`] names every secret that the store has with another value, if
    ///   `on_conflict` is [`Fail`](OnConflict::Fail).
    /// * [`Error::NamedTwice`] if two of `secrets` have the same name.
    /// * As [`put`](crate::SecretStore::put).
    pub fn import(
        &self,
        scope: &NewScope,
        secrets: &[(SecretName, SecretValue)],
        on_conflict: OnConflict,
    ) -> Result<Imported, Error> {
        let import = Import {
            scope,
            secrets,
            on_conflict,
            states: None,
        };
        import.run(&self.vault)
    }

    /// As [`import`](Self::import), if each of `secrets` is still in the state in which the caller saw it, as [`Imported::states`] of
    /// a plan has it. One that is not in `states` must not exist.
    ///
    /// # Errors
    /// Nothing is stored if this fails.
    /// * [`Error::SecretsChanged`] names every secret that is in another state.
    /// * As [`import`](Self::import).
    pub fn import_if(
        &self,
        scope: &NewScope,
        secrets: &[(SecretName, SecretValue)],
        on_conflict: OnConflict,
        states: &BTreeMap<SecretName, SecretState>,
    ) -> Result<Imported, Error> {
        let import = Import {
            scope,
            secrets,
            on_conflict,
            states: Some(states),
        };
        import.run(&self.vault)
    }

    /// As [`import`](Self::import) into several scopes, all in one commit or none. Returns what happened in
    /// each of them, in this order.
    ///
    /// # Errors
    /// As [`import`](Self::import).
    pub fn import_all(
        &self,
        imports: &[(NewScope, &[(SecretName, SecretValue)])],
        on_conflict: OnConflict,
    ) -> Result<Vec<Imported>, Error> {
        import::run_all(&self.vault, &Import::all(imports, on_conflict))
    }

    /// Returns what [`import`](Self::import) would do now. Changes nothing; recorded as a list of
    /// the scope.
    ///
    /// A conflict is not an error here: it is [`Replace`](super::ImportAction::Replace), or
    /// [`Keep`](super::ImportAction::Keep) if `on_conflict` skips such secrets.
    ///
    /// # Errors
    /// As [`get`](crate::SecretStore::get), or if the scope's kind does not allow a name.
    pub fn plan_import(
        &self,
        scope: &NewScope,
        secrets: &[(SecretName, SecretValue)],
        on_conflict: OnConflict,
    ) -> Result<Imported, Error> {
        let import = Import {
            scope,
            secrets,
            on_conflict,
            states: None,
        };
        import.plan(&self.vault)
    }

    /// Returns what [`import_all`](Self::import_all) would do now, as [`plan_import`](Self::plan_import) does for
    /// one scope. Compares each scope with the store as it is. Recorded as one list.
    ///
    /// # Errors
    /// As [`plan_import`](Self::plan_import).
    pub fn plan_import_all(
        &self,
        imports: &[(NewScope, &[(SecretName, SecretValue)])],
        on_conflict: OnConflict,
    ) -> Result<Vec<Imported>, Error> {
        import::plan_all(&self.vault, &Import::all(imports, on_conflict))
    }

    /// Writes everything into a new file at `path`, with mode 0600: an age file whose plaintext
    /// [`Backup`] reads. The file gets its name when it is complete. A symbolic link is followed, not replaced.
    ///
    /// # Errors
    /// There is no new file if this fails, and a file that was there before stays.
    /// * [`Error::FileExists`] unless `overwrite` is set.
    /// * [`Error::Io`] if it cannot be written, or something other than a file is there.
    /// * [`Error::Tampered`] names the first record that does not open.
    pub fn backup(
        &self,
        path: &Path,
        to: BackupTo<'_>,
        overwrite: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<BackupReport, Error> {
        backup::write(&self.vault, path, to, overwrite, progress)
    }

    /// Returns who made a backup. Anybody who knows a recipient can make a file that opens as a backup: only one made
    /// by a store that a key at hand has claimed is known to hold that store's values.
    ///
    /// # Errors
    /// [`Error::Seal`] if there is not enough memory.
    pub fn maker_of(&self, backup: &Backup) -> Result<BackupMaker, Error> {
        maker::of(&self.vault, backup)
    }

    /// Returns what [`restore`](Self::restore) would do now. Changes nothing.
    ///
    /// # Errors
    /// If the store cannot be opened.
    pub fn plan_restore(&self, backup: &Backup, mode: RestoreMode) -> Result<Restored, Error> {
        restore::plan(&self.vault, backup, mode)
    }

    /// Restores a backup in one commit. Creates the store and a key where they are missing. If the backend
    /// [limits](Backend::limits) a commit, a merge is cut, as by [`import`](Self::import).
    ///
    /// Versions and times are those of the backup, with these exceptions:
    ///
    /// * A secret which replaces another one in a merge becomes the next version of that, and the one that it
    ///   replaces becomes an earlier version.
    /// * The time of a secret that is there already never goes back.
    ///
    /// In a merge, a secret of the backup replaces one with another value if it is newer. A backup of this store
    /// is compared by revision, which no clock can falsify; that of another store by time.
    ///
    /// # Errors
    /// As [`put`](crate::SecretStore::put). Nothing is changed then, except with [`Error::PartlyMade`].
    pub fn restore(&self, backup: &Backup, mode: RestoreMode) -> Result<Restored, Error> {
        restore::restore(&self.vault, backup, mode)
    }

    /// Checks what the backend keeps in order, that every record is vouched for, and that every
    /// value opens. Passes each problem to `found`, at most one a scope. `None` if there is no
    /// store. No value is given out, so nothing is recorded.
    ///
    /// # Errors
    /// If the store cannot be opened at all.
    pub fn check(
        &self,
        found: &mut dyn FnMut(Error),
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Option<CheckReport>, Error> {
        check::check(&self.vault, found, progress)
    }

    /// Replaces the store's file with a new one that holds the same records, and nothing of what was
    /// deleted or replaced. Needs no key. A backend that is not a file does what it can.
    ///
    /// # Errors
    /// [`Error::NoStore`], or if the store cannot be written; it stays as it was then.
    pub fn compact(&self) -> Result<(), Error> {
        compact::compact(&self.vault)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("backend", &self.vault.backend)
            .field("keys", &self.vault.keyring)
            .field("audit", &self.vault.recorder)
            .finish_non_exhaustive()
    }
}
