use mcplexer_secrets::{ScopeId, SecretName};

use crate::cli::Global;
use crate::failure::Failure;
use crate::session::Session;

pub(super) fn run(scope: &ScopeId, keys: &[SecretName], global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let deleted = session.store().delete_all(scope, keys);
    deleted.map_err(|error| session.explain(error))?;
    for key in keys {
        session.tell(&format!("deleted {scope}/{key}"));
    }
    Ok(())
}
