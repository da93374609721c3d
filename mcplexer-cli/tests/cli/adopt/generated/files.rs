//! Files of clients, written as the clients and people write them.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// A server, and what its entry has.
pub(super) struct Entry {
    pub(super) name: String,
    /// The program and its arguments; empty for a remote server.
    pub(super) command: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) url: Option<String>,
}

/// How a client writes its servers.
#[derive(Clone, Copy)]
pub(super) enum Format {
    /// Pretty JSON with this member.
    Json(&'static str),
    /// JSON on one line.
    Minified,
    /// JSON with comments, trailing commas and other settings.
    Comments(&'static str),
    /// The file of Claude Code with several projects.
    Projects,
    /// `mcp` with a list for the command: opencode and Kilo Code.
    Line,
    /// `mcp` with a program: Crush.
    Crush,
    Toml,
    Goose,
    Continue,
    LibreChat,
    /// No member around the servers.
    Bare,
}

pub(super) const CLIENTS: &[(&str, Format)] = &[
    (".claude.json", Format::Projects),
    ("claude_desktop_config.json", Format::Json("mcpServers")),
    ("cursor-mcp.json", Format::Minified),
    ("windsurf-mcp_config.json", Format::Json("mcpServers")),
    ("vscode-mcp.json", Format::Comments("servers")),
    ("vscode-settings.json", Format::Comments("mcp.servers")),
    ("zed-settings.json", Format::Comments("context_servers")),
    ("gemini-settings.json", Format::Json("mcpServers")),
    ("codex-config.toml", Format::Toml),
    ("cline_mcp_settings.json", Format::Json("mcpServers")),
    ("roo-mcp_settings.json", Format::Json("mcpServers")),
    ("kilo.jsonc", Format::Line),
    ("opencode.json", Format::Line),
    ("continue-config.yaml", Format::Continue),
    ("goose-config.yaml", Format::Goose),
    ("lmstudio-mcp.json", Format::Json("mcpServers")),
    ("kiro-mcp.json", Format::Json("mcpServers")),
    ("amazonq-mcp.json", Format::Minified),
    ("copilot-mcp-config.json", Format::Json("mcpServers")),
    ("intellij-mcp.json", Format::Json("servers")),
    ("junie-mcp.json", Format::Json("mcpServers")),
    ("warp.mcp.json", Format::Bare),
    ("librechat.yaml", Format::LibreChat),
    ("amp-settings.json", Format::Comments("amp.mcpServers")),
    ("qwen-settings.json", Format::Json("mcpServers")),
    ("crush.json", Format::Crush),
];

pub(super) fn write(format: Format, entries: &[Entry]) -> String {
    let map = |env: &'static str| -> Map<String, Value> {
        let entries = entries.iter();
        entries
            .map(|it| (it.name.clone(), entry(it, env)))
            .collect()
    };
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    match format {
        Format::Json(member) => pretty(&json!({member: map("env")})) + "\n",
        Format::Minified => json!({"mcpServers": map("env")}).to_string(),
        Format::Bare => pretty(&Value::Object(map("env"))),
        Format::Crush => {
            pretty(&json!({"$schema": "https://charm.land/crush.json", "mcp": map("env")}))
        }
        Format::Comments(member) => {
            let servers = pretty(&Value::Object(map("env"))).replace('\n', "\n\t");
            format!(
                "// Settings of mine\n{{\n\t\"editor.tabSize\": 2, /* and */\n\t\"{member}\": {servers},\n}}\n"
            )
        }
        Format::Projects => {
            let half = entries.len() / 2;
            let (all, mut one) = (map("env"), Map::new());
            let mut other = Map::new();
            for (at, (name, entry)) in all.into_iter().enumerate() {
                let to = if at < half { &mut one } else { &mut other };
                to.insert(name, entry);
            }
            pretty(
                &json!({"numStartups": 12, "mcpServers": one, "projects": {"/home/jane/shop": {
                "history": [{"display": "what does this do?"}], "mcpServers": other}}}),
            )
        }
        Format::Line => {
            let mut servers = map("environment");
            for entry in entries {
                let object = servers[&entry.name].as_object_mut().unwrap();
                object.remove("args");
                if !entry.command.is_empty() {
                    object.insert("command".to_owned(), json!(entry.command));
                }
                let kind = if entry.command.is_empty() {
                    "remote"
                } else {
                    "local"
                };
                object.insert("type".to_owned(), json!(kind));
            }
            pretty(&json!({"$schema": "https://opencode.ai/config.json", "mcp": servers}))
        }
        Format::Toml => entries.iter().map(toml).collect(),
        Format::Goose => {
            let entries: String = entries
                .iter()
                .map(|it| block(it, "  ", "cmd", "envs", "uri"))
                .collect();
            format!("GOOSE_MODEL: gpt-4o\nextensions:\n{entries}GOOSE_MODE: auto\n")
        }
        Format::LibreChat => {
            let entries: String = entries
                .iter()
                .map(|it| block(it, "  ", "command", "env", "url"))
                .collect();
            format!("version: 1.2.1\n# servers\nmcpServers:\n{entries}")
        }
        Format::Continue => {
            let entries: String = entries.iter().map(item).collect();
            format!("name: mine\nversion: 1.0.0\nschema: v1\nmcpServers:\n{entries}")
        }
    }
}

fn entry(entry: &Entry, env: &str) -> Value {
    let object = |pairs: &[(String, String)]| -> Map<String, Value> {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect()
    };
    let mut made = Map::new();
    if let Some((program, arguments)) = entry.command.split_first() {
        made.insert("command".to_owned(), json!(program));
        made.insert("args".to_owned(), json!(arguments));
    }
    if let Some(url) = &entry.url {
        made.insert("url".to_owned(), json!(url));
    }
    if !entry.env.is_empty() {
        made.insert(env.to_owned(), Value::Object(object(&entry.env)));
    }
    if !entry.headers.is_empty() {
        made.insert("headers".to_owned(), Value::Object(object(&entry.headers)));
    }
    Value::Object(made)
}

fn toml(entry: &Entry) -> String {
    let name = &entry.name;
    let mut text = format!("[mcp_servers.{name}]\n");
    if let Some((program, arguments)) = entry.command.split_first() {
        writeln!(
            text,
            "command = {}\nargs = {}",
            json!(program),
            json!(arguments)
        )
        .unwrap();
    }
    if let Some(url) = &entry.url {
        writeln!(text, "url = {}", json!(url)).unwrap();
    }
    for (table, pairs) in [("env", &entry.env), ("http_headers", &entry.headers)] {
        if !pairs.is_empty() {
            writeln!(text, "\n[mcp_servers.{name}.{table}]").unwrap();
        }
        for (key, value) in pairs {
            let literal = match value.contains('\n') {
                true => format!("\"\"\"\n{value}\"\"\""),
                false if value.contains(['\'', '\\']) => json!(value).to_string(),
                false => format!("'{value}'"),
            };
            writeln!(text, "{key} = {literal}").unwrap();
        }
    }
    text.push('\n');
    text
}

/// Returns a scalar of YAML as people write it: plain where that is enough.
fn scalar(value: &str, indent: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_./-+=@%".contains(c);
    let begins = value.starts_with(|c: char| c.is_alphabetic());
    match value {
        _ if value.contains('\n') => {
            let header = if value.ends_with('\n') { "|" } else { "|-" };
            let lines = value.trim_end().replace('\n', &format!("\n{indent}  "));
            format!("{header}\n{indent}  {lines}")
        }
        "true" | "false" => json!(value).to_string(),
        _ if begins && value.chars().all(is_plain) => value.to_owned(),
        _ if value.contains('\'') => json!(value).to_string(),
        _ => format!("'{value}'"),
    }
}

/// Returns the entry of a server in a mapping of YAML.
fn block(entry: &Entry, indent: &str, command: &str, env: &str, url: &str) -> String {
    format!(
        "{indent}{}:\n{}",
        entry.name,
        members(entry, &format!("{indent}  "), command, env, url)
    )
}

fn members(entry: &Entry, indent: &str, command: &str, env: &str, url: &str) -> String {
    let mut text = String::new();
    if let Some((program, arguments)) = entry.command.split_first() {
        writeln!(text, "{indent}{command}: {program}").unwrap();
        writeln!(text, "{indent}args:").unwrap();
        for argument in arguments {
            writeln!(text, "{indent}  - {}", scalar(argument, indent)).unwrap();
        }
    }
    if let Some(address) = &entry.url {
        writeln!(text, "{indent}{url}: {}", scalar(address, indent)).unwrap();
    }
    for (member, pairs) in [(env, &entry.env), ("headers", &entry.headers)] {
        if !pairs.is_empty() {
            writeln!(text, "{indent}{member}:").unwrap();
        }
        for (key, value) in pairs {
            writeln!(
                text,
                "{indent}  {key}: {}",
                scalar(value, &format!("{indent}  "))
            )
            .unwrap();
        }
    }
    text
}

/// Returns the entry of a server in a list of YAML.
fn item(entry: &Entry) -> String {
    let members = members(entry, "    ", "command", "env", "url");
    format!("  - name: {}\n{members}", entry.name)
}
