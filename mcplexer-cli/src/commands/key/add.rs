//! `mcplexer key add`

use mcplexer_home::keys::KeyRow;
use mcplexer_secrets::keys::{InvalidRecipient, Recipient, SlotLabel};
use mcplexer_secrets::{Error, SlotKind};
use serde::Serialize;

use super::short;
use crate::cli::{AddKey, Global};
use crate::failure::{Failure, OTHER_KEY};
use crate::output::print_json;
use crate::session::Session;
use crate::text::{sanitized, shown};
use crate::{exit_code, input};

pub(super) fn run(key: &AddKey, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let label = key.label.as_deref().map(str::parse::<SlotLabel>);
    let label = label.transpose().map_err(Error::from)?;
    let slots = if key.passphrase {
        if !session.store().exists()? {
            return Err(Error::NoStore.into());
        }
        let passphrase = input::new_passphrase(global)?;
        let added = session.store().add_passphrase(&passphrase, label.as_ref());
        added.map(|slot| vec![slot])
    } else {
        match (recipients(key)?.as_slice(), label) {
            ([one], label) => {
                let added = session.store().add_recipient(one, label.as_ref());
                added.map(|slot| vec![slot])
            }
            (several, label) => session.store().add_recipients(several, label.as_ref()),
        }
    };
    let slots = slots.map_err(|error| session.explain(error))?;
    for slot in &slots {
        session.tell(&sanitized(match slot.kind {
            SlotKind::Passphrase => format!(
                "added {} (a passphrase, asked for where no key file opens the store)",
                slot.label
            ),
            _ => format!("added {} ({})", slot.label, short(&slot.recipient)),
        }));
    }
    if !key.json {
        return Ok(());
    }
    let mut keys: Vec<_> = slots.into_iter().map(|it| KeyRow::of(it, &[])).collect();
    match keys.pop() {
        Some(one) if keys.is_empty() => print_json(&one),
        last => {
            keys.extend(last);
            print_json(&AddedKeys { keys })
        }
    }
}

/// The JSON document of several keys.
#[derive(Serialize)]
struct AddedKeys {
    keys: Vec<KeyRow>,
}

/// Returns the recipients given on the command line, or in a file with one in each line.
fn recipients(key: &AddKey) -> Result<Vec<Recipient>, Failure> {
    let Some(path) = &key.file else {
        // A shell takes an SSH key apart into words.
        let each = key.recipient.iter().map(|word| word.parse());
        let each: Result<Vec<Recipient>, _> = each.collect();
        return match each.or_else(|_| Ok(vec![key.recipient.join(" ").parse()?])) {
            Ok(recipients) => Ok(recipients),
            Err(error) => Err(not_a_recipient(error)),
        };
    };
    let text = input::public_keys(path)?;
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let parsed = lines.map(|(at, line)| {
        let place = format!("{}, line {}", shown(path), at + 1);
        line.parse()
            .map_err(|error| not_a_recipient(error).at(&place))
    });
    let recipients = parsed.collect::<Result<Vec<_>, _>>()?;
    match recipients.is_empty() {
        true => Err(not_a_recipient(InvalidRecipient::Unknown).at(&shown(path))),
        false => Ok(recipients),
    }
}

fn not_a_recipient(error: InvalidRecipient) -> Failure {
    let failure = Failure::new(format!("{error}")).with_code(exit_code::USAGE);
    match error {
        InvalidRecipient::Unknown | InvalidRecipient::Private => failure
            .with_hint("--file reads it from a file, such as ~/.ssh/id_ed25519.pub")
            .with_hint("the owner prints it with age-keygen -y KEYFILE"),
        InvalidRecipient::Several => {
            failure.with_hint("--file reads several from a file, one in each line")
        }
        InvalidRecipient::SshDamaged => failure.with_hint("copy the whole line of the .pub file"),
        _ => failure.with_hint(OTHER_KEY),
    }
}
