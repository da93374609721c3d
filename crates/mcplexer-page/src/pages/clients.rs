//! Clients: who is connected, how one connects, and tokens for HTTP.

use std::net::SocketAddr;

use axum::extract::State;
use maud::{Markup, html};
use mcplexer_home::OpenHome;
use mcplexer_home::adoption::{Change, InstallReport, directories, installs, own_program};

use super::words::segment;
use crate::access::{Onlooker, Person};
use crate::api::clients::{self, Access, Client, Connected};
use crate::problem::Problem;
use crate::sight::Sight;
use crate::site::App;

pub(super) async fn page(State(app): State<App>, _: Person) -> Result<Markup, Problem> {
    let all = clients::all(&app, &Sight::default()).await?;
    let known = app.with_home(|_: &OpenHome| {
        let mut directories = directories(|name| std::env::var_os(name));
        directories.project = None;
        Ok::<_, Problem>(installs(&own_program(), &directories))
    });
    let known = known.await?;
    let (here, absent): (Vec<_>, Vec<_>) = known.iter().partition(|it| is_here(it));
    Ok(html! {
        h1 { "Clients" }
        p .aside { "Programs that call tools through this gateway." }
        h2 { "Connected now" }
        div data-fresh="/parts/clients/connected" { (connected(&all.connected)) }
        h2 #tokens { "Tokens" }
        p { "For a client that connects over HTTP, and for scripts that use " code { "/api/v1" } "." }
        (tokens(&all.clients))
        details open[all.clients.is_empty()] {
            summary { "New token" }
            (new_token(app.gateway.address()))
        }
        h2 { "Connect a client" }
        p { "A client of this machine starts " code { "mcplexer connect" } " and needs no token. Its other servers stay as they are." }
        @if !here.is_empty() {
            h3 { "With a file here" }
            ul .rows { @for it in &here { (known_row(it)) } }
        }
        details open[!known.iter().any(is_here)] {
            summary { @if here.is_empty() { "All clients" } @else { "Other clients" } }
            ul .rows { @for it in absent { (known_row(it)) } }
        }
    })
}

/// Whether the client has a file here.
fn is_here(report: &InstallReport) -> bool {
    match report.change {
        Change::Create => false,
        Change::Hand => report.file.exists(),
        _ => true,
    }
}

/// Who is connected now.
pub(super) async fn connected_now(State(app): State<App>, _: Onlooker) -> Result<Markup, Problem> {
    Ok(connected(
        &clients::all(&app, &Sight::default()).await?.connected,
    ))
}

fn connected(clients: &[Connected]) -> Markup {
    html! {
        @if clients.is_empty() {
            p .none { "No client is connected." }
        } @else {
            table {
                thead { tr { th { "Client" } th { "Tools of" } th .number { "Process" } th .number { "Sessions" } } }
                tbody {
                    @for it in clients {
                        tr {
                            th scope="row" { (it.name.as_deref().unwrap_or("without a name")) }
                            td {
                                @match it.servers.as_deref() {
                                    None => "all servers",
                                    Some([]) => "no server",
                                    Some(servers) => @for (at, server) in servers.iter().enumerate() {
                                        @if at > 0 { ", " }
                                        a href={ "/servers/" (segment(server)) } { (server) }
                                    },
                                }
                            }
                            td .number { @match it.pid { Some(pid) => (pid), None => span .none { "–" } } }
                            td .number { (it.sessions) }
                        }
                    }
                }
            }
        }
    }
}

fn known_row(report: &InstallReport) -> Markup {
    let (badge, state) = match report.change {
        Change::None => ("badge good", "set up"),
        Change::Hand => ("badge", "by hand"),
        _ => ("badge", "not set up"),
    };
    html! {
        li {
            details {
                summary { (report.name) " " span class=(badge) { (state) } }
                    p { code { (report.file.display()) } }
                    @match report.change {
                        Change::None => p { "It connects to the gateway. This removes it again:" },
                        Change::Hand => p { "Its file is not changed by a program. Add these lines:" },
                        _ => p { "This adds it to the file:" },
                    }
                    @match report.change {
                        Change::None => pre .command { "mcplexer client install " (report.client) " --undo" },
                        Change::Hand => pre .command { (report.text.trim_end()) },
                        _ => {
                            pre .command { "mcplexer client install " (report.client) " --write" }
                            p { "Or add this server by hand:" }
                            pre .command { (report.text.trim_end()) }
                        }
                    }
            }
        }
    }
}

fn tokens(clients: &[Client]) -> Markup {
    html! {
        @if clients.is_empty() {
            p .none { "No client has a token." }
        } @else {
            table {
                thead { tr { th { "Name" } th { "Over the API" } th { span .hidden { "Acts" } } } }
                tbody {
                    @for it in clients {
                        tr {
                            th scope="row" { (it.name) }
                            td {
                                @match it.api {
                                    Access::None => span .none { "nothing" },
                                    Access::Read => span .badge { "read" },
                                    Access::Write => span .badge.warn { "read and write" },
                                }
                            }
                            td {
                                details {
                                    summary { "Remove" span .hidden { " " (it.name) } }
                                    form .danger data-method="DELETE" data-to={ "/api/v1/clients/" (segment(&it.name)) } data-said={ "Client " (it.name) " removed." } {
                                        label { span { "Type " code { (it.name) } " to make its token invalid" }
                                            input name="confirm" required autocomplete="off" spellcheck="false"; }
                                        button { "Remove" }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The form, and what is shown once when it was sent.
fn new_token(address: Option<SocketAddr>) -> Markup {
    html! {
        form data-method="POST" data-to="/api/v1/clients" {
            label { "Name" small { "Use the client's name from config.yaml, if it has one." }
                input name="name" required autocomplete="off" spellcheck="false" placeholder="cursor"; }
            label { "Over the API" small { "A client that calls tools needs nothing. Read: scopes, keys, servers and calls, no values. Write: secrets and servers, too." }
                select name="api" {
                    option value="none" { "nothing" }
                    option value="read" { "read" }
                    option value="write" { "read and write" }
                }
            }
            button { "Make a token" }
            template {
                h3 { "The token of {name} is shown only now" }
                pre .command data-name="the token" { "{token}" }
                p { "A client that connects over HTTP has this in its file:" }
                pre .command data-name="the lines for a client" {
                    "{ \"mcpServers\": { \"mcplexer\": {\n"
                    "    \"type\": \"http\",\n"
                    "    \"url\": \"{url}\",\n"
                    "    \"headers\": { \"Authorization\": \"Bearer {token}\" }\n"
                    "} } }"
                }
                @if let Some(address) = address {
                    p { "A script, if the token may use the API:" }
                    pre .command data-name="the command of a script" {
                        "curl -H 'Authorization: Bearer {token}' http://" (address) "/api/v1/scopes"
                    }
                }
                p .hint { "This address changes when the gateway restarts; " code { "mcplexer serve --http" } " keeps it." }
                p { a href="/clients" { "Done" } }
            }
        }
    }
}
