//! What all servers have, as one list.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcplexer_files::config::ServerName;
use tokio::task::JoinSet;

use crate::error::CallError;
use crate::hub::Hub;
use crate::json::{self, Splices, Value};
use crate::lists::{Items, ListKind};
use crate::names::{Table, exposed};
use crate::server::{Server, lock};
use crate::session::Route;

/// How long a list waits for servers that were never asked. What comes later is reported as a change.
const LIST_WAIT: Duration = Duration::from_secs(5);

/// The tables of names that were built, by what they are of.
#[derive(Debug, Default)]
pub(crate) struct Tables(pub(super) Mutex<HashMap<TableKey, Arc<Table>>>);

/// What a table is of: a kind of list, as a client with this name sees it.
type TableKey = (ListKind, Option<String>);

/// What one server has.
type Listed = (Arc<Server>, Items);

/// What all servers have.
pub(super) struct Answers {
    pub(super) listed: Vec<Listed>,
    /// Why one is left out, if that is because its credentials cannot be opened: no time changes that.
    pub(super) locked: Option<CallError>,
}

impl Tables {
    /// Forgets the tables: what servers have is something else.
    pub(crate) fn forget(&self) {
        lock(&self.0).clear();
    }
}

/// Returns what each server has, in the order of their names. Servers that do not answer in time are left out.
pub(super) async fn listed(hub: &Arc<Hub>, route: &Route, kind: ListKind) -> Answers {
    let mut asked = JoinSet::new();
    let mut listed: Vec<Listed> = Vec::new();
    for server in hub.servers_for(&route.session.peer) {
        if let Some(items) = server.listed(kind) {
            listed.push((server, items));
            continue;
        }
        let route = route.clone();
        asked.spawn(async move {
            let answer = server.list_soon(kind, &route, LIST_WAIT).await?;
            Some(answer.map(|items| (server, items)))
        });
    }
    let mut locked = Vec::new();
    for answer in asked.join_all().await.into_iter().flatten() {
        match answer {
            Ok(one) => listed.push(one),
            Err(error @ CallError::NoCredential { .. }) => locked.push(error),
            Err(_) => {}
        }
    }
    // Whichever was quicker: it is the same one each time.
    let locked = locked.into_iter().min_by_key(ToString::to_string);
    listed.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
    Answers { listed, locked }
}

/// Returns the merged list as a result.
pub(super) fn merged(hub: &Hub, route: &Route, kind: ListKind, listed: &[Listed]) -> String {
    let most = usize::from(hub.client(&route.session.peer).max_tool_name);
    let table = table(hub, route, kind, listed);
    let mut items = Vec::new();
    let mut uris = std::collections::HashSet::new();
    for (server, list) in listed {
        for item in list.iter() {
            let mut splices = Splices::default();
            let value = Value::new(&item.text);
            let key = value.get(kind.key());
            match (kind, key) {
                (ListKind::Tools | ListKind::Prompts, Some(key)) => {
                    let name = exposed(&server.name, &item.key, most);
                    if table.get(&name).is_none() {
                        continue;
                    }
                    splices.replace(key, json::string(&name));
                }
                (_, Some(key)) if !uris.insert(item.key.clone()) => {
                    splices.replace(key, json::string(&apart(&server.name, &item.key)));
                }
                _ => {}
            }
            items.push(splices.apply(&item.text));
        }
    }
    format!(r#"{{"{}":[{}]}}"#, kind.member(), items.join(","))
}

/// Returns the URI under which clients see a resource that another server has as well.
fn apart(server: &ServerName, uri: &str) -> String {
    format!("{server}+{uri}")
}

fn table(hub: &Hub, route: &Route, kind: ListKind, listed: &[Listed]) -> Arc<Table> {
    let key = (kind, route.session.peer.name.clone());
    if let Some(table) = lock(&hub.merged.0).get(&key) {
        return Arc::clone(table);
    }
    let most = usize::from(hub.client(&route.session.peer).max_tool_name);
    let table = Arc::new(table_of(listed, most));
    lock(&hub.merged.0).insert(key, Arc::clone(&table));
    table
}

pub(super) fn table_of(listed: &[Listed], most: usize) -> Table {
    let names = listed.iter().map(|(server, items)| {
        let names = items.iter().map(|it| it.key.as_str()).collect();
        (&server.name, names)
    });
    Table::of(names, most)
}
