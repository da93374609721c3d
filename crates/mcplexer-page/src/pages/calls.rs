//! Calls of clients to servers: newest first, with filters that are in the address.

use std::collections::BTreeSet;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::words::{segment, server, time};
use crate::access::{Onlooker, Person};
use crate::api::calls::summary::{self, Span};
use crate::api::calls::{self, Call, CallFilter, CallPlace, Calls, Source};
use crate::asked::Asked;
use crate::problem::Problem;
use crate::sight::Sight;
use crate::site::App;

mod plot;

/// The outcomes that can be chosen, and how they are shown: as the log has them.
const OUTCOMES: [(&str, &str); 15] = [
    ("ok", "ok"),
    ("problem", "not ok"),
    ("open", OPEN),
    ("error", "error"),
    ("tool-error", "tool-error"),
    ("timed-out", "timed-out"),
    ("cancelled", "cancelled"),
    ("lost", "lost"),
    ("not-sent", "not-sent"),
    ("not-started", "not-started"),
    ("too-long", "too-long"),
    ("refused", "refused"),
    ("failed", "failed"),
    ("no-key", "no-key"),
    ("tampered", "tampered"),
];

/// Stands where a call has no end in the log.
const OPEN: &str = "open";

pub(super) async fn list(
    State(app): State<App>,
    _: Person,
    Asked(filter): Asked<CallFilter>,
) -> Result<Markup, Problem> {
    if filter.wanted().is_err() {
        return Ok(unknown_outcome());
    }
    let page = calls::page(&app, &filter, &Sight::default()).await?;
    let servers = app.gateway.status().servers;
    let servers: Vec<_> = servers.iter().map(|it| it.name.to_string()).collect();
    let is_first = filter.before.is_none();
    let is_filtered = !query(&filter).is_empty();
    Ok(html! {
        h1 { "Calls" }
        @if page.source == Source::Memory {
            section .state {
                p { "The audit log is turned off (" code { "MCPLEXER_AUDIT" } "). These are the last calls that the gateway \
                    remembers, at most 1,000. They are forgotten when it ends." }
            }
        }
        @if is_first {
            // Without calls there is nothing to draw; the first one brings it.
            div data-part={ "/parts/calls/plot" (with(&query(&filter))) } data-later="" .reserved[!page.calls.is_empty()] hidden[page.calls.is_empty()] {}
        }
        (filters(&filter, &servers, &page))
        @if is_first {
            live-calls data-to={ "/api/v1/calls/stream" (with(&query(&filter))) } {
                p .aside {
                    span .badge data-state="" { "live" } " "
                    button type="button" data-pause="" aria-pressed="false" { "Pause" }
                    " " span data-note="" {}
                }
                (rows(&page))
            }
        } @else {
            (rows(&page))
        }
        @if page.calls.is_empty() { (nothing(&page, is_first, is_filtered)) }
        (pages(&filter, &page))
    })
}

/// Says that the address asks for an outcome that there is not.
fn unknown_outcome() -> Markup {
    html! {
        h1 { "Calls" }
        section .state {
            h2 { "There is no such outcome" }
            p { "The address of this page asks for one that no call has." }
            p { a href="/calls" { "Show all calls" } }
        }
    }
}

/// The filters of a page, as the query of an address: without its place.
fn query(filter: &CallFilter) -> String {
    let fields = [
        ("server", &filter.server),
        ("client", &filter.client),
        ("tool", &filter.tool),
        ("outcome", &filter.outcome),
    ];
    let given = fields.iter().filter_map(|(name, value)| {
        let value = value.as_deref().filter(|it| !it.is_empty())?;
        Some(format!("{name}={}", segment(value)))
    });
    given.collect::<Vec<_>>().join("&")
}

fn with(query: &str) -> String {
    match query.is_empty() {
        true => String::new(),
        false => format!("?{query}"),
    }
}

fn filters(filter: &CallFilter, servers: &[String], page: &Calls) -> Markup {
    let text = |it: &Option<String>| it.clone().unwrap_or_default();
    let (server, outcome) = (text(&filter.server), text(&filter.outcome));
    html! {
        form .filters method="get" action="/calls" {
            label { "Server"
                select name="server" {
                    option value="" { "all" }
                    @if !server.is_empty() && !servers.contains(&server) { option value=(server) selected { (server) } }
                    @for it in servers { option value=(it) selected[*it == server] { (it) } }
                }
            }
            label { "Client" input name="client" list="clients" value=(text(&filter.client)) autocomplete="off" spellcheck="false"; }
            label { "Tool" input name="tool" list="tools" value=(text(&filter.tool)) autocomplete="off" spellcheck="false"; }
            (suggestions("clients", page.calls.iter().filter_map(|it| it.client.as_deref())))
            (suggestions("tools", page.calls.iter().filter_map(|it| it.tool.as_deref())))
            label { "Outcome"
                select name="outcome" {
                    option value="" { "all" }
                    @for (value, word) in OUTCOMES { option value=(value) selected[value == outcome] { (word) } }
                }
            }
            button { "Filter" }
        }
    }
}

/// The names among the calls of this page.
fn suggestions<'a>(id: &str, names: impl Iterator<Item = &'a str>) -> Markup {
    let names: BTreeSet<_> = names.collect();
    html! {
        datalist id=(id) { @for it in names { option value=(it) {} } }
    }
}

fn rows(page: &Calls) -> Markup {
    html! {
        table hidden[page.calls.is_empty()] {
            thead { tr {
                th { "Time" } th { "Client" } th { "Server" } th { "Tool" } th { "Outcome" } th .number { "ms" }
            } }
            tbody { @for call in &page.calls { (row(call)) } }
        }
    }
}

fn row(call: &Call) -> Markup {
    html! {
        tr data-call=(call.id) data-open[call.outcome.is_none()] {
            td { a href=(address(call)) { (time(&call.time)) } }
            td { (client(call)) }
            td { (server(&call.server)) }
            td .text { (call.tool.as_deref().unwrap_or(&call.method)) }
            td { (outcome(call)) }
            td .number { @match call.ms { Some(ms) => (ms), None => span .none { "–" } } }
        }
    }
}

fn address(call: &Call) -> String {
    let at = call.at.map_or_else(String::new, |at| format!("?at={at}"));
    format!("/calls/{}{at}", segment(&call.id))
}

fn client(call: &Call) -> Markup {
    html! {
        @match &call.client {
            Some(client) => (client),
            None => span .none { @if call.program.is_empty() { "–" } @else { (call.program) } },
        }
    }
}

fn outcome(call: &Call) -> Markup {
    badge(call.outcome.as_deref())
}

/// Shows the outcome of a call; `None` if it has no end.
pub(super) fn badge(outcome: Option<&str>) -> Markup {
    let class = match outcome {
        Some("ok") => "good",
        Some("cancelled") => "warn",
        Some(_) => "bad",
        None => "",
    };
    html! { span class={ "badge " (class) } { (outcome.unwrap_or(OPEN)) } }
}

/// What an outcome means. What a server said of its error is not kept, since it may hold anything.
fn meaning(call: &Call) -> Option<&'static str> {
    Some(match call.outcome.as_deref() {
        None if call.is_running => "It has not ended yet.",
        None => {
            "No end of it was found. The gateway was killed meanwhile, or the end is far from it in the log."
        }
        Some(outcome) => return meaning_of(outcome),
    })
}

fn meaning_of(outcome: &str) -> Option<&'static str> {
    Some(match outcome {
        "error" => "The server answered with an error of the protocol. Its words are not kept.",
        "tool-error" => "The tool says that it failed. Its words are not kept.",
        "timed-out" => "The server did not answer in time.",
        "cancelled" => "The client took the call back, or left.",
        "lost" => "The server ended before it answered.",
        "not-sent" => "The server ended before it got the call.",
        "not-started" => "The server did not start.",
        "too-long" => "The answer was longer than the gateway passes on.",
        "refused" => {
            "The gateway did not pass it on: there is no such server or tool, or it had a secret of another server in it."
        }
        "no-key" => "The secrets of the server could not be opened.",
        "tampered" => "A secret of the server was changed from outside.",
        _ => return None,
    })
}

/// The time of day in UTC.
fn clock(time: &str) -> Markup {
    let of_day = time.get(11..19).unwrap_or_default();
    html! { span .note { (of_day) " UTC" } }
}

fn nothing(page: &Calls, is_first: bool, is_filtered: bool) -> Markup {
    html! {
        section .state.empty data-empty="" {
            @if let (true, Some(reached), Some(lines)) = (page.is_cut, &page.reached, page.lines) {
                p { "No such call in the last " (lines) " lines of the log, back to " (time(reached)) "." }
            } @else if is_filtered {
                p { "No calls match." }
                p { a href="/calls" { "Show all calls" } }
            } @else if is_first {
                p { "No client has called a server yet. Calls show up here as they happen." }
                p { a href="/clients" { "Connect a client" } }
            } @else {
                p { "There are no older calls." }
            }
        }
    }
}

fn pages(filter: &CallFilter, page: &Calls) -> Markup {
    let query = query(filter);
    html! {
        @if filter.before.is_some() || page.older.is_some() {
            div .pages role="navigation" aria-label="Pages of calls" {
                @if filter.before.is_some() { a href={ "/calls" (with(&query)) } { "Newest" } " " }
                @if let Some(older) = page.older {
                    a rel="next" href={ "/calls?" (query) @if !query.is_empty() { "&" } "before=" (older) } {
                        @if page.is_cut { "Search on" } @else { "Older" }
                    }
                }
            }
            @if let (true, false, Some(reached)) = (page.is_cut, page.calls.is_empty(), &page.reached) {
                p .aside { "Searched back to " (time(reached)) "." }
            }
        }
    }
}

/// What to draw: the filters of the page, and how far to look back.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PlotOf {
    last: Span,
    server: Option<String>,
    client: Option<String>,
    tool: Option<String>,
    outcome: Option<String>,
}

/// Draws the calls of the last hour or day.
pub(super) async fn plot(
    State(app): State<App>,
    _: Onlooker,
    Asked(of): Asked<PlotOf>,
) -> Result<Markup, Problem> {
    let filter = CallFilter {
        server: of.server,
        client: of.client,
        tool: of.tool,
        outcome: of.outcome,
        ..CallFilter::default()
    };
    let summary = summary::of(&app, of.last, filter.wanted()?).await?;
    Ok(plot::draw(&summary, !query(&filter).is_empty()))
}

pub(super) async fn show(
    State(app): State<App>,
    _: Person,
    path: Result<Path<String>, PathRejection>,
    Asked(place): Asked<CallPlace>,
) -> Result<Markup, Problem> {
    let Path(id) = path?;
    let call = calls::one(&app, &id, place.at, &Sight::default()).await?;
    let tool = call.tool.as_deref();
    Ok(html! {
        p .path { a href="/calls" { "Calls" } }
        h1 { (tool.unwrap_or(&call.method)) }
        p .aside { (outcome(&call)) " " (time(&call.time)) ", " (clock(&call.time)) }
        @if let Some(meaning) = meaning(&call) { p { (meaning) } }
        dl {
            dt { "Client" } dd { (client(&call)) @if let Some(session) = &call.session { span .note { "session " (session) } } }
            dt { "Process" } dd { (call.pid) " " (call.program) span .note { "user " (call.uid) } }
            dt { "Server" } dd { (server(&call.server)) }
            dt { "Method" } dd { (call.method) }
            @if let Some(tool) = tool { dt { "Tool" } dd { (tool) } }
            dt { "Time" } dd { (call.time) }
            dt { "Time taken" } dd { @match call.ms { Some(ms) => { (ms) " ms" }, None => span .none { "–" } } }
            dt { "Secrets given" } dd { (secrets(&call.secrets)) }
            dt { "Arguments" } dd {
                @match &call.digest {
                    Some(digest) => { (call.bytes) " bytes, SHA-256 " code { (digest) } },
                    None => span .none { "none" },
                }
                span .note { "what they say is not kept" }
            }
            dt { "Answer" } dd { @match call.answer_bytes { Some(bytes) => { (bytes) " bytes" }, None => span .none { "–" } } }
            dt { "Values replaced" } dd { @match call.scrubbed { Some(it) => (it), None => span .none { "–" } } }
            dt { "Id" } dd { code { (call.id) } }
        }
        p { a href={ "/calls?server=" (segment(&call.server)) @if let Some(tool) = tool { "&tool=" (segment(tool)) } } { "Calls like this" } }
    })
}

/// Secrets in their versions, each with a way to its scope.
fn secrets(secrets: &[String]) -> Markup {
    html! {
        @if secrets.is_empty() { span .none { "none" } }
        @for it in secrets {
            div {
                @match it.split_once('/') {
                    Some((scope, _)) => a href={ "/secrets/" (segment(scope)) } { (it) },
                    None => (it),
                }
            }
        }
    }
}
