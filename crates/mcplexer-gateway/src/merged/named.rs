//! Which server a name is of.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::lists::table_of;
use crate::error::CallError;
use crate::hub::Hub;
use crate::lists::ListKind;
use crate::names::{Table, can_be_of};
use crate::server::{Server, lock};
use crate::session::Route;

/// Why it is not known who has a tool or a prompt.
pub(crate) enum Unnamed {
    /// Nobody has it.
    Nobody,
    /// Its name is of a server that does not say what it has.
    Silent(Arc<Server>, CallError),
}

/// Finds the server that has a tool or a prompt with this name, and the name that it knows. Only servers are asked that the
/// name can be of, so that no other one delays it.
pub(crate) async fn named(
    hub: &Arc<Hub>,
    route: &Route,
    kind: ListKind,
    name: &str,
) -> Result<(Arc<Server>, String), Unnamed> {
    let peer = &route.session.peer;
    let key = (kind, peer.name.clone());
    let known = lock(&hub.merged.0).get(&key).map(Arc::clone);
    let found = |table: &Table| {
        let (server, name) = table.get(name)?;
        Some((hub.server_for(peer, server)?, name.to_owned()))
    };
    if let Some(found) = known.as_deref().and_then(found) {
        return Ok(found);
    }
    let most = usize::from(hub.client(peer).max_tool_name);
    let mut asked = JoinSet::new();
    for server in hub.servers_for(peer) {
        if can_be_of(&server.name, name, most) {
            let route = route.clone();
            asked.spawn(async move {
                let listed = tokio::select! {
                    listed = server.list(kind, &route) => listed,
                    () = route.cancel.cancelled() => Err(CallError::Cancelled),
                };
                (server, listed)
            });
        }
    }
    let (mut listed, mut silent) = (Vec::new(), Vec::new());
    for (server, answer) in asked.join_all().await {
        match answer {
            Ok(items) => listed.push((server, items)),
            Err(error) => silent.push((server, error)),
        }
    }
    if let Some(found) = found(&table_of(&listed, most)) {
        return Ok(found);
    }
    // If it can be of several, it is most likely of the one with the longest name.
    let silent = silent
        .into_iter()
        .max_by_key(|(server, _)| server.name.as_str().len());
    Err(silent.map_or(Unnamed::Nobody, |(server, error)| {
        Unnamed::Silent(server, error)
    }))
}
