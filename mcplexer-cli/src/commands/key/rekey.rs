//! `mcplexer key remove`, `rotate`, `recovery` and `recover`: replacing keys, and recovering from
//! their loss.

use mcplexer_home::KeySource;
use mcplexer_home::keys::{RekeyReport, check_recoverable, kept_after, rekey};
use mcplexer_secrets::keys::SlotRef;
use mcplexer_secrets::{Error, Progress, Rekeyed, RotateIdentity};

use super::shortened;
use crate::cli::Global;
use crate::failure::{Failure, key_place};
use crate::output::{print, print_json};
use crate::progress::Bar;
use crate::session::Session;
use crate::text::{count, sanitized, shown};
use crate::{agent, exit_code, input};

pub(super) fn remove(key: &str, force: bool, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let before = session.store().slots()?;
    let slot = SlotRef::new(key);
    let report = with_bar(&session, |bar| {
        session.store().remove_slot(&slot, force, bar)
    })?;
    let now = session.store().slots()?;
    let gone = |label: &&str| now.iter().all(|slot| slot.label != **label);
    let removed = before.iter().map(|slot| slot.label.as_str()).find(gone);
    session.tell(&format!(
        "removed {}; {}",
        sanitized(removed.unwrap_or(key)),
        re_encrypted(&report)
    ));
    document(&report, json)?;
    session.hint("copies of the store and backups made before still open with the removed key; replace the secrets its owner has seen");
    Ok(())
}

pub(super) fn rotate(keep_identity: bool, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let identity = match keep_identity {
        true => RotateIdentity::Keep,
        false => RotateIdentity::Replace,
    };
    let before = session.store().slots()?;
    let report = with_bar(&session, |bar| session.store().rotate(identity, bar))?;
    session.tell(&renewed(&report));
    document(&report, json)?;
    if keep_identity {
        return Ok(());
    }
    if let Some(name) = kept_after(&before, &session)? {
        session.tell(&format!(
            "{} keeps {name}, which mcplexer did not create; it no longer opens this store",
            key_place(session.home().key())
        ));
    }
    session.hint("old backups do not open with the new key; mcplexer backup create FILE");
    Ok(())
}

pub(super) fn recovery(reveal: bool, global: Global) -> Result<(), Failure> {
    agent::guard(
        reveal,
        "run it in a shell of your own, and write the code down",
    )?;
    let session = Session::open(global)?;
    let code = session
        .store()
        .add_recovery_code()
        .map_err(|error| match error {
            Error::SlotExists { .. } => Failure::new("this store has a recovery code already")
                .with_hint("mcplexer key remove 'recovery code' makes the old one useless")
                .with_code(exit_code::CONFLICT),
            error => session.explain(error),
        })?;
    session.tell(
        "Recovery code (shown only now; write it down). It opens the store if all keys are lost:",
    );
    print(&format!("{}\n", code.expose()))?;
    session.hint("use it with: mcplexer key recover");
    Ok(())
}

pub(super) fn recover(lost: Option<&str>, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    if !session.store().exists()? {
        return Err(Error::NoStore.into());
    }
    let lost = lost.map(SlotRef::new);
    let lost = lost.as_ref();
    check_recoverable(&session.store().slots()?, lost)?;
    let code = input::recovery_code(global)?;
    let report = with_bar(&session, |bar| session.store().recover(&code, lost, bar));
    let report = report.map_err(|failure| match session.home().key() {
        KeySource::Environment(variable) => {
            failure.with_hint(format!("unset {variable}: the new key is kept in a file"))
        }
        _ => failure,
    })?;
    session.tell(&renewed(&report));
    document(&report, json)?;
    if let KeySource::File(path) = session.home().key() {
        session.tell(&format!(
            "the new key is in {}; the recovery code stays valid",
            shown(path)
        ));
    }
    Ok(())
}

/// Re-encrypts the store, with a progress bar.
fn with_bar(
    session: &Session,
    work: impl FnOnce(&mut dyn FnMut(Progress)) -> Result<Rekeyed, Error>,
) -> Result<RekeyReport, Failure> {
    let bar = Bar::new("re-encrypting", session.global);
    let report = rekey(|| work(&mut |progress| bar.show(progress)));
    let report = report.map_err(|error| session.explain(error))?;
    bar.keep();
    Ok(report)
}

fn document(report: &RekeyReport, json: bool) -> Result<(), Failure> {
    match json {
        true => print_json(report),
        false => Ok(()),
    }
}

fn re_encrypted(report: &RekeyReport) -> String {
    format!(
        "re-encrypted {} in {}",
        count(report.secrets, "secret"),
        count(report.scopes, "scope")
    )
}

fn renewed(report: &RekeyReport) -> String {
    let done = format!("{} ({:.1} s)", re_encrypted(report), report.seconds);
    match &report.recipient {
        Some(new) => format!("new key {}; {done}", shortened(new, 7, 3)),
        None => done,
    }
}
