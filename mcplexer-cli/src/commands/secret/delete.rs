use mcplexer_secrets::{ScopeId, SecretName, SecretStore};

use crate::cli::Global;
use crate::failure::Failure;
use crate::session::Session;

pub(super) fn run(scope: &ScopeId, key: &SecretName, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    session
        .store()
        .delete(scope, key)
        .map_err(|error| session.explain(error))?;
    session.tell(&format!("deleted {scope}/{key}"));
    Ok(())
}
