//! `mcplexer client …`

mod install;

use mcplexer_gateway::{ApiAccess, Control, HttpClient, HttpClients, HttpClientsError};
use mcplexer_home::Home;

use crate::agent::Agent;
use crate::cli::{Client, Global, HTTP_ADDRESS};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::stderr::{say, say_hint};

pub(super) fn run(command: Client, global: Global) -> Result<(), Failure> {
    let home = Home::from_env()?;
    let clients = HttpClients::of(&home);
    match command {
        Client::Install(arguments) => install::run(&arguments, global),
        Client::Add { name, api } => {
            if let Some(agent) = Agent::running() {
                return Err(
                    Failure::new(format!("{}: it is not shown a token", agent.evidence()))
                        .with_hint("run it yourself, in a terminal of your own")
                        .with_code(exit_code::DECLINED),
                );
            }
            let token = clients.add(&name, api)?;
            if !global.quiet {
                say(&format!(
                    "added client {name}. Its token is shown only now:"
                ));
            }
            print(&format!("{}\n", token.as_str()))?;
            if !global.quiet {
                say_hint("the client sends it as Authorization: Bearer TOKEN");
                say_hint(&address(&home));
                if api != ApiAccess::None {
                    say_hint(&format!(
                        "it may {} over /api/v1 as well; /api/v1/openapi.json says how",
                        api.as_str()
                    ));
                }
            }
            Ok(())
        }
        Client::List { json } => {
            let list = clients.list()?;
            if list.is_empty() && !json && !global.quiet {
                say("no client has a token for HTTP; mcplexer client add NAME makes one");
            }
            match json {
                true => print_json(&list),
                false => print(&list.iter().map(line).collect::<String>()),
            }
        }
        Client::Remove { name } => {
            clients.remove(&name).map_err(|error| match &error {
                HttpClientsError::NotFound { .. } => {
                    let others = clients.list().unwrap_or_default();
                    let others = others.iter().map(|it| it.name.as_str());
                    Failure::new(error.to_string())
                        .with_meant(name.as_str(), others)
                        .with_hint("mcplexer client list lists them")
                        .with_code(exit_code::NOT_FOUND)
                }
                _ => error.into(),
            })?;
            if !global.quiet {
                say(&format!("removed client {name}; its token is invalid"));
            }
            Ok(())
        }
    }
}

/// Says where an HTTP client connects.
fn address(home: &Home) -> String {
    let status = Control::of(home).status().ok();
    match status.and_then(|it| it.http) {
        Some(address) => format!("its URL is http://{address}/mcp"),
        None => format!("its URL is http://{HTTP_ADDRESS}/mcp while mcplexer serve --http runs"),
    }
}

fn line(client: &HttpClient) -> String {
    match client.api {
        ApiAccess::None => format!("{}\n", client.name),
        api => format!("{}  api: {}\n", client.name, api.as_str()),
    }
}
