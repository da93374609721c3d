use mcplexer_secrets::{ScopeId, SecretName, SecretStore};

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::stdout_is_terminal;
use crate::session::Session;
use crate::{agent, output};

pub(super) fn run(
    scope: &ScopeId,
    key: &SecretName,
    version: Option<u64>,
    reveal: bool,
    global: Global,
) -> Result<(), Failure> {
    let instead =
        format!("mcplexer run --scope {scope} --only {key} -- COMMAND gives it to a command");
    agent::guard(reveal, &instead)?;
    let session = Session::open(global)?;
    let value = match version {
        None => session.store().get(scope, key),
        Some(version) => session.store().get_version(scope, key, version),
    };
    let value = value.map_err(|error| session.explain(error))?;
    // The value is there: a secret that was deleted just now needs no warning.
    if version.is_none()
        && let Ok(info) = session.store().secret_info(scope, key)
    {
        session.warn_if_due(scope, &info);
    }
    output::write(value.expose())?;
    match stdout_is_terminal() {
        true => output::write(b"\n"),
        false => Ok(()),
    }
}
