//! Which server a task is at: clients of all servers ask for it by its id alone (MCP 2025-11-25, "Tasks").

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use mcplexer_files::config::ServerName;

use crate::json::Value;
use crate::server::lock;
use crate::session::Peer;

/// The most tasks of a client that are remembered. The oldest give way.
const MOST: usize = 10_000;

/// The tasks that servers have begun, by the client that they are for: no other one finds them.
#[derive(Debug, Default)]
pub(crate) struct Tasks(Mutex<HashMap<Owner, Known>>);

/// A client: its name and its user.
type Owner = (Option<String>, Option<u32>);

#[derive(Debug, Default)]
struct Known {
    servers: HashMap<String, ServerName>,
    oldest_first: VecDeque<String>,
}

impl Tasks {
    /// Remembers the task that a result for a client speaks of, if it does. Returns whether the task can be found by its
    /// id: an id that another server has given to a task of this client stays with that server.
    pub(crate) fn note(&self, peer: &Peer, result: &str, server: &ServerName) -> bool {
        if !result.contains("taskId") {
            return true;
        }
        let result = Value::new(result);
        let id = result
            .at(&["task", "taskId"])
            .or_else(|| result.get("taskId"));
        let Some(id) = id.and_then(Value::as_str) else {
            return true;
        };
        let mut all = lock(&self.0);
        let known = all.entry(owner(peer)).or_default();
        if let Some(first) = known.servers.get(&*id) {
            return first == server;
        }
        known.servers.insert(id.to_string(), server.clone());
        known.oldest_first.push_back(id.into_owned());
        if known.oldest_first.len() > MOST
            && let Some(oldest) = known.oldest_first.pop_front()
        {
            known.servers.remove(&oldest);
        }
        true
    }

    /// Returns the server that a task of a client is at.
    pub(crate) fn server(&self, peer: &Peer, id: &str) -> Option<ServerName> {
        let all = lock(&self.0);
        all.get(&owner(peer))?.servers.get(id).cloned()
    }
}

fn owner(peer: &Peer) -> Owner {
    (peer.name.clone(), peer.uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str) -> Peer {
        Peer::named(Some(name.to_owned()))
    }

    #[test]
    fn a_task_is_found_by_its_id() {
        let (tasks, server, of) = (Tasks::default(), "a".parse().unwrap(), peer("c"));
        tasks.note(&of, r#"{"task":{"taskId":"1"}}"#, &server);
        tasks.note(&of, r#"{"resultType":"task","taskId":"2"}"#, &server);
        tasks.note(&of, r#"{"content":[{"text":"taskId"}]}"#, &server);
        assert_eq!(tasks.server(&of, "1").as_ref(), Some(&server));
        assert_eq!(tasks.server(&of, "2").as_ref(), Some(&server));
        assert_eq!(tasks.server(&of, "3"), None);
        for number in 0..=MOST {
            tasks.note(&of, &format!(r#"{{"taskId":"n{number}"}}"#), &server);
        }
        assert_eq!(
            (tasks.server(&of, "1"), tasks.server(&of, "n9999").is_some()),
            (None, true)
        );
    }

    #[test]
    fn a_task_is_of_one_client_and_at_the_server_that_began_it() {
        let tasks = Tasks::default();
        let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
        let (one, other) = (peer("one"), peer("other"));
        let result = r#"{"task":{"taskId":"1"}}"#;
        assert!(tasks.note(&one, result, &a));
        assert!(!tasks.note(&one, result, &b), "it is taken");
        assert!(tasks.note(&one, result, &a), "it says so again");
        assert_eq!(tasks.server(&one, "1").as_ref(), Some(&a));
        assert_eq!(tasks.server(&other, "1"), None);
        let same_name = Peer::process(Some("one".to_owned()), 1, None);
        assert_eq!(tasks.server(&same_name, "1"), None);
        assert!(tasks.note(&other, result, &b));
        assert_eq!(tasks.server(&other, "1").as_ref(), Some(&b));
    }
}
