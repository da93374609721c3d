//! Tool servers: what they do, and starting and stopping them. What a server runs is shown, and not changed here.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use maud::{Markup, html};

use super::words::{count, maybe, segment, time};
use crate::access::Person;
use crate::api::parsed;
use crate::api::servers::{
    self, Era, Server, ServerDetail, ServerState, Tool, Tools, TransportKind, UsedSecret,
};
use crate::problem::Problem;
use crate::sight::Sight;
use crate::site::App;

/// How to add a server of each kind.
const ADD: &str = "mcplexer server add NAME --env TOKEN=mcplexer://SCOPE/TOKEN -- COMMAND";
const ADD_URL: &str = "mcplexer server add NAME --url https://example.com/mcp --header 'X-Token: mcplexer://SCOPE/TOKEN'";
const ADD_FROM: &str = "mcplexer server add --from FILE";

pub(super) async fn list(State(app): State<App>, _: Person) -> Result<Markup, Problem> {
    let list = servers::all(&app, &Sight::default()).await?;
    Ok(html! {
        h1 { "Servers" }
        (not_used(list.config_problem.as_deref()))
        @if list.servers.is_empty() {
            section .state.empty {
                p { "There are no tool servers yet. Add one, and every client of the gateway can use it." }
                (how_to_add())
            }
        } @else {
            table {
                thead { tr {
                    th { "Server" } th { "State" } th .number { "Tools" } th .number { "Clients" } th { "Since" }
                } }
                tbody { @for server in &list.servers { (row(server)) } }
            }
            details {
                summary { "Add a server" }
                (how_to_add())
            }
        }
    })
}

fn how_to_add() -> Markup {
    html! {
        p { "What a server runs can be changed on the command line only. A program on this machine:" }
        pre .command data-name="the command that adds a program" { (ADD) }
        p { "A server at a URL:" }
        pre .command data-name="the command that adds a URL" { (ADD_URL) }
        p { "The servers of another client's file:" }
        pre .command data-name="the command that adds the servers of a file" { (ADD_FROM) }
    }
}

/// Says that the configuration is not used.
fn not_used(problem: Option<&str>) -> Markup {
    html! {
        @if let Some(problem) = problem {
            section .state.failing {
                h2 { "config.yaml is not used" }
                p { (problem) }
                p { "The gateway goes on with what the file said before. This says what is wrong:" }
                pre .command { "mcplexer config check" }
            }
        }
    }
}

fn row(server: &Server) -> Markup {
    html! {
        tr {
            th scope="row" { a href={ "/servers/" (segment(&server.name)) } { (server.name) } }
            td {
                (badge(server))
                @if let Some(reason) = &server.reason { span .note { (short(reason)) } }
            }
            td .number { @match server.tools { Some(tools) => (tools), None => span .none { "–" } } }
            td .number { (server.clients()) }
            td { (maybe(server.since())) }
        }
    }
}

/// Shows what a server does. One that starts is looked after by the script `servers.js`.
fn badge(server: &Server) -> Markup {
    let (class, word) = match server.state {
        ServerState::Stopped => ("", "stopped"),
        ServerState::Starting => ("warn", "starting"),
        ServerState::Running => ("good", "running"),
        ServerState::Failing => ("bad", "failing"),
        ServerState::Disabled => ("", "disabled"),
    };
    let badge = html! { span class={ "badge " (class) } { (word) } };
    html! {
        @if server.state == ServerState::Starting {
            server-state data-state=(word) data-to={ "/api/v1/servers/" (segment(&server.name)) } { (badge) }
        } @else {
            (badge)
        }
    }
}

/// A reason in a line: with the line that it announces.
fn short(reason: &str) -> String {
    let mut lines = reason.lines();
    let first = lines.next().unwrap_or_default();
    match (first.ends_with(':'), lines.next()) {
        (true, Some(next)) => format!("{first} {next}"),
        _ => first.to_owned(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

pub(super) async fn show(
    State(app): State<App>,
    _: Person,
    path: Result<Path<String>, PathRejection>,
) -> Result<Markup, Problem> {
    let Path(name) = path?;
    let name = parsed(&name)?;
    let detail = servers::one(&app, &name, &Sight::default()).await?;
    let server = &detail.server;
    let config_problem = app.gateway.status().config_problem;
    let is_disabled = server.state == ServerState::Disabled;
    Ok(html! {
        p .path { a href="/servers" { "Servers" } }
        h1 { (server.name) }
        p .aside { (badge(server)) " " (meaning(server)) }
        @if let Some(reason) = &server.reason {
            section .state.failing {
                h2 { "It does not start" }
                pre .log { (reason) }
            }
        }
        (not_used(config_problem.as_deref()))
        @if !is_disabled {
            (acts(server))
            p { a href={ "/calls?server=" (segment(&server.name)) } { "Calls to this server" } }
            (instances(server))
        }
        (secrets(&server.secrets))
        @if !is_disabled {
            (tools(&servers::tools_of(&app, &name)?))
            (log(&app.gateway.log(&name)?))
        }
        (definition(&detail))
    })
}

fn meaning(server: &Server) -> &'static str {
    match server.state {
        ServerState::Stopped => "It starts with the next call.",
        ServerState::Starting => "It has been started, and has not answered yet.",
        ServerState::Running => "It answers.",
        ServerState::Failing => "It did not start when it was needed last.",
        ServerState::Disabled => "config.yaml says disabled: true, so that no client sees it.",
    }
}

fn acts(server: &Server) -> Markup {
    let own = format!("/api/v1/servers/{}", segment(&server.name));
    let runs = !server.instances.is_empty();
    let act = |name: &str, word: &str| {
        html! {
            form .act data-method="POST" data-to={ (own) "/" (name) } data-said="It is {state}." data-anew {
                button .quiet[name != "start"] .stop[name == "stop"] { (word) span .hidden { " " (server.name) } }
            }
        }
    };
    html! {
        div .acts {
            @if runs {
                (act("restart", "Restart"))
                (act("stop", "Stop"))
            } @else if server.state == ServerState::Starting {
                (act("stop", "Stop"))
            } @else {
                (act("start", "Start"))
            }
        }
    }
}

fn instances(server: &Server) -> Markup {
    html! {
        @if !server.instances.is_empty() {
            h2 { "What runs" }
            table {
                thead { tr { th { "Process" } th { "Protocol" } th .number { "Clients" } th { "Since" } } }
                tbody {
                    @for it in &server.instances {
                        tr {
                            th scope="row" { @match it.pid { Some(pid) => (pid), None => "remote" } }
                            td { @match it.era {
                                Era::Legacy => "up to 2025-11-25",
                                Era::Modern => "2026-07-28",
                            } }
                            td .number { (it.clients) }
                            td { (time(&it.since)) }
                        }
                    }
                }
            }
        }
    }
}

fn secrets(secrets: &[UsedSecret]) -> Markup {
    html! {
        h2 { "Secrets that it gets" }
        @if secrets.is_empty() {
            p .aside { "None." }
        } @else {
            ul {
                @for it in secrets {
                    li { a href={ "/secrets/" (segment(&it.scope)) } {
                        @match &it.key {
                            Some(key) => { (it.scope) "/" (key) },
                            None => { "every secret of " (it.scope) },
                        }
                    } }
                }
            }
        }
    }
}

/// How much of a server's own words a page has, in bytes: of its tools, and of its log. A server may write any length.
const MOST_WORDS: usize = 32 << 10;
/// How much of one description it has, in characters.
const MOST_OF_DESCRIPTION: usize = 2_000;
/// About how many bytes a row has besides the words.
const ROW: usize = 150;

/// Returns how many of these lengths fit on a page.
fn fitting(lengths: impl Iterator<Item = usize>) -> usize {
    let mut room = MOST_WORDS;
    let fits = |length: usize| {
        let left = room.checked_sub(length);
        room = left.unwrap_or(0);
        left.is_some()
    };
    lengths.map(fits).take_while(|it| *it).count()
}

/// Returns how long a text is on a page.
fn size(text: &str) -> usize {
    text.len() + 4 * text.matches(['<', '>', '&', '"']).count()
}

fn tools(tools: &Tools) -> Markup {
    let words = |it: &Tool| {
        let description = size(it.description.as_deref().unwrap_or_default());
        ROW + size(&it.name) + description.min(5 * MOST_OF_DESCRIPTION)
    };
    let shown = fitting(tools.tools.iter().map(words));
    html! {
        h2 { "Tools" }
        @if !tools.is_known {
            p .aside { "Tools not loaded yet. Starting the server loads them." }
        } @else if tools.tools.is_empty() {
            p .aside { "It has none." }
        } @else {
            p .aside {
                (count(tools.tools.len(), "tool")) ", about " (tools.tokens) " context tokens in each conversation: an estimate, a \
                quarter of the bytes of their definitions."
            }
            table {
                thead { tr { th { "Tool" } th { "Description" } th .number { "Context tokens" } } }
                tbody {
                    @for tool in tools.tools.iter().take(shown) {
                        tr {
                            th scope="row" { (tool.name) }
                            td .text { (description(tool.description.as_deref().unwrap_or_default())) }
                            td .number { (tool.tokens) }
                        }
                    }
                }
            }
            @if shown < tools.tools.len() {
                p .aside { "And " (count(tools.tools.len() - shown, "tool")) " more, which the API lists." }
            }
        }
    }
}

/// A description: its beginning, and all of it on demand.
fn description(text: &str) -> Markup {
    let line = first_line(text);
    let short: String = line.chars().take(120).collect();
    html! {
        @if short.len() == text.trim_end().len() {
            (short)
        } @else {
            @let shown: String = text.chars().take(MOST_OF_DESCRIPTION).collect();
            details { summary { (short) "…" } pre .log { (shown) @if shown.len() < text.len() { "…" } } }
        }
    }
}

fn log(lines: &[String]) -> Markup {
    let shown = fitting(lines.iter().rev().map(|it| size(it)));
    let is_cut = shown < lines.len();
    let lines = lines.get(lines.len() - shown..).unwrap_or_default();
    html! {
        h2 { "Log" }
        @if lines.is_empty() {
            p .aside { "It has written nothing to standard error since the gateway started." }
        } @else {
            p .aside {
                "What it wrote to standard error, with the values of its secrets replaced"
                @if is_cut { ": the last lines. mcplexer server logs shows all" } "."
            }
            pre .log { @for line in lines { (line) "\n" } }
        }
    }
}

fn definition(detail: &ServerDetail) -> Markup {
    let name = &detail.server.name;
    let is_http = detail.server.transport == TransportKind::Http;
    html! {
        h2 { "How it is reached" }
        dl {
            @if let Some(command) = &detail.command { dt { "Command" } dd { code { (command) } } }
            @if let Some(url) = &detail.url { dt { "URL" } dd { code { (url) } } }
            @if !detail.values.is_empty() {
                dt { @if is_http { "Header fields" } @else { "Variables" } }
                dd {
                    @for (name, references) in &detail.values {
                        div {
                            code { (name) } " "
                            @if references.is_empty() { span .none { "set in config.yaml" } }
                            @for (at, it) in references.iter().enumerate() {
                                @if at > 0 { ", " }
                                "from " (it)
                            }
                        }
                    }
                }
            }
        }
        @match &detail.add {
            Some(command) => {
                p { "This can be changed on the command line only. This is how it is now; change what you want, and run it:" }
                pre .command data-name="the command that changes the server" { (command) }
            },
            None => {
                p { "This can be changed in config.yaml only: no command says all that it has. See it in a terminal:" }
                pre .command data-name="the command that shows the server" { "mcplexer server show " (name) }
            },
        }
    }
}
