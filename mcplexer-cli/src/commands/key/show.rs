//! `mcplexer key show` and `mcplexer key list`

use mcplexer_home::keys;
use mcplexer_secrets::ErrorKind;

use super::short;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::session::Session;
use crate::stderr::say_warning;
use crate::table::{headed, whole};
use crate::text::{Ago, sanitized, shortened};

pub(super) fn run(json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let report = keys::show(&session)?;
    if json {
        return print_json(&report);
    }
    let mut rows = vec![vec!["key".to_owned(), shortened(&report.key)]];
    let recipients = report.recipients.into_iter();
    rows.extend(recipients.map(|recipient| vec!["recipient".into(), recipient]));
    if report.slots.is_empty() {
        rows.push(vec!["store".into(), "none yet".into()]);
    }
    for slot in report.slots {
        let opens = if slot.opens { "opens" } else { "does not open" };
        let text = format!("{} ({}), this key {opens} it", slot.recipient, slot.label);
        rows.push(vec!["slot".into(), sanitized(text)]);
    }
    print(&whole(&rows))?;
    warn_of_refusal(&session);
    Ok(())
}

/// Warns if every other command refuses the store: its list of keys may be somebody else's.
fn warn_of_refusal(session: &Session) {
    if let Err(error) = session.store().scope_names()
        && error.kind() == ErrorKind::Tampered
    {
        say_warning(&sanitized(&error));
    }
}

pub(super) fn list(json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let report = keys::list(&session)?;
    if json {
        return print_json(&report);
    }
    let header = ["LABEL", "KIND", "CREATED", "IN USE", "RECIPIENT"];
    let rows = report.keys.iter().map(|key| {
        let in_use = if key.opens { "yes" } else { "-" };
        vec![
            sanitized(&key.label),
            key.kind.to_owned(),
            Ago(key.created).to_string(),
            in_use.to_owned(),
            sanitized(short(&key.recipient)),
        ]
    });
    print(&headed(header, &rows.collect::<Vec<_>>()))?;
    warn_of_refusal(&session);
    Ok(())
}
