//! What a client must not add: variables to the environment of a server.
//!
//! A server that has a scope in `scopes` gets each of its secrets as a variable. Some variables make common programs load code or
//! ask another host for it, such as `npm_config_registry`. So who may add one can run programs, and read all that the server gets.
//! A person may, who can edit `config.yaml` as well. A client may only replace what is there.

use mcplexer_files::config::Server;
use mcplexer_home::{OpenHome, config};
use mcplexer_secrets::{ErrorKind, ScopeId, SecretName, SecretStore};

use crate::access::Writer;
use crate::problem::Problem;

/// Fails if a client would add one of these secrets, and a server would get it as a variable.
pub(super) fn check<'a>(
    writer: &Writer,
    scope: &ScopeId,
    names: impl IntoIterator<Item = &'a SecretName>,
    home: &OpenHome,
) -> Result<(), Problem> {
    let Some(client) = &writer.client else {
        return Ok(());
    };
    let config = config::of_home(home.home())?.unwrap_or_default();
    let gets = |server: &Server| server.transport.scopes().any(|it| it == scope);
    let Some((server, _)) = config.servers.iter().find(|(_, server)| gets(server)) else {
        return Ok(());
    };
    let there = match home.store().list(scope) {
        Ok(there) => there,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let is_new = |name: &&SecretName| there.iter().all(|it| it.name != **name);
    match names.into_iter().find(is_new) {
        None => Ok(()),
        Some(name) => {
            let server = match writer.sight.sees(server) {
                true => format!("server {server}"),
                false => "a server".to_owned(),
            };
            let title = format!(
                "client {client} may not add {name} to {scope}: {server} would get it as a variable"
            );
            Err(Problem::forbidden(title).with_hint(
                "the page and mcplexer secret put can add it; a client may replace it then",
            ))
        }
    }
}
