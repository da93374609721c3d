//! `mcplexer backup …`

use std::path::Path;

use mcplexer_secrets::backup::{Backup, BackupKey, BackupTo};
use mcplexer_secrets::keys::{Ask, FileKeys, Identity, KeyError, KeyProvider, Recipient};
use mcplexer_secrets::{Error, RestoreAction, RestoreMode, Restored, SecretStore};
use serde::Serialize;

use crate::cli::{self, BackupFile, Global};
use crate::failure::Failure;
use crate::output::{Ago, count, print, print_json, shown, typed};
use crate::progress::Bar;
use crate::session::{Session, Terminal};
use crate::{exit_code, input};

/// How often a wrong passphrase may be corrected.
const ATTEMPTS: u32 = 3;

pub(super) fn run(command: cli::Backup, global: Global) -> Result<(), Failure> {
    match command {
        cli::Backup::Create {
            file,
            recipient,
            passphrase,
            force,
            json,
        } => {
            let session = Session::open(global)?;
            create(&session, &file, &recipient, passphrase, force, json)
        }
        cli::Backup::Verify { from, json } => verify(&from, json, global),
        cli::Backup::Restore {
            from,
            merge,
            replace,
            dry_run,
            force,
            json,
        } => {
            let session = Session::open(global)?;
            let mode = match (merge, replace) {
                (_, true) => Some(RestoreMode::Replace),
                (true, false) => Some(RestoreMode::Merge),
                (false, false) => None,
            };
            restore(&session, &from, mode, dry_run, force, json)
        }
    }
}

#[derive(Serialize)]
struct CreateDocument<'a> {
    file: String,
    scopes: u64,
    secrets: u64,
    opened_by: &'a [String],
}

fn create(
    session: &Session,
    file: &Path,
    recipients: &[Recipient],
    passphrase: bool,
    force: bool,
    json: bool,
) -> Result<(), Failure> {
    if !session.store().exists()? {
        return Err(Error::NoStore.into());
    }
    let asked;
    let to = if passphrase {
        asked = input::new_passphrase(session.global)?;
        BackupTo::Passphrase(&asked)
    } else if recipients.is_empty() {
        BackupTo::StoreKeys
    } else {
        BackupTo::Recipients(recipients)
    };
    let bar = Bar::new("saving", session.global);
    let report = session
        .store()
        .backup(file, to, force, &mut |progress| bar.show(progress));
    drop(bar);
    let report = report.map_err(|error| session.explain(error))?;
    let opened_by = match (report.opened_by.as_slice(), passphrase) {
        (_, true) => "the passphrase".to_owned(),
        ([], false) => "the keys of the recipients named".to_owned(),
        (labels, false) => labels.join(", "),
    };
    session.tell(&format!(
        "{}: {}, {}; opens with {opened_by}",
        shown(file),
        count(report.scopes, "scope"),
        count(report.secrets, "secret"),
    ));
    if json {
        return print_json(&CreateDocument {
            file: file.display().to_string(),
            scopes: report.scopes,
            secrets: report.secrets,
            opened_by: &report.opened_by,
        });
    }
    Ok(())
}

#[derive(Serialize)]
struct VerifyDocument {
    file: String,
    created: String,
    store: String,
    scopes: usize,
    secrets: u64,
}

fn verify(from: &BackupFile, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let backup = open(from, &session)?;
    if json {
        return print_json(&VerifyDocument {
            file: from.file.display().to_string(),
            created: backup.created.to_string(),
            store: backup.store.clone(),
            scopes: backup.scopes.len(),
            secrets: backup.secrets(),
        });
    }
    print(&format!(
        "{}: whole; {}, {}, made {}\n",
        shown(&from.file),
        count(backup.scopes.len() as u64, "scope"),
        count(backup.secrets(), "secret"),
        Ago(backup.created),
    ))
}

/// Opens a backup with whatever opens it: a passphrase, the recovery code, the key file named, or
/// the key in use.
fn open(from: &BackupFile, session: &Session) -> Result<Backup, Failure> {
    let path = &from.file;
    let identity = from.identity.as_deref().unwrap_or(Path::new(""));
    if Identity::is_in(&identity.to_string_lossy()) {
        return Err(
            Failure::new("--identity is to name a file, and was given an identity")
                .with_hint("give the identity in MCPLEXER_AGE_IDENTITY, without --identity")
                .with_code(exit_code::USAGE),
        );
    }
    let opened = |key| Backup::open(path, key).map_err(Failure::from);
    if Backup::takes_passphrase(path)? {
        return open_by_passphrase(path, session.global);
    }
    if from.recovery_code {
        let identity = input::recovery_code(session.global)?.identity();
        return opened(BackupKey::Identities(&[identity]));
    }
    let identities = match &from.identity {
        Some(file) => FileKeys::new(file)
            .with_prompter(Terminal(session.global))
            .identities(Ask::Allowed),
        None => session.keys().identities(Ask::Allowed),
    };
    let other_ways = |failure: Failure| {
        failure
            .with_hint("--identity PATH names the key file that opens it")
            .with_hint(
                "--recovery-code opens it with the recovery code of the store it was made from",
            )
    };
    let identities = identities.map_err(|error| match error {
        KeyError::Missing { .. } => other_ways(Failure::from(Error::Key(error))),
        error => Failure::from(Error::Key(error)),
    })?;
    Backup::open(path, BackupKey::Identities(&identities)).map_err(|error| match error {
        Error::Key(KeyError::Wrong { .. }) => other_ways(
            Failure::new(format!("no key at hand opens {}", shown(path))).with_code(exit_code::KEY),
        ),
        error => error.into(),
    })
}

fn open_by_passphrase(path: &Path, global: Global) -> Result<Backup, Failure> {
    for attempt in 0..ATTEMPTS {
        let question = format!("passphrase for {}: ", shown(path));
        let answer = input::passphrase(&question, attempt > 0, global).ok_or_else(|| {
            Failure::from(Error::Key(KeyError::PassphraseNeeded {
                path: path.to_owned(),
            }))
        })?;
        match Backup::open(path, BackupKey::Passphrase(&answer)) {
            Err(Error::Key(KeyError::PassphraseWrong { .. })) => {}
            result => return Ok(result?),
        }
    }
    Err(Error::Key(KeyError::PassphraseWrong {
        path: path.to_owned(),
    })
    .into())
}

#[derive(Serialize)]
struct RestoreDocument<'a> {
    dry_run: bool,
    secrets: Vec<SecretRow<'a>>,
}

#[derive(Serialize)]
struct SecretRow<'a> {
    scope: &'a str,
    key: &'a str,
    action: &'static str,
}

fn word(action: RestoreAction) -> &'static str {
    match action {
        RestoreAction::Add => "add",
        RestoreAction::Replace => "replace",
        RestoreAction::Keep => "keep",
        RestoreAction::Same => "same",
        RestoreAction::Remove => "remove",
        _ => "",
    }
}

fn restore(
    session: &Session,
    from: &BackupFile,
    mode: Option<RestoreMode>,
    dry_run: bool,
    force: bool,
    json: bool,
) -> Result<(), Failure> {
    let backup = open(from, session)?;
    let is_empty = session.store().scopes()?.is_empty();
    let mode = match mode {
        Some(mode) => mode,
        None if is_empty => RestoreMode::Merge,
        None => {
            let store = shown(&session.home().store());
            let again = command(from);
            return Err(Failure::new(format!("{store} has secrets already"))
                .with_hint(format!(
                    "{again} --merge --dry-run tells what would be added to them"
                ))
                .with_hint(format!(
                    "{again} --replace --dry-run tells what would take their place"
                ))
                .with_code(exit_code::CONFLICT));
        }
    };
    let explain = |error| session.explain(error);
    let planned = session
        .store()
        .plan_restore(&backup, mode)
        .map_err(explain)?;
    let harm = planned.count(RestoreAction::Replace) + planned.count(RestoreAction::Remove);
    if !dry_run && !force && harm > 0 {
        let question = format!("{}; go on?", summary(&planned, "to be "));
        input::confirm(&changes(&planned), &question, session.global)?;
    }
    let restored = match dry_run {
        true => planned,
        false => session.store().restore(&backup, mode).map_err(explain)?,
    };
    if !dry_run {
        session.tell_created();
    }
    session.tell(&summary(&restored, if dry_run { "to be " } else { "" }));
    if json {
        let rows = restored.secrets.iter().map(|secret| SecretRow {
            scope: secret.scope.as_str(),
            key: secret.name.as_str(),
            action: word(secret.action),
        });
        return print_json(&RestoreDocument {
            dry_run,
            secrets: rows.collect(),
        });
    }
    match dry_run {
        true => print(&changes(&restored)),
        false => Ok(()),
    }
}

/// The command that restores this backup, as it can be typed.
fn command(from: &BackupFile) -> String {
    let mut command = format!("mcplexer backup restore {}", typed(&from.file));
    if let Some(identity) = &from.identity {
        command.push_str(&format!(" --identity {}", typed(identity)));
    }
    if from.recovery_code {
        command.push_str(" --recovery-code");
    }
    command
}

/// A line for each secret that does not stay as it is.
fn changes(restored: &Restored) -> String {
    let mut text = String::new();
    for secret in &restored.secrets {
        if !matches!(secret.action, RestoreAction::Same | RestoreAction::Keep) {
            let action = word(secret.action);
            text.push_str(&format!("{action:8}{}/{}\n", secret.scope, secret.name));
        }
    }
    text
}

fn summary(restored: &Restored, to_be: &str) -> String {
    let told = [
        (RestoreAction::Add, "added"),
        (RestoreAction::Replace, "replaced"),
        (RestoreAction::Remove, "removed"),
    ];
    let mut parts: Vec<_> = told
        .into_iter()
        .filter(|(action, _)| restored.count(*action) > 0)
        .map(|(action, done)| format!("{} {to_be}{done}", count(restored.count(action), "secret")))
        .collect();
    let newer = restored.count(RestoreAction::Keep);
    if newer > 0 {
        parts.push(format!(
            "{} {to_be}kept, newer than in the backup",
            count(newer, "secret")
        ));
    }
    let same = restored.count(RestoreAction::Same);
    if same > 0 || parts.is_empty() {
        parts.push(format!("{} the same in both", count(same, "secret")));
    }
    parts.join(", ")
}
