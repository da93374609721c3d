//! `mcplexer key …`

use mcplexer_secrets::keys::{Identity, KeyError};
use mcplexer_secrets::{Error, KeySource};
use serde::Serialize;

use crate::cli::{Global, Key};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::{print, print_json, sanitized, shown, table};
use crate::session::Session;

pub(super) fn run(command: &Key, global: Global) -> Result<(), Failure> {
    match command {
        Key::Init => init(global),
        Key::Show { json } => show(*json, global),
    }
}

fn init(global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let store = shown(&session.home.store());
    let made = session.store.init();
    if !made.map_err(|error| session.explain(error))? {
        return Err(Failure::new(format!("{store} already exists"))
            .with_hint("mcplexer key show tells which key opens it")
            .with_code(exit_code::CONFLICT));
    }
    session.tell_what_was_made();
    Ok(())
}

#[derive(Serialize)]
struct Document {
    key: String,
    recipients: Vec<String>,
    slots: Vec<SlotRow>,
}

/// A slot in JSON output.
#[derive(Serialize)]
struct SlotRow {
    recipient: String,
    label: String,
    created: String,
    opens: bool,
}

fn show(json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let slots = session.store.slots()?;
    let recipients: Vec<_> = match session.identities() {
        Ok(identities) => identities.iter().map(Identity::recipient).collect(),
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
    let key = match session.home.key() {
        KeySource::Environment(variable) => (*variable).to_owned(),
        KeySource::File(path) if json => path.display().to_string(),
        KeySource::File(path) => shown(path),
        _ => String::new(),
    };
    let slots: Vec<_> = slots
        .into_iter()
        .map(|slot| SlotRow {
            opens: recipients.contains(&slot.recipient),
            recipient: slot.recipient,
            label: slot.label,
            created: slot.created.to_string(),
        })
        .collect();
    if json {
        return print_json(&Document {
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
