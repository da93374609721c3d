//! Writing a configuration.

use std::collections::BTreeMap;
use std::fmt;

use mcplexer_secrets::ScopeId;

use super::server::{Auth, Client, MAX_TOOL_NAME, SearchPath, Server, Start, Timeouts, Transport};
use super::waiting::Waiting;
use super::{Config, is_default_keep_versions};
use crate::quoted::{Language, is_plain_yaml, quoted};

impl fmt::Display for Config {
    /// Writes the file, which [`parse`](super::parse) reads as the same configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.auth_scopes.as_deref() {
            None => {}
            Some([]) => f.write_str("auth_scopes: []\n")?,
            Some(scopes) => {
                f.write_str("auth_scopes:\n")?;
                for scope in scopes {
                    writeln!(f, "  - id: {}", scalar(scope.id.as_str()))?;
                    if let Some(name) = &scope.name {
                        writeln!(f, "    name: {}", scalar(name))?;
                    }
                    writeln!(f, "    type: {}", scope.kind)?;
                    if !scope.redaction_hints.is_empty() {
                        let hints = scope.redaction_hints.iter();
                        let hints: Vec<_> = hints.map(|hint| scalar(hint.as_str())).collect();
                        writeln!(f, "    redaction_hints: [{}]", hints.join(", "))?;
                    }
                    if !is_default_keep_versions(&scope.keep_versions) {
                        writeln!(f, "    keep_versions: {}", scope.keep_versions)?;
                    }
                }
            }
        }
        // A file must have one of the two.
        if !self.servers.is_empty() || self.auth_scopes.is_none() {
            let servers = self.servers.iter();
            let servers = servers.map(|(name, server)| (scalar(name.as_str()), Form::of(server)));
            section(f, "servers", servers.collect())?;
        }
        if !self.clients.is_empty() {
            let clients = self.clients.iter();
            let clients = clients.map(|(name, client)| (scalar(name.as_str()), of_client(client)));
            section(f, "clients", clients.collect())?;
        }
        Ok(())
    }
}

fn section(f: &mut fmt::Formatter<'_>, field: &str, members: Vec<(String, Form)>) -> fmt::Result {
    let form = Form::Map(members);
    write!(f, "{field}:{}", if form.is_block() { "" } else { " " })?;
    form.write(f, Some(""))?;
    f.write_str("\n")
}

/// What a server or a client is written as. Scalars have their quotes.
pub(super) enum Form {
    Scalar(String),
    List(Vec<String>),
    Map(Vec<(String, Self)>),
}

impl Form {
    /// Returns a server with the fields that differ from their defaults.
    pub(super) fn of(server: &Server) -> Self {
        let text = |text: &str| Some(Self::Scalar(scalar(text)));
        let list = |members: &mut dyn Iterator<Item = &str>| {
            let members: Vec<_> = members.map(scalar).collect();
            (!members.is_empty()).then_some(Self::List(members))
        };
        let map = |members: &BTreeMap<String, String>| {
            let members = members.iter();
            let members = members.map(|(name, value)| (scalar(name), Self::Scalar(scalar(value))));
            let members: Vec<_> = members.collect();
            (!members.is_empty()).then_some(Self::Map(members))
        };
        let mut members = Vec::new();
        let mut add = |field: &str, form: Option<Self>| {
            members.extend(form.map(|form| (field.to_owned(), form)));
        };
        match &server.transport {
            Transport::Stdio(stdio) => {
                add(
                    "command",
                    list(&mut stdio.command.iter().map(String::as_str)),
                );
                add("env", map(&stdio.env));
                add(
                    "scopes",
                    list(&mut stdio.scopes.iter().map(ScopeId::as_str)),
                );
                let directory = stdio.directory.as_ref().map(|it| it.to_string_lossy());
                add("directory", directory.and_then(|it| text(&it)));
                if stdio.path == SearchPath::Login {
                    add("path", text("login"));
                }
            }
            Transport::Http(http) => {
                add("url", text(&http.url));
                add("headers", map(&http.headers));
                add("auth", http.auth.as_ref().map(of_auth));
            }
        }
        if server.start == Start::Eager {
            add("start", text("eager"));
        }
        if server.idle_stop != Some(Server::IDLE_STOP) {
            let idle_stop = server.idle_stop.map(|it| Waiting(it).to_string());
            add("idle_stop", text(idle_stop.as_deref().unwrap_or("never")));
        }
        add("timeouts", of_timeouts(&server.timeouts));
        if server.disabled {
            add("disabled", Some(Self::Scalar("true".to_owned())));
        }
        Self::Map(members)
    }

    /// Writes it behind `:`, on lines that begin with `indent` and more; or on one line, as `{…}`.
    pub(super) fn write(&self, f: &mut dyn fmt::Write, indent: Option<&str>) -> fmt::Result {
        match (self, indent) {
            (Self::Scalar(text), _) => f.write_str(text),
            (Self::List(members), _) => write!(f, "[{}]", members.join(", ")),
            (Self::Map(members), Some(indent)) if !members.is_empty() => {
                let indent = format!("{indent}  ");
                for (key, form) in members {
                    write!(f, "\n{indent}{key}:")?;
                    if !form.is_block() {
                        f.write_char(' ')?;
                    }
                    form.write(f, Some(&indent))?;
                }
                Ok(())
            }
            (Self::Map(members), _) => {
                f.write_str("{")?;
                for (at, (key, form)) in members.iter().enumerate() {
                    let separator = if at == 0 { " " } else { ", " };
                    write!(f, "{separator}{key}: ")?;
                    form.write(f, None)?;
                }
                f.write_str(if members.is_empty() { "}" } else { " }" })
            }
        }
    }

    /// Whether it has lines of its own in block style.
    pub(super) fn is_block(&self) -> bool {
        matches!(self, Self::Map(members) if !members.is_empty())
    }
}

fn of_auth(auth: &Auth) -> Form {
    let members = [("scope", auth.scope.as_str()), ("type", auth.kind.as_str())];
    Form::Map(
        members
            .map(|(field, text)| (field.to_owned(), Form::Scalar(scalar(text))))
            .into(),
    )
}

fn of_timeouts(timeouts: &Timeouts) -> Option<Form> {
    let default = Timeouts::default();
    let members = [
        ("connect", timeouts.connect, default.connect),
        ("start", timeouts.start, default.start),
        ("call", timeouts.call, default.call),
        ("total", timeouts.total, default.total),
    ];
    let members = members
        .into_iter()
        .filter(|(_, wait, default)| wait != default);
    let members = members.map(|(field, wait, _)| {
        let wait = scalar(&Waiting(wait).to_string());
        (field.to_owned(), Form::Scalar(wait))
    });
    let members: Vec<_> = members.collect();
    (!members.is_empty()).then_some(Form::Map(members))
}

fn of_client(client: &Client) -> Form {
    let servers = client.servers.iter().map(|servers| {
        let servers = servers.iter().map(|name| scalar(name.as_str()));
        ("servers".to_owned(), Form::List(servers.collect()))
    });
    let most = client.max_tool_name;
    let most = (most != MAX_TOOL_NAME)
        .then(|| ("max_tool_name".to_owned(), Form::Scalar(most.to_string())));
    Form::Map(servers.chain(most).collect())
}

/// Writes text as a YAML scalar: plain if nothing in it can mean anything else, or else quoted.
pub(super) fn scalar(text: &str) -> String {
    match is_plain_yaml(text) {
        true => text.to_owned(),
        false => quoted(text, Language::Yaml),
    }
}
