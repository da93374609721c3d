//! `mcplexer backup …`

mod create;
mod restore;

use std::cell::RefCell;
use std::path::Path;

use mcplexer_home::backup::{self, BackupKeys, Maker};
use mcplexer_secrets::RestoreMode;
use mcplexer_secrets::backup::Backup;
use mcplexer_secrets::keys::Identity;

use crate::cli::{self, BackupFile, Global};
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::progress::Waiting;
use crate::prompt::Hidden;
use crate::session::Session;
use crate::text::{Ago, count, shown};
use crate::{exit_code, input};

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
            create::run(&session, &file, &recipient, passphrase, force, json)
        }
        cli::Backup::Verify { from, json } => verify(&from, json, global),
        cli::Backup::Restore {
            from,
            merge,
            replace,
            unknown_maker,
            dry_run,
            force,
            json,
        } => {
            let options = restore::Options {
                mode: match (merge, replace) {
                    (_, true) => Some(RestoreMode::Replace),
                    (true, false) => Some(RestoreMode::Merge),
                    (false, false) => None,
                },
                unknown_maker,
                dry_run,
                force,
                json,
            };
            restore::run(&from, &options, global)
        }
    }
}

fn verify(from: &BackupFile, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let opened = open(from, &session)?;
    let waiting = Waiting::new("verifying", global);
    let report = backup::verify(&from.file, &opened, &session)?;
    drop(waiting);
    if json {
        return print_json(&report);
    }
    print(&format!(
        "{} is intact: {}, {}, created {} by {}\n",
        shown(&from.file),
        count(report.scopes, "scope"),
        count(report.secrets, "secret"),
        Ago(report.created),
        maker(report.maker),
    ))
}

/// Returns who made a backup, in words.
fn maker(maker: Maker) -> &'static str {
    match maker {
        Maker::ThisStore => "this store",
        Maker::Earlier => "an owner of this store, and it may be a former one",
        Maker::OwnStore => "another store of yours",
        Maker::Passphrase => "somebody who knows its passphrase",
        _ => "nobody you can check: anybody who knows your public key can make such a file",
    }
}

/// Opens a backup with its passphrase, the recovery code, the given key file, or the key in use.
fn open(from: &BackupFile, session: &Session) -> Result<Backup, Failure> {
    let path = &from.file;
    let _waiting = Waiting::new("opening the backup", session.global);
    let identity = from.identity.as_deref().map(Path::to_string_lossy);
    if identity.is_some_and(|identity| Identity::is_in(&identity)) {
        return Err(
            Failure::new("--identity takes a file, and was given an identity")
                .with_hint("give the identity in MCPLEXER_AGE_IDENTITY, without --identity")
                .with_code(exit_code::USAGE),
        );
    }
    if Backup::takes_passphrase(path)? {
        let question = format!("passphrase for {}: ", shown(path));
        let hidden = RefCell::new(Hidden::default());
        let ask = |retry| {
            let hidden = &mut hidden.borrow_mut();
            input::passphrase(hidden, &question, retry, session.global)
        };
        return Ok(backup::open_with_passphrase(path, &ask)?);
    }
    let keys = match &from.identity {
        _ if from.recovery_code => BackupKeys::Code(input::recovery_code(session.global)?),
        Some(file) => BackupKeys::File(file),
        None => BackupKeys::InUse,
    };
    let opened = backup::open(path, &keys, session);
    opened.map_err(|error| match (&error, &from.identity) {
        (backup::Error::WrongKey { .. }, Some(identity)) => {
            Failure::new(format!("{} does not open {}", shown(identity), shown(path)))
                .with_hint("--identity PATH names another key file")
                .with_hint(
                    "--recovery-code opens it with the recovery code of the store it was made from",
                )
                .with_code(exit_code::KEY)
        }
        _ => error.into(),
    })
}
