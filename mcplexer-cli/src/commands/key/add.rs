//! `mcplexer key add`

use mcplexer_home::keys::KeyRow;
use mcplexer_secrets::keys::{Recipient, SlotLabel};
use mcplexer_secrets::{Error, SlotKind};

use super::short;
use crate::cli::{AddKey, Global};
use crate::failure::Failure;
use crate::output::print_json;
use crate::session::Session;
use crate::text::sanitized;
use crate::{exit_code, input};

pub(super) fn run(key: &AddKey, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let label = key.label.as_deref().map(str::parse::<SlotLabel>);
    let label = label.transpose().map_err(Error::from)?;
    let slot = if key.passphrase {
        if !session.store().exists()? {
            return Err(Error::NoStore.into());
        }
        let passphrase = input::new_passphrase(global)?;
        session.store().add_passphrase(&passphrase, label.as_ref())
    } else {
        session
            .store()
            .add_recipient(&recipient(key)?, label.as_ref())
    };
    let slot = slot.map_err(|error| session.explain(error))?;
    session.tell(&sanitized(match slot.kind {
        SlotKind::Passphrase => format!(
            "added {} (a passphrase, asked for where no key file opens the store)",
            slot.label
        ),
        _ => format!("added {} ({})", slot.label, short(&slot.recipient)),
    }));
    match key.json {
        true => print_json(&KeyRow::of(slot, &[])),
        false => Ok(()),
    }
}

/// Returns the recipient given as words on the command line, or in a file.
fn recipient(key: &AddKey) -> Result<Recipient, Failure> {
    let text = match &key.file {
        None => key.recipient.join(" "),
        Some(path) => {
            let text = input::public_keys(path)?;
            let mut lines = text.lines().map(str::trim);
            let line = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
            // Parsing an empty text returns an error that says what is expected.
            line.unwrap_or("").to_owned()
        }
    };
    text.parse().map_err(|error| {
        Failure::new(format!("{error}"))
            .with_hint("--file reads it from a file, such as ~/.ssh/id_ed25519.pub")
            .with_hint("the owner prints it with age-keygen -y KEYFILE")
            .with_code(exit_code::USAGE)
    })
}
