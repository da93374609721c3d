//! Advice on errors of the store.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use mcplexer_home::{KeySource, STORE_VARIABLE};
use mcplexer_secrets::audit::{AuditError, AuditErrorKind};
use mcplexer_secrets::backend::BackendErrorKind;
use mcplexer_secrets::keys::{KeyError, KeyErrorKind};
use mcplexer_secrets::{Error, Finding, RecordName, SlotInfo, SlotKind, Timestamp};

use super::{
    Context, Failure, OtherStore, Words, again, can_repeat, chain, files, has_credential, keys,
    repeated_path, transfer,
};
use crate::exit_code;
use crate::text::{in_quotes, shown, typed, word};

/// Puts an error of the store into words.
pub(super) fn words(error: &Error, context: &Context) -> Words {
    if let Some(path) = keys::unanswered(error)
        && context.was_prompt_left
    {
        return Failure::of_no_answer(&format!("passphrase for {}", shown(path))).words(context);
    }
    Words {
        message: message(error, context),
        hints: hints(error, context),
        usage: None,
        code: match error {
            Error::Io { source, .. } if source.kind() == ErrorKind::FileTooLarge => {
                exit_code::USAGE
            }
            _ => exit_code::of(error.kind()),
        },
    }
}

fn message(error: &Error, context: &Context) -> String {
    match error {
        Error::Locked {
            reason: KeyError::Wrong { recipients },
            ..
        } => format!(
            "no key opens this store: {} is another key: {}",
            context.key(),
            recipients.join(", ")
        ),
        // What the database says of its pages helps nobody.
        Error::Backend(error) if error.kind() == BackendErrorKind::Corrupt => error.to_string(),
        Error::Io {
            action,
            path,
            source,
        } => {
            format!(
                "cannot {action} {}: {source}",
                repeated_path(path, "that file")
            )
        }
        Error::SlotNotFound { slot } => match can_repeat(slot) || is_recipient(slot) {
            true => error.to_string(),
            false => "no such key opens this store".to_owned(),
        },
        _ => chain(error),
    }
}

/// Returns whether a text begins like a public key, and has nothing of a private one.
fn is_recipient(text: &str) -> bool {
    ["age1", "ssh-"].iter().any(|it| text.starts_with(it)) && !has_credential(text)
}

fn hints(error: &Error, context: &Context) -> Vec<String> {
    let hint = match error {
        Error::Locked { reason, slots } => return locked(reason, slots, context),
        Error::Conflicts { .. } => {
            return vec![
                "nothing was imported".to_owned(),
                again(&["--overwrite"], "replaces them"),
                again(&["--skip-existing"], "keeps them"),
            ];
        }
        Error::Key(reason) => return keys::hint(reason).into_iter().collect(),
        Error::NotAccepted { .. } => {
            return [
                "if you expected that, mcplexer key accept accepts the store; mcplexer key list shows who can open it",
                "if not, somebody replaced your store: move it away, and mcplexer backup restore FILE",
            ]
            .map(str::to_owned)
            .into();
        }
        Error::Tampered { record, finding } => {
            let (mut hints, is_known) = match record {
                RecordName::Checkpoint => (Vec::new(), false),
                _ => elsewhere(*finding, context),
            };
            hints.extend((!is_known).then(|| tampered(record, *finding, context)));
            return hints;
        }
        Error::Backend(error) => files::backend(error),
        Error::OutcomeUnknown { .. } => {
            "look before you try again: mcplexer secret list shows the versions".to_owned()
        }
        Error::PartlyMade { .. } => "the same command again goes on with the rest".to_owned(),
        Error::Io { source, .. } if source.kind() == ErrorKind::FileTooLarge => {
            "split it into smaller parts".to_owned()
        }
        Error::Io {
            action,
            path,
            source,
        } => files::io(action, path, source),
        Error::Moved { .. } | Error::MoveUnfinished | Error::Place { .. } => transfer::hint(error),
        Error::FileExists { .. } => "--force overwrites it; or name another file".to_owned(),
        Error::NoStore
        | Error::ScopeExists { .. }
        | Error::ScopeChanged { .. }
        | Error::SecretsChanged { .. }
        | Error::SecretExists { .. }
        | Error::VersionMismatch { .. }
        | Error::VersionNotFound { .. }
        | Error::InvalidName(_)
        | Error::InvalidValue(_)
        | Error::InvalidDisplayName
        | Error::NotCarried { .. }
        | Error::KindMisfit { .. } => secrets(error),
        Error::SlotNotFound { .. }
        | Error::SlotExists { .. }
        | Error::LabelTaken { .. }
        | Error::SlotsFull
        | Error::SlotAmbiguous { .. }
        | Error::LastSlot { .. }
        | Error::OwnSlot { .. }
        | Error::InvalidLabel(_) => keys::slots(error),
        Error::NotABackup { .. } => "use another copy of the backup, if there is one".to_owned(),
        Error::NoBackupRecipient => {
            "mcplexer backup create FILE --passphrase, or --recipient age1…".to_owned()
        }
        Error::UnsupportedFormat { .. } => {
            "a newer mcplexer wrote this store: update this one".to_owned()
        }
        Error::BackupPassphraseWrong { .. } => {
            "try again; --identity and --recovery-code open it in another way".to_owned()
        }
        Error::Audit(error) => audit(error, context),
        _ => String::new(),
    };
    Some(hint).filter(|it| !it.is_empty()).into_iter().collect()
}

fn secrets(error: &Error) -> String {
    match error {
        Error::NoStore => {
            "mcplexer secret put SCOPE KEY creates one; one of somebody else's goes into the home as secrets.redb"
                .to_owned()
        }
        Error::ScopeExists { scope } => format!("mcplexer scope show {scope}"),
        Error::ScopeChanged { .. } | Error::SecretsChanged { .. } => {
            "nothing was changed; run it again".to_owned()
        }
        Error::SecretExists { scope, .. } | Error::VersionMismatch { scope, .. } => {
            format!("mcplexer secret list {scope} shows the versions")
        }
        Error::VersionNotFound { scope, name, .. } => {
            format!("mcplexer secret history {scope} {name} lists the versions that are kept")
        }
        Error::InvalidName(_) => {
            "mcplexer scope create SCOPE --kind header creates a scope for HTTP field names"
                .to_owned()
        }
        Error::InvalidValue(_) => "a value is 1 byte to 1 MiB of any bytes".to_owned(),
        Error::InvalidDisplayName => "leave out --name to give it none".to_owned(),
        Error::NotCarried { .. } => {
            "--only leaves it out; mcplexer inject writes it into a file".to_owned()
        }
        Error::KindMisfit { scope, name, .. } => {
            format!("keep the kind of the scope, or mcplexer secret delete {scope} {name}")
        }
        _ => String::new(),
    }
}

fn locked(reason: &KeyError, slots: &[SlotInfo], context: &Context) -> Vec<String> {
    let mut hints: Vec<_> = keys::hint(reason).into_iter().collect();
    if reason.kind() != KeyErrorKind::Absent {
        return hints;
    }
    let owners = slots.iter().filter(|slot| slot.kind == SlotKind::Key);
    hints.extend(owners.map(|slot| format!("{} ({}) opens it", slot.recipient, slot.label)));
    hints.push(
        "put that key back, or name its file with MCPLEXER_AGE_KEY; no new key is created while this store exists".to_owned(),
    );
    hints.extend(joining(reason, context));
    if let Some(slot) = slots.iter().find(|slot| slot.kind == SlotKind::Passphrase) {
        hints.push(format!(
            "or, with the passphrase {}: run the command on a terminal",
            slot.label
        ));
    }
    if slots.iter().any(|slot| slot.kind == SlotKind::Recovery) {
        hints.push("or, with the recovery code: mcplexer key recover".to_owned());
    }
    hints
}

/// Returns what a colleague does who has no key in the store yet, or one that was removed.
fn joining(reason: &KeyError, context: &Context) -> Option<String> {
    let add = "mcplexer key add --label YOU";
    match (reason, &context.key) {
        (KeyError::Wrong { recipients }, _) => {
            let recipient = recipients.iter().find(|it| is_recipient(it))?;
            Some(format!(
                "if you are to open it with that one, send this to an owner: {add} {}",
                word(recipient)
            ))
        }
        (_, Some(KeySource::File(path))) if context.is_on_server => Some(format!(
            "if you are new: age-keygen -o {}, and send this to an owner, with the age1… that it prints: {add} age1…",
            typed(path)
        )),
        _ => None,
    }
}

/// Returns what to do about an audit log that cannot be written.
fn audit(error: &AuditError, context: &Context) -> String {
    match error.kind() {
        AuditErrorKind::Busy => {
            "a stopped program may hold it: end that one, or try again".to_owned()
        }
        AuditErrorKind::Corrupt => new_log(context.audit_log.as_deref()),
        _ => "nothing was done, because it could not be logged; MCPLEXER_AUDIT names another log"
            .to_owned(),
    }
}

fn new_log(log: Option<&Path>) -> String {
    format!(
        "{}, and mcplexer key accept starts a new log that refers to the old one",
        moved(log)
    )
}

/// Returns the command that moves the log to a name of its own.
fn moved(log: Option<&Path>) -> String {
    let now = Timestamp::now().to_string();
    let digits = now.chars().filter(char::is_ascii_digit).take(14);
    let digits: String = digits.collect();
    match log {
        None => "move the audit log away".to_owned(),
        Some(log) => {
            let to = PathBuf::from(format!("{}.{digits}", log.display()));
            format!("mv {} {}", typed(log), typed(&to))
        }
    }
}

/// Returns where the store may be that a log belongs to, if it is not the one that was looked for; and whether that is
/// known. Then nothing is wrong, so that nothing is to be moved away.
fn elsewhere(finding: Finding, context: &Context) -> (Vec<String>, bool) {
    let own = "each store needs a home of its own: for another one, set MCPLEXER_HOME to another directory";
    let known = match (finding, &context.other_store) {
        (Finding::StoreIsGone | Finding::OtherStore, Some(OtherStore::Server(url))) => {
            let set = format!("export {STORE_VARIABLE}={}", in_quotes(url));
            format!("this home used {url} last: {set}")
        }
        (Finding::StoreIsGone | Finding::OtherStore, Some(OtherStore::File(path))) => format!(
            "this home has a store in {}: unset {STORE_VARIABLE} to use it",
            shown(path)
        ),
        (Finding::StoreIsGone, Some(OtherStore::Unknown)) => {
            let set = format!("export {STORE_VARIABLE}='postgres://…'");
            let hint = format!("if the store is on a server, name it in each shell: {set}");
            return (vec![hint], false);
        }
        (Finding::OtherStore, _) => return (vec![own.to_owned()], false),
        _ => return (Vec::new(), false),
    };
    (vec![known, own.to_owned()], true)
}

fn tampered(record: &RecordName, finding: Finding, context: &Context) -> String {
    let log = match record {
        RecordName::AuditLog(path) => Some(path.as_path()),
        RecordName::AuditLine(_) => context.audit_log.as_deref(),
        RecordName::Checkpoint => {
            return "give the line that mcplexer audit checkpoint printed for this store"
                .to_owned();
        }
        _ if matches!(finding, Finding::BehindCheckpoint { .. }) => {
            return "put the newer store back, or mcplexer backup restore FILE --merge with a newer backup"
                .to_owned();
        }
        _ => {
            return "delete what is named here and store it again; or move the store away, and mcplexer backup restore FILE"
                .to_owned();
        }
    };
    let moved = moved(log);
    match finding {
        Finding::StoreIsGone => format!(
            "mcplexer backup restore FILE brings it back; to start without it, {moved}, or name another log with MCPLEXER_AUDIT: each store has its own"
        ),
        Finding::StoreIsOlder { store, log } if store >= log => {
            "if both copies were changed, put your own back, and mcplexer backup restore FILE --merge with a backup of the other; mcplexer key accept --older goes on with this copy alone"
                .to_owned()
        }
        Finding::StoreIsOlder { .. } | Finding::ClaimIsOlder => {
            "put the newer store back; or move this one away, and mcplexer backup restore FILE with a newer backup; mcplexer key accept --older goes on with this copy"
                .to_owned()
        }
        Finding::OtherStore => {
            format!("put back the one that is missing; to go on with what is here, {}", new_log(log))
        }
        Finding::NoLog => {
            "put it back; or mcplexer key accept starts a new log, and takes the store as it is, even if it is an older copy"
                .to_owned()
        }
        _ => format!(
            "{}, and takes the store as it is, even if it is an older copy",
            new_log(log)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_was_partly_made_is_no_conflict_and_goes_on() {
        let error = Error::PartlyMade {
            source: Box::new(Error::StoreFull),
        };
        let words = words(&error, &Context::default());
        assert_eq!(words.code, exit_code::FAILURE);
        assert!(words.message.contains("the store is full"));
        assert_eq!(
            words.hints,
            ["the same command again goes on with the rest"]
        );
    }
}
