//! What the entry of a server says besides its command or URL, its environment and its header fields.

use super::entry::{COMMANDS, Entry, INNER, URLS};
use super::texts::HEADERS;
use crate::environment::ENVIRONMENTS;
use crate::node::{Node, Object};
use crate::server::Settings;

/// Members that say how a client shows a server, or what the command or the URL says already.
const KNOWN: [&str; 5] = ["args", "type", "name", "description", "displayName"];

/// Returns the settings of an entry.
pub(super) fn of(entry: &Object, text: &str) -> Settings {
    let mut settings = Settings::default();
    collect(entry, text, &mut settings);
    if let Some(inner) = entry.inner() {
        collect(inner, text, &mut settings);
    }
    settings
}

fn collect(object: &Object, text: &str, settings: &mut Settings) {
    let is = |node: &Node, word| text.get(node.span.clone()) == Some(word);
    for member in &object.members {
        let key = member.key.as_str();
        let is_text = member.node.text().is_some();
        match key {
            "cwd" if is_text => settings.directory = member.node.text().map(str::to_owned),
            "disabled" => settings.is_disabled |= is(&member.node, "true"),
            "enabled" => settings.is_disabled |= is(&member.node, "false"),
            "transport" if is_text => {}
            // Zed has the program there.
            "path" if COMMANDS.iter().all(|key| object.get(key).is_none()) => {}
            _ if INNER.contains(&key) || COMMANDS.contains(&key) || URLS.contains(&key) => {}
            _ if ENVIRONMENTS.contains(&key) || HEADERS.contains(&key) => {}
            _ if KNOWN.contains(&key) => {}
            _ => settings.others.push(key.to_owned()),
        }
    }
}
