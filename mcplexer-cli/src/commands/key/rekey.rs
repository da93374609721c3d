//! `mcplexer key remove` and `rotate`: the store, encrypted again for other keys.

use mcplexer_home::keys::{RekeyReport, kept_after, rekey};
use mcplexer_secrets::keys::SlotRef;
use mcplexer_secrets::{Error, Progress, Rekeyed, RotateIdentity};

use super::shortened;
use crate::cli::Global;
use crate::failure::{Failure, key_place};
use crate::output::print_json;
use crate::progress::Bar;
use crate::session::Session;
use crate::text::{count, sanitized};

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

/// Re-encrypts the store, with a progress bar.
pub(super) fn with_bar(
    session: &Session,
    work: impl FnOnce(&mut dyn FnMut(Progress)) -> Result<Rekeyed, Error>,
) -> Result<RekeyReport, Failure> {
    let bar = Bar::new("re-encrypting", session.global);
    let report = rekey(|| work(&mut |progress| bar.show(progress)));
    let report = report.map_err(|error| session.explain(error))?;
    bar.keep();
    Ok(report)
}

pub(super) fn document(report: &RekeyReport, json: bool) -> Result<(), Failure> {
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

pub(super) fn renewed(report: &RekeyReport) -> String {
    let done = format!("{} ({:.1} s)", re_encrypted(report), report.seconds);
    match &report.recipient {
        Some(new) => format!("new key {}; {done}", shortened(new, 7, 3)),
        None => done,
    }
}
