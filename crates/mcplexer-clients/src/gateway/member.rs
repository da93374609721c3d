//! The member that connects to the gateway.

use super::NAME;
use crate::node::{Object, Value};

/// Returns the member that connects to the gateway, in the notation of the others of a map.
pub(super) fn member(map: &Object, program: &str, client: &str) -> String {
    let entries = map.members.iter().filter_map(|it| it.node.object());
    let entries: Vec<_> = entries.collect();
    let starts = |entry: &&&Object| ["command", "cmd"].iter().any(|it| entry.get(it).is_some());
    let model = entries.iter().find(starts);
    let arguments = ["connect", "--client", client];
    let list = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(|it| quoted(it)).collect();
        format!("[{}]", words.join(", "))
    };
    let mut members: Vec<(&str, String)> = Vec::new();
    let command = model.and_then(|it| it.get("command"));
    // An HTTP server of this client says what it is, so the others may have to as well.
    let kinds = ["type", "source", "transport"];
    match model {
        Some(model) => {
            let texts = kinds
                .iter()
                .filter_map(|key| Some((*key, model.get(key)?.text()?)));
            members.extend(texts.map(|(key, text)| (key, quoted(text))));
        }
        None if entries.iter().any(|it| it.get("type").is_some()) => {
            members.push(("type", quoted("stdio")));
        }
        None => {}
    }
    match command.map(|it| &it.value) {
        Some(Value::Array(_)) => {
            members.push(("command", list(&[&[program], &arguments[..]].concat())));
        }
        Some(Value::Object(_)) => {
            let (path, arguments) = (quoted(program), list(&arguments));
            let inner = format!("{{ \"path\": {path}, \"args\": {arguments} }}");
            members.push(("command", inner));
        }
        None if model.is_some() => {
            members.push(("cmd", quoted(program)));
            members.push(("args", list(&arguments)));
        }
        _ => {
            members.push(("command", quoted(program)));
            members.push(("args", list(&arguments)));
        }
    }
    let has = |key: &str| model.is_some_and(|it| it.get(key).is_some());
    if has("enabled") {
        members.push(("enabled", "true".to_owned()));
    }
    if has("name") {
        members.push(("name", quoted(NAME)));
    }
    let members = members
        .iter()
        .map(|(key, text)| format!("\"{key}\": {text}"));
    let members: Vec<_> = members.collect();
    format!("\"{NAME}\": {{ {} }}", members.join(", "))
}

/// Returns a text as JSON and YAML read it between quotes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
