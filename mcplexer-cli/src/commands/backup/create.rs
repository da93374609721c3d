//! `mcplexer backup create`

use std::path::Path;

use mcplexer_home::backup::Create;
use mcplexer_secrets::Error;
use mcplexer_secrets::backup::BackupTo;
use mcplexer_secrets::keys::Recipient;

use crate::failure::Failure;
use crate::input;
use crate::output::print_json;
use crate::progress::Bar;
use crate::session::Session;
use crate::text::{count, shown};

pub(super) fn run(
    session: &Session,
    file: &Path,
    recipients: &[Recipient],
    passphrase: bool,
    force: bool,
    json: bool,
) -> Result<(), Failure> {
    session.check_output(Some(file))?;
    if !session.store().exists()? {
        return Err(Error::NoStore.into());
    }
    let asked;
    let to = if passphrase {
        asked = input::new_passphrase(session.global)?;
        BackupTo::Passphrase(&asked)
    } else if recipients.is_empty() {
        BackupTo::StoreKeys
    } else {
        BackupTo::Recipients(recipients)
    };
    let create = Create {
        file,
        to,
        overwrite: force,
    };
    let bar = Bar::new("saving", session.global);
    let report = create.run(session, &mut |progress| bar.show(progress));
    drop(bar);
    let report = report.map_err(|error| session.explain(error))?;
    let opened_by = match (report.opened_by.as_slice(), passphrase) {
        (_, true) => "the passphrase".to_owned(),
        ([], false) => "the keys of the recipients named".to_owned(),
        (labels, false) => labels.join(", "),
    };
    session.tell(&format!(
        "{}: {}, {}; opens with {opened_by}",
        shown(file),
        count(report.scopes, "scope"),
        count(report.secrets, "secret"),
    ));
    match json {
        true => print_json(&report),
        false => Ok(()),
    }
}
