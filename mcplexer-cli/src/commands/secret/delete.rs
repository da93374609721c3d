use std::io::{self, IsTerminal};

use mcplexer_home::scopes;
use mcplexer_secrets::{ScopeId, SecretName};

use crate::cli::Global;
use crate::failure::Failure;
use crate::input;
use crate::session::Session;
use crate::text::count;

pub(super) fn run(
    scope: &ScopeId,
    keys: &[SecretName],
    force: bool,
    global: Global,
) -> Result<(), Failure> {
    let session = Session::open(global)?;
    // A script has never been asked.
    if !force && io::stdin().is_terminal() {
        let question = question(scope, keys, &session)?;
        input::confirm("", &question, global)?;
    }
    let deleted = session.store().delete_all(scope, keys);
    deleted.map_err(|error| session.explain(error))?;
    for key in keys {
        session.tell(&format!("deleted {scope}/{key}"));
    }
    Ok(())
}

/// Says what would be lost.
fn question(scope: &ScopeId, keys: &[SecretName], session: &Session) -> Result<String, Failure> {
    let mut versions = 0;
    for key in keys {
        let history = scopes::history(scope, key, session);
        let history = history.map_err(|error| session.explain(error))?;
        versions += history.versions.len() as u64;
    }
    let them = count(versions, "version");
    Ok(match keys {
        [key] if versions == 1 => format!("delete {scope}/{key}? It cannot be restored"),
        [key] => format!("delete {scope}/{key} and its {them}? They cannot be restored"),
        _ => {
            let secrets = count(keys.len() as u64, "secret");
            format!("delete {secrets} of {scope} and their {them}? They cannot be restored")
        }
    })
}
