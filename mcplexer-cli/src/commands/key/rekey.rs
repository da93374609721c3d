//! What replaces keys, and what is needed when they are lost.

use std::time::Instant;

use mcplexer_home::KeySource;
use mcplexer_secrets::keys::Identity;
use mcplexer_secrets::{Error, Rekeyed, RotateIdentity, SlotInfo, SlotKind};
use serde::Serialize;

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{count, print, print_json, shown};
use crate::progress::Bar;
use crate::session::Session;
use crate::{agent, exit_code, input};

pub(super) fn remove(key: &str, force: bool, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    rekey(&session, json, |bar| {
        session
            .store()
            .remove_slot(key, force, &mut |progress| bar.show(progress))
    })?;
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
    rekey(&session, json, |bar| {
        session
            .store()
            .rotate(identity, &mut |progress| bar.show(progress))
    })?;
    if !keep_identity {
        tell_what_stays(&session, &before)?;
        hint_at_backups(&session);
    }
    Ok(())
}

/// Tells of an identity that the key file keeps although it opens nothing here any more.
fn tell_what_stays(session: &Session, before: &[SlotInfo]) -> Result<(), Failure> {
    let now = session.store().slots()?;
    let names: Vec<_> = session.identities()?.iter().map(Identity::name).collect();
    let is_in = |slots: &[SlotInfo], name: &str| slots.iter().any(|slot| slot.recipient == name);
    let stays = names
        .iter()
        .find(|name| is_in(before, name) && !is_in(&now, name));
    if let (Some(name), KeySource::File(path)) = (stays, session.home().key()) {
        let path = shown(path);
        session.tell(&format!(
            "{path} keeps {name}, which mcplexer did not make; it does not open this store any more"
        ));
    }
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
                .with_hint("mcplexer key remove 'recovery code' makes the old one worthless")
                .with_code(exit_code::CONFLICT),
            error => session.explain(error),
        })?;
    session.tell(
        "this code opens the store if every key is lost; it is shown this once, write it down:",
    );
    print(&format!("{}\n", *code.expose()))?;
    session.hint("mcplexer key recover takes it");
    Ok(())
}

pub(super) fn recover(lost: Option<&str>, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    if !session.store().exists()? {
        return Err(Error::NoStore.into());
    }
    check_before_asking(&session.store().slots()?, lost)?;
    let code = input::recovery_code(global)?;
    rekey(&session, json, |bar| {
        session
            .store()
            .recover(&code, lost, &mut |progress| bar.show(progress))
    })
    .map_err(|failure| match session.home().key() {
        KeySource::File(_) => failure,
        _ => failure.with_hint("unset it, so that the new key can be kept in a file"),
    })?;
    session.tell(&format!(
        "the new key is in {}; the recovery code stays good",
        match session.home().key() {
            KeySource::File(path) => shown(path),
            _ => String::new(),
        }
    ));
    Ok(())
}

/// Finds out what a code is not needed for, before somebody types one.
fn check_before_asking(slots: &[SlotInfo], lost: Option<&str>) -> Result<(), Failure> {
    if !slots.iter().any(|slot| slot.kind == SlotKind::Recovery) {
        return Err(Failure::new("this store has no recovery code")
            .with_hint("whoever has one of its keys can mcplexer key add a new one for you")
            .with_code(exit_code::KEY));
    }
    let keys = slots.iter().filter(|slot| slot.kind == SlotKind::Key);
    let meant: Vec<_> = match lost {
        None => keys.collect(),
        Some(lost) => {
            let is_it = |slot: &&SlotInfo| slot.label == lost || slot.recipient == lost;
            match keys.clone().find(is_it) {
                Some(slot) => vec![slot],
                None => keys.filter(|it| it.recipient.starts_with(lost)).collect(),
            }
        }
    };
    match (lost, meant.as_slice()) {
        (None, []) | (_, [_]) => Ok(()),
        (Some(lost), []) => Err(Error::SlotNotFound {
            slot: lost.to_owned(),
        }
        .into()),
        (_, several) => {
            let labels = several.iter().map(|slot| slot.label.clone()).collect();
            Err(Failure::from(Error::SlotAmbiguous { labels })
                .with_hint("mcplexer key recover --lost LABEL says which one is gone"))
        }
    }
}

fn hint_at_backups(session: &Session) {
    session.hint("an old backup does not open with the new key; mcplexer backup create FILE");
}

#[derive(Serialize)]
struct RekeyDocument {
    generation: u64,
    scopes: u64,
    secrets: u64,
    recipient: Option<String>,
    seconds: f64,
}

/// Re-keys with a bar that shows how far it is, and tells what was done.
fn rekey(
    session: &Session,
    json: bool,
    work: impl FnOnce(&Bar) -> Result<Rekeyed, Error>,
) -> Result<(), Failure> {
    let start = Instant::now();
    let bar = Bar::new("re-keying", session.global);
    let rekeyed = work(&bar).map_err(|error| session.explain(error))?;
    bar.keep();
    let seconds = start.elapsed().as_secs_f64();
    let new = rekeyed.recipient.as_deref();
    let new = new.map_or_else(String::new, |new| {
        format!("; new identity {}", shortest(new))
    });
    session.tell(&format!(
        "generation {}: {}, {}, {seconds:.1} s{new}",
        rekeyed.generation,
        count(rekeyed.scopes, "scope"),
        count(rekeyed.secrets, "secret"),
    ));
    if json {
        return print_json(&RekeyDocument {
            generation: rekeyed.generation,
            scopes: rekeyed.scopes,
            secrets: rekeyed.secrets,
            recipient: rekeyed.recipient,
            seconds: (seconds * 1000.0).round() / 1000.0,
        });
    }
    Ok(())
}

/// As much of an age recipient as tells it from others at hand.
fn shortest(recipient: &str) -> String {
    match (
        recipient.get(..7),
        recipient.get(recipient.len().saturating_sub(3)..),
    ) {
        (Some(start), Some(end)) => format!("{start}…{end}"),
        _ => recipient.to_owned(),
    }
}
