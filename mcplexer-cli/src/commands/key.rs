//! `mcplexer key …`

use std::fs;

use mcplexer_home::KeySource;
use mcplexer_secrets::keys::{Ask, Identity, KeyError, Recipient};
use mcplexer_secrets::{Error, SlotInfo, SlotKind};
use serde::Serialize;

use crate::cli::{AddKey, Global, Key};
use crate::failure::Failure;
use crate::output::{Ago, print, print_json, sanitized, shown, table};
use crate::session::Session;
use crate::{exit_code, input};

mod rekey;

pub(super) fn run(command: Key, global: Global) -> Result<(), Failure> {
    match command {
        Key::Init => init(global),
        Key::Show { json } => show(json, global),
        Key::List { json } => list(json, global),
        Key::Add(key) => add(&key, global),
        Key::Remove { key, force, json } => rekey::remove(&key, force, json, global),
        Key::Rotate {
            keep_identity,
            json,
        } => rekey::rotate(keep_identity, json, global),
        Key::Recovery { reveal } => rekey::recovery(reveal, global),
        Key::Recover { lost, json } => rekey::recover(lost.as_deref(), json, global),
    }
}

fn init(global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let store = shown(&session.home().store());
    let made = session.store().init();
    if !made.map_err(|error| session.explain(error))? {
        return Err(Failure::new(format!("{store} already exists"))
            .with_hint("mcplexer key show tells which key opens it")
            .with_code(exit_code::CONFLICT));
    }
    session.tell_created();
    Ok(())
}

#[derive(Serialize)]
struct ShowDocument {
    key: String,
    recipients: Vec<String>,
    slots: Vec<SlotRow>,
}

#[derive(Serialize)]
struct ListDocument {
    keys: Vec<SlotRow>,
}

/// A slot in JSON output.
#[derive(Serialize)]
struct SlotRow {
    recipient: String,
    label: String,
    kind: &'static str,
    created: String,
    opens: bool,
}

impl SlotRow {
    /// `names` are what the identities at hand are called.
    fn of(slot: SlotInfo, names: &[String]) -> Self {
        Self {
            opens: names.contains(&slot.recipient),
            kind: kind(&slot),
            recipient: slot.recipient,
            label: slot.label,
            created: slot.created.to_string(),
        }
    }
}

/// What kind of key opens a slot, in a word.
fn kind(slot: &SlotInfo) -> &'static str {
    match slot.kind {
        SlotKind::Passphrase => "passphrase",
        SlotKind::Recovery => "recovery",
        _ if slot.recipient.starts_with("ssh-") => "ssh",
        // An age recipient has no `1` but the one after its prefix.
        _ if slot.recipient.matches('1').count() > 1 => "plugin",
        _ => "age",
    }
}

fn show(json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let slots = session.store().slots()?;
    let recipients: Vec<_> = match session.identities() {
        Ok(identities) => identities.iter().map(Identity::name).collect(),
        Err(Error::Key(reason @ KeyError::Missing { .. })) => {
            return Err(if slots.is_empty() {
                Failure::from(Error::Key(reason)).with_hint(
                    "the first mcplexer secret put makes a key, and so does mcplexer key init",
                )
            } else {
                Failure::from(Error::Locked { reason, slots })
            });
        }
        Err(error) => return Err(error.into()),
    };
    let key = match session.home().key() {
        KeySource::Environment(variable) => (*variable).to_owned(),
        KeySource::File(path) if json => path.display().to_string(),
        KeySource::File(path) => shown(path),
        _ => String::new(),
    };
    let slots: Vec<_> = slots
        .into_iter()
        .map(|slot| SlotRow::of(slot, &recipients))
        .collect();
    if json {
        return print_json(&ShowDocument {
            key,
            recipients,
            slots,
        });
    }
    let mut rows = vec![vec!["key".to_owned(), key]];
    rows.extend(
        recipients
            .into_iter()
            .map(|recipient| vec!["recipient".into(), recipient]),
    );
    if slots.is_empty() {
        rows.push(vec!["store".into(), "none yet".into()]);
    }
    for slot in slots {
        let opens = if slot.opens { "opens" } else { "does not open" };
        let text = format!("{} ({}), this key {opens} it", slot.recipient, slot.label);
        rows.push(vec!["slot".into(), sanitized(text)]);
    }
    print(&table(&rows))
}

fn list(json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let slots = session.store().slots()?;
    if slots.is_empty() {
        return Err(Error::NoStore.into());
    }
    // Which one is in use is told if that takes no question.
    let identities = session.keys().identities(Ask::Never).unwrap_or_default();
    let names: Vec<_> = identities.iter().map(Identity::name).collect();
    if json {
        let keys = slots.into_iter().map(|slot| SlotRow::of(slot, &names));
        return print_json(&ListDocument {
            keys: keys.collect(),
        });
    }
    let header = ["LABEL", "KIND", "MADE", "HERE", "RECIPIENT"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for slot in &slots {
        let here = if names.contains(&slot.recipient) {
            "in use"
        } else {
            "-"
        };
        rows.push(vec![
            sanitized(&slot.label),
            kind(slot).to_owned(),
            Ago(slot.created).to_string(),
            here.to_owned(),
            sanitized(short(&slot.recipient)),
        ]);
    }
    print(&table(&rows))
}

/// A recipient, the middle left out of a long one.
fn short(recipient: &str) -> String {
    const LONGEST: usize = 70;
    match (
        recipient.get(..40),
        recipient.get(recipient.len().saturating_sub(12)..),
    ) {
        (Some(start), Some(end)) if recipient.len() > LONGEST => format!("{start}…{end}"),
        _ => recipient.to_owned(),
    }
}

fn add(key: &AddKey, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let label = key.label.as_deref();
    let slot = if key.passphrase {
        if !session.store().exists()? {
            return Err(Error::NoStore.into());
        }
        let passphrase = input::new_passphrase(global)?;
        session.store().add_passphrase(&passphrase, label)
    } else {
        session.store().add_recipient(&recipient(key)?, label)
    };
    let slot = slot.map_err(|error| session.explain(error))?;
    session.tell(&sanitized(format!(
        "{} opens the store too: {}",
        slot.label,
        match slot.kind {
            SlotKind::Passphrase => "by its passphrase, where no key file does".to_owned(),
            _ => short(&slot.recipient),
        }
    )));
    if key.json {
        return print_json(&SlotRow::of(slot, &[]));
    }
    Ok(())
}

/// The recipient that was given, in words of the command line or in a file.
fn recipient(key: &AddKey) -> Result<Recipient, Failure> {
    let text = match &key.file {
        None => key.recipient.join(" "),
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|source| Error::Io {
                action: "read",
                path: path.clone(),
                source,
            })?;
            let mut lines = text.lines().map(str::trim);
            let line = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
            line.unwrap_or_default().to_owned()
        }
    };
    text.parse().map_err(|error| {
        Failure::new(format!("{error}"))
            .with_hint("--file reads it from a file, such as ~/.ssh/id_ed25519.pub")
            .with_hint("the owner prints it with age-keygen -y KEYFILE")
            .with_code(exit_code::USAGE)
    })
}
