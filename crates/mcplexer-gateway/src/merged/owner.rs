//! Which server a resource is of.

use std::sync::Arc;

use super::lists::listed;
use crate::error::CallError;
use crate::hub::Hub;
use crate::instance::has;
use crate::lists::{ListKind, fits};
use crate::server::Server;
use crate::session::Route;

/// Finds the server that has a resource: the first one that lists it; or else one that has a template which fits; or else
/// the only one with resources. Returns the URI that it knows.
///
/// # Errors
/// Why it is not known, if that is because the credentials of a server cannot be opened.
pub(crate) async fn owner(
    hub: &Arc<Hub>,
    route: &Route,
    uri: &str,
) -> Result<(Arc<Server>, String), Option<CallError>> {
    let servers = hub.servers_for(&route.session.peer);
    for server in &servers {
        let own = uri.strip_prefix(server.name.as_str());
        if let Some(own) = own.and_then(|it| it.strip_prefix('+')) {
            return Ok((Arc::clone(server), own.to_owned()));
        }
    }
    let found = |server: &Arc<Server>| Ok((Arc::clone(server), uri.to_owned()));
    let resources = listed(hub, route, ListKind::Resources).await;
    for (server, items) in &resources.listed {
        if items.iter().any(|it| it.key == uri) {
            return found(server);
        }
    }
    let templates = listed(hub, route, ListKind::Templates).await;
    for (server, items) in &templates.listed {
        if items.iter().any(|it| it.key == uri || fits(&it.key, uri)) {
            return found(server);
        }
    }
    let mut able = servers.iter().filter(|server| {
        let hello = server.hello();
        hello.is_some_and(|hello| has(&hello, &["capabilities", "resources"]))
    });
    match (able.next(), able.next()) {
        (Some(only), None) => found(only),
        _ => Err(resources.locked),
    }
}
