//! The endpoint of all servers: what each of them has, under names that begin with the server's.

use std::sync::Arc;

use crate::dialect::{LEGACY, as_discovered, own_info};
use crate::error::CallError;
use crate::foreign::secret_of_another;
use crate::forward::{fail, forward, refuse};
use crate::hub::Hub;
use crate::inbox::{INVALID_PARAMS, NO_METHOD, is_still_wanted, note_subscription};
use crate::json::{self, Splices, Value};
use crate::lists::ListKind;
use crate::message::{self, Message};
use crate::names::{can_be_of, without_server};
use crate::session::Route;

mod lists;
mod named;
mod owner;

pub(crate) use lists::Tables;
pub(crate) use named::{Unnamed, named};
pub(crate) use owner::owner;

use lists::{Answers, listed, merged};

/// Answers a request to all servers.
pub(crate) async fn answer(
    hub: &Arc<Hub>,
    route: &Route,
    method: &str,
    message: &Message,
) -> Result<String, CallError> {
    let id = message.id().unwrap_or("null");
    if let Some(kind) = ListKind::of_method(method) {
        let Answers { listed, locked } = listed(hub, route, kind).await;
        return match locked {
            Some(error) if listed.iter().all(|(_, items)| items.is_empty()) => Err(error),
            _ => Ok(message::result(id, &merged(hub, route, kind, &listed))),
        };
    }
    match method {
        "initialize" => {
            hub.start_eager_for(route);
            Ok(message::result(id, &hello(hub, route, message)))
        }
        "server/discover" => {
            let hello = hello(hub, route, message);
            Ok(message::result(id, &as_discovered(&hello)))
        }
        "tools/call" => by_name(hub, route, method, ListKind::Tools, message, &["name"]).await,
        "prompts/get" => by_name(hub, route, method, ListKind::Prompts, message, &["name"]).await,
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
            by_uri(hub, route, method, message, &["uri"]).await
        }
        "completion/complete" => match message.param(&["ref", "name"]) {
            Some(_) => {
                let path = &["ref", "name"];
                by_name(hub, route, method, ListKind::Prompts, message, path).await
            }
            None => by_uri(hub, route, method, message, &["ref", "uri"]).await,
        },
        method if method.starts_with("tasks/") => by_task(hub, route, method, message).await,
        "logging/setLevel" => {
            let running = hub.running();
            for instance in hub.instances_for(&route.session) {
                if let Some(secret) = secret_of_another(&running, &instance, message.text()).await {
                    let server = instance.server.clone();
                    return Err(CallError::Foreign { server, secret });
                }
                let params = message.params().unwrap_or("{}");
                let _not_every_server_logs = instance.ask(method, params).await;
            }
            Ok(message::result(id, "{}"))
        }
        _ => Ok(message::error(
            id,
            NO_METHOD,
            &format!(
                "the endpoint of all servers has no method {method}; /mcp/SERVER passes every method on"
            ),
        )),
    }
}

/// What the gateway says of itself: what all servers together can.
fn hello(hub: &Hub, route: &Route, message: &Message) -> String {
    let asked = message.param(&["protocolVersion"]).and_then(Value::as_str);
    let version = LEGACY.into_iter().find(|it| asked.as_deref() == Some(*it));
    let version = version.unwrap_or(LEGACY[0]);
    let instructions: Vec<String> = hub
        .servers_for(&route.session.peer)
        .iter()
        .filter_map(|server| {
            let hello = server.hello()?;
            let text = Value::new(&hello).get("instructions")?.as_str()?;
            Some(format!("{}: {text}", server.name))
        })
        .collect();
    let tasks = hub
        .servers_for(&route.session.peer)
        .into_iter()
        .find_map(|server| {
            let hello = server.hello()?;
            let tasks = Value::new(&hello).at(&["capabilities", "tasks"])?;
            Some(format!(r#","tasks":{}"#, tasks.text()))
        });
    let tasks = tasks.unwrap_or_default();
    let instructions = match instructions.is_empty() {
        true => String::new(),
        false => format!(
            r#","instructions":{}"#,
            json::string(&instructions.join("\n\n"))
        ),
    };
    format!(
        r#"{{"protocolVersion":"{version}","capabilities":{{"completions":{{}},"logging":{{}},"prompts":{{"listChanged":true}},"resources":{{"subscribe":true,"listChanged":true}},"tools":{{"listChanged":true}}{tasks}}},"serverInfo":{}{instructions}}}"#,
        own_info()
    )
}

/// Says that nobody has something; or else that it is not known, because credentials cannot be opened.
fn not_found(id: &str, what: &str, why: &str, locked: Option<CallError>) -> String {
    match locked {
        None => message::error(id, INVALID_PARAMS, &format!("{what}; {why}")),
        Some(locked) => {
            let text = format!("{what} as far as is known; {locked}");
            message::error(id, locked.code(), &text)
        }
    }
}

/// Passes on what names a tool or a prompt.
async fn by_name(
    hub: &Arc<Hub>,
    route: &Route,
    method: &str,
    kind: ListKind,
    message: &Message,
    path: &[&str],
) -> Result<String, CallError> {
    let id = message.id().unwrap_or("null");
    let Some(name) = message.param(path).and_then(Value::as_str) else {
        let text = format!("{method} names nothing");
        return Ok(message::error(id, INVALID_PARAMS, &text));
    };
    let (server, original) = match named(hub, route, kind, &name).await {
        Ok(found) => found,
        Err(Unnamed::Nobody) => {
            let what = match kind {
                ListKind::Tools => "tool",
                _ => "prompt",
            };
            let most = usize::from(hub.client(&route.session.peer).max_tool_name);
            hub.note_hidden(&route.session.peer, |it| can_be_of(it, &name, most));
            let server = hub.server_like(&route.session.peer, |it| can_be_of(it, &name, most));
            let mut splices = Splices::default();
            if let (Some(named), Some(server)) = (message.param(path), &server) {
                splices.replace(named, json::string(without_server(server, &name)));
            }
            let refused = refuse(hub, server.as_ref(), route, method, message, &splices);
            Box::pin(refused).await?;
            let text = format!("there is no {what} {name}");
            let why = "mcplexer status says which servers work";
            return Ok(not_found(id, &text, why, None));
        }
        Err(Unnamed::Silent(server, error)) => {
            let mut splices = Splices::default();
            if let Some(named) = message.param(path) {
                splices.replace(named, json::string(without_server(&server.name, &name)));
            }
            let failed = fail(hub, &server, route, method, message, &splices, error);
            return Ok(Box::pin(failed).await?.message.with_id(id));
        }
    };
    let splices = || {
        let mut splices = Splices::default();
        if let Some(name) = message.param(path) {
            splices.replace(name, json::string(&original));
        }
        splices
    };
    let answer = forward(hub, &server, route, method, message, splices).await?;
    let result = answer.message.result();
    if result.is_some_and(|it| !hub.tasks.note(&route.session.peer, it, &server.name)) {
        // A client that asks for it later would get the other server's result.
        return Err(CallError::Failed {
            server: server.name.clone(),
            problem: "it gives its task the id of a task of another server".to_owned(),
        });
    }
    Ok(answer.message.with_id(id))
}

/// Passes on what names a task.
async fn by_task(
    hub: &Arc<Hub>,
    route: &Route,
    method: &str,
    message: &Message,
) -> Result<String, CallError> {
    let id = message.id().unwrap_or("null");
    let task = message.param(&["taskId"]).and_then(Value::as_str);
    let server = task
        .as_ref()
        .and_then(|task| hub.tasks.server(&route.session.peer, task));
    let Some(server) = server.and_then(|it| hub.server_for(&route.session.peer, &it)) else {
        let text = format!("there is no task {}", task.unwrap_or_default());
        return Ok(message::error(id, INVALID_PARAMS, &text));
    };
    let answer = forward(hub, &server, route, method, message, Splices::default).await?;
    Ok(answer.message.with_id(id))
}

/// Passes on what names a resource.
async fn by_uri(
    hub: &Arc<Hub>,
    route: &Route,
    method: &str,
    message: &Message,
    path: &[&str],
) -> Result<String, CallError> {
    let id = message.id().unwrap_or("null");
    let Some(uri) = message.param(path).and_then(Value::as_str) else {
        let text = format!("{method} names no resource");
        return Ok(message::error(id, INVALID_PARAMS, &text));
    };
    let (server, original) = match owner(hub, route, &uri).await {
        Ok(found) => found,
        Err(locked) => {
            let text = format!("no server has the resource {uri}");
            let why = "resources/list says which there are";
            return Ok(not_found(id, &text, why, locked));
        }
    };
    note_subscription(route, method, &original);
    if method == "resources/unsubscribe" && is_still_wanted(route, &original) {
        return Ok(message::result(id, "{}"));
    }
    let splices = || {
        let mut splices = Splices::default();
        if let Some(uri) = message.param(path).filter(|_| original != uri) {
            splices.replace(uri, json::string(&original));
        }
        splices
    };
    let answer = forward(hub, &server, route, method, message, splices).await?;
    Ok(answer.message.with_id(id))
}
