//! The store as one command sees it.

use std::path::PathBuf;
use std::sync::Arc;

use mcplexer_secrets::audit::{Chained, FileAudit, StderrAudit};
use mcplexer_secrets::keys::{
    About, Ask, FileKeys, Identity, KeyProvider, PassphraseRequest, Prompter,
};
use mcplexer_secrets::{Error, Home, KeySource, ScopeId, SecretName, SecretValue, Store};

use crate::cli::Global;
use crate::failure::Failure;
use crate::harden::{CoreLimit, harden};
use crate::output::{sanitized, say, say_hint, shown};
use crate::{exit_code, input};

/// Names the audit log: a file, `stderr` or `off`.
const AUDIT_VARIABLE: &str = "MCPLEXER_AUDIT";

/// An open store, and what belongs to it.
pub(crate) struct Session {
    pub(crate) store: Store,
    pub(crate) home: Home,
    pub(crate) global: Global,
    pub(crate) keys: Arc<dyn KeyProvider>,
    file_keys: Option<Arc<FileKeys>>,
    audit: AuditPlace,
    is_first: bool,
    core_limit: CoreLimit,
}

enum AuditPlace {
    File(PathBuf),
    /// One that the environment names, and that was not there before.
    NewFile(PathBuf),
    Stderr,
    Off,
}

impl Session {
    /// Opens the store that the environment names. From here on the process is hardened.
    pub(crate) fn open(global: Global) -> Result<Self, Failure> {
        let core_limit = harden();
        let home = Home::from_env()?;
        let (keys, file_keys): (Arc<dyn KeyProvider>, _) = match home.key() {
            KeySource::File(path) => {
                let keys = Arc::new(FileKeys::new(path).with_prompter(Terminal(global)));
                (Arc::clone(&keys) as Arc<dyn KeyProvider>, Some(keys))
            }
            other => (other.provider(), None),
        };
        let is_first = !home.store().exists();
        let mut store = Store::open(home.store(), Arc::clone(&keys))?;
        let audit = AuditPlace::from_env(&home)?;
        match &audit {
            AuditPlace::File(path) | AuditPlace::NewFile(path) => {
                store = store.with_audit_log(FileAudit::new(path));
            }
            AuditPlace::Stderr => {
                store = store.with_audit(Chained::new(StderrAudit::new()).map_err(Error::from)?)
            }
            AuditPlace::Off => {}
        }
        Ok(Self {
            store,
            home,
            global,
            keys,
            file_keys,
            audit,
            is_first,
            core_limit,
        })
    }

    /// Ends the session before another program takes over, and gives back what it took from it.
    pub(crate) fn release(self) {
        self.core_limit.restore();
    }

    /// The identities that open the store, as far as they can be had.
    pub(crate) fn identities(&self) -> Result<Vec<Identity>, Error> {
        Ok(self.keys.identities(Ask::Allowed)?)
    }

    /// The audit log, if it is kept in a file.
    pub(crate) fn audit_log(&self) -> Result<&PathBuf, Failure> {
        match &self.audit {
            AuditPlace::File(path) | AuditPlace::NewFile(path) => Ok(path),
            AuditPlace::Stderr | AuditPlace::Off => Err(Failure::new(format!(
                "{AUDIT_VARIABLE} names no file, so there is no log to read"
            ))
            .with_hint("unset it to read the log of this home")
            .with_code(exit_code::USAGE)),
        }
    }

    /// Tells the user what was done, unless told to be quiet.
    pub(crate) fn tell(&self, line: &str) {
        if !self.global.quiet {
            say(line);
        }
    }

    /// Tells the user what to do next, unless told to be quiet.
    pub(crate) fn hint(&self, hint: &str) {
        if !self.global.quiet {
            say_hint(hint);
        }
    }

    /// Tells the user of what was made along with a first secret: a key, or a store for a key that
    /// was there.
    pub(crate) fn tell_what_was_made(&self) {
        let store = self.home.store();
        match &self.file_keys {
            Some(keys) if keys.created() => {
                self.tell(&format!(
                    "made a new age key at {}; without it these secrets are lost: keep a copy in a safe place",
                    shown(keys.path())
                ));
                self.hint("mcplexer key recovery prints a recovery code to keep offline");
            }
            _ if self.is_first && store.exists() => {
                self.tell(&format!("made a new store at {}", shown(&store)));
            }
            _ => {}
        }
    }

    /// Words a failure, with the name that may have been meant if one was not found.
    pub(crate) fn explain(&self, error: Error) -> Failure {
        // A key that was made stays, whatever failed after it.
        self.tell_what_was_made();
        let hint = match &error {
            Error::ScopeNotFound { scope } => self.similar_scope(scope),
            Error::SecretNotFound { scope, name } => {
                let meant = self.similar_secret(scope, name);
                meant.or_else(|| Some(format!("mcplexer secret list {scope} shows what there is")))
            }
            _ => None,
        };
        let failure = Failure::from(error);
        match hint {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }

    /// Names the secret that may have been meant. The names are in the clear, so nothing is recorded.
    fn similar_secret(&self, scope: &ScopeId, name: &SecretName) -> Option<String> {
        let names = self.store.secret_names(scope).ok()?;
        similar(name.as_str(), names.iter().map(SecretName::as_str))
    }

    fn similar_scope(&self, scope: &ScopeId) -> Option<String> {
        let scopes = self.store.scope_names().ok()?;
        if scopes.is_empty() {
            let store = shown(&self.home.store());
            return Some(format!(
                "{store} has no scopes; mcplexer secret put {scope} KEY makes this one"
            ));
        }
        similar(scope.as_str(), scopes.iter().map(ScopeId::as_str))
            .or_else(|| Some("mcplexer scope list shows what there is".to_owned()))
    }
}

/// Asks on the terminal, if there is one.
pub(crate) struct Terminal(pub(crate) Global);

impl Prompter for Terminal {
    fn passphrase(&self, request: &PassphraseRequest<'_>) -> Option<SecretValue> {
        let question = match request.about {
            About::KeyFile(path) => format!("passphrase for {}: ", shown(path)),
            About::Slot(label) => format!("passphrase of the store ({}): ", sanitized(label)),
            About::Plugin(question) => format!("{}: ", sanitized(question)),
            _ => return None,
        };
        input::passphrase(&question, request.retry, self.0)
    }

    fn tell(&self, message: &str) {
        say(&sanitized(message));
    }
}

impl AuditPlace {
    fn from_env(home: &Home) -> Result<Self, Failure> {
        Ok(match std::env::var_os(AUDIT_VARIABLE) {
            Some(value) if value.eq_ignore_ascii_case("off") => Self::Off,
            Some(value) if value.eq_ignore_ascii_case("stderr") => Self::Stderr,
            Some(value) if !value.is_empty() => Self::named(PathBuf::from(value))?,
            _ => Self::File(home.audit_log()),
        })
    }

    /// A log in a directory that exists: whoever mistypes one should not have it made.
    fn named(path: PathBuf) -> Result<Self, Failure> {
        if Identity::is_in(&path.to_string_lossy()) {
            return Err(Failure::new(format!(
                "{AUDIT_VARIABLE} holds an identity; it is to name a place"
            ))
            .with_hint("give the identity in MCPLEXER_AGE_IDENTITY")
            .with_code(exit_code::USAGE));
        }
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() && !parent.exists() => {
                let (path, parent) = (shown(&path), shown(parent));
                Err(Failure::new(format!(
                    "{AUDIT_VARIABLE} names {path}, and there is no directory {parent}"
                ))
                .with_hint("make the directory, or unset the variable for the log of this home")
                .with_code(exit_code::USAGE))
            }
            _ if path.exists() => Ok(Self::File(path)),
            _ => Ok(Self::NewFile(path)),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let AuditPlace::NewFile(path) = &self.audit
            && path.exists()
        {
            let path = shown(path);
            self.tell(&format!(
                "made a new audit log at {path}, as {AUDIT_VARIABLE} says"
            ));
        }
    }
}

/// The name closest to what was typed, if it is close.
fn similar<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let closeness = |name: &str| {
        // Two letters that have changed places are one mistake, also in a short name.
        let is_slip = strsim::osa_distance(typed, name) == 1 && typed.len() > 2;
        let alike = strsim::jaro_winkler(typed, name);
        if is_slip { alike.max(0.9) } else { alike }
    };
    let best = names
        .map(|name| (closeness(name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.85).then(|| format!("did you mean {}?", best.1))
}
