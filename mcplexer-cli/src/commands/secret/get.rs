use std::io::{self, Write};

use mcplexer_secrets::{ScopeId, SecretName, SecretStore};

use crate::agent;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output::stdout_is_terminal;
use crate::session::Session;

pub(super) fn run(
    scope: &ScopeId,
    key: &SecretName,
    reveal: bool,
    global: Global,
) -> Result<(), Failure> {
    let instead =
        format!("mcplexer run --scope {scope} --only {key} -- COMMAND gives it to a command");
    agent::guard(reveal, &instead)?;
    let session = Session::open(global)?;
    let value = session
        .store()
        .get(scope, key)
        .map_err(|error| session.explain(error))?;
    let mut stdout = io::stdout().lock();
    let mut written = stdout.write_all(value.expose());
    if written.is_ok() && stdout_is_terminal() {
        written = stdout.write_all(b"\n");
    }
    written
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::of_stdout(&error))
}
