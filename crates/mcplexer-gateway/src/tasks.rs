//! Which server a task is at: clients of all servers ask for it by its id alone (MCP 2025-11-25, "Tasks").

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use mcplexer_files::config::ServerName;

use crate::json::Value;
use crate::server::lock;

/// The most tasks that are remembered. The oldest give way.
const MOST: usize = 10_000;

/// The tasks that servers have begun.
#[derive(Debug, Default)]
pub(crate) struct Tasks(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    servers: HashMap<String, ServerName>,
    oldest_first: VecDeque<String>,
}

impl Tasks {
    /// Remembers the task that a result speaks of, if it does.
    pub(crate) fn note(&self, result: &str, server: &ServerName) {
        if !result.contains("taskId") {
            return;
        }
        let result = Value::new(result);
        let id = result
            .at(&["task", "taskId"])
            .or_else(|| result.get("taskId"));
        let Some(id) = id.and_then(Value::as_str) else {
            return;
        };
        let mut known = lock(&self.0);
        let before = known.servers.insert(id.to_string(), server.clone());
        if before.is_none() {
            known.oldest_first.push_back(id.into_owned());
        }
        if known.oldest_first.len() > MOST
            && let Some(oldest) = known.oldest_first.pop_front()
        {
            known.servers.remove(&oldest);
        }
    }

    /// Returns the server that a task is at.
    pub(crate) fn server(&self, id: &str) -> Option<ServerName> {
        lock(&self.0).servers.get(id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_found_by_its_id() {
        let (tasks, server) = (Tasks::default(), "a".parse().unwrap());
        tasks.note(r#"{"task":{"taskId":"1"}}"#, &server);
        tasks.note(r#"{"resultType":"task","taskId":"2"}"#, &server);
        tasks.note(r#"{"content":[{"text":"taskId"}]}"#, &server);
        assert_eq!(tasks.server("1").as_ref(), Some(&server));
        assert_eq!(tasks.server("2").as_ref(), Some(&server));
        assert_eq!(tasks.server("3"), None);
        for number in 0..=MOST {
            tasks.note(&format!(r#"{{"taskId":"n{number}"}}"#), &server);
        }
        assert_eq!(
            (tasks.server("1"), tasks.server("n9999").is_some()),
            (None, true)
        );
    }
}
