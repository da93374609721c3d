//! `mcplexer key recovery` and `recover`: a way back from the loss of all keys.

use mcplexer_home::KeySource;
use mcplexer_home::keys::check_recoverable;
use mcplexer_secrets::Error;
use mcplexer_secrets::keys::{RecoveryCode, SlotRef};
use zeroize::Zeroizing;

use super::rekey::{document, renewed, with_bar};
use crate::cli::Global;
use crate::failure::Failure;
use crate::output::write_durably;
use crate::session::Session;
use crate::text::shown;
use crate::{agent, exit_code, input};

pub(super) fn recovery(reveal: bool, global: Global) -> Result<(), Failure> {
    agent::guard(
        reveal,
        "run it in a shell of your own, and write the code down",
    )?;
    let session = Session::open(global)?;
    let mut is_shown = false;
    let added = session.store().add_recovery_code_once_shown(|code| {
        session.tell(
            "Recovery code (shown only now; write it down). It opens the store if all keys are lost:",
        );
        write_durably(&line_of(code))?;
        is_shown = true;
        Ok(())
    });
    added.map_err(|error| match error {
        Error::LabelTaken { .. } => Failure::new("this store has a recovery code already")
            .with_hint("mcplexer key remove 'recovery code' makes the old one useless")
            .with_code(exit_code::CONFLICT),
        Error::NotShown(error) => {
            Failure::of_stdout(&error).with_hint("the store has no recovery code; run it again")
        }
        error if is_shown => session
            .explain(error)
            .with_hint("the code that was printed opens nothing; run it again for another"),
        error => session.explain(error),
    })?;
    session.hint("use it with: mcplexer key recover");
    Ok(())
}

/// Returns the code as it is printed, in a buffer that is wiped.
fn line_of(code: &RecoveryCode) -> Zeroizing<Vec<u8>> {
    let code = code.expose();
    let mut line = Zeroizing::new(Vec::with_capacity(code.len() + 1));
    line.extend_from_slice(code.as_bytes());
    line.push(b'\n');
    line
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
