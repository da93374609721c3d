use mcplexer_secrets::{ScopeId, SecretName};

use super::put::tell_expiry;
use crate::cli::Global;
use crate::failure::Failure;
use crate::session::Session;

pub(super) fn run(
    scope: &ScopeId,
    key: &SecretName,
    version: u64,
    global: Global,
) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let stored = session.store().restore_version(scope, key, version);
    let stored = stored.map_err(|error| session.explain(error))?;
    session.tell(&format!(
        "stored the value of version {version} of {scope}/{key} as version {}",
        stored.version
    ));
    tell_expiry(scope, key, &stored, &session);
    Ok(())
}
