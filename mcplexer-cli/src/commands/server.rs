//! `mcplexer server …`

use std::path::PathBuf;

use mcplexer_files::config::{Http, Server as ConfigServer, ServerName, Stdio, Transport};
use mcplexer_home::Home;
use mcplexer_home::servers::{self, AddReport, Missing};

use crate::cli::{AddServer, Global, Server};
use crate::exit_code;
use crate::failure::{Failure, repeated_path};
use crate::output::{print, print_json, stdout_is_terminal};
use crate::session::Session;
use crate::stderr::say;
use crate::table::headed;
use crate::text::{self, sanitized, shown, word};

#[cfg(feature = "serve")]
mod gateway;

pub(super) fn run(command: Server, global: Global) -> Result<(), Failure> {
    match command {
        Server::Add(arguments) => add(arguments, global),
        Server::List { json } => list(json, global),
        Server::Show { name, json } => show(&name, json),
        Server::Remove { name } => remove(&name, global),
        #[cfg(feature = "serve")]
        Server::Test { name, json } => gateway::test(&name, json, global),
        #[cfg(feature = "serve")]
        Server::Logs { name } => gateway::logs(&name),
        #[cfg(feature = "serve")]
        Server::Restart { name } => gateway::restart(&name, global),
    }
}

fn add(arguments: AddServer, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let replace = arguments.replace;
    let servers = match &arguments.from {
        Some(file) => {
            let imported = servers::import(file, arguments.name.as_deref())?;
            for server in &imported {
                if server.from != server.name.as_str() {
                    let from = sanitized(&server.from);
                    session.tell(&format!("{from} is called {} here", server.name));
                }
                if !server.left_out.is_empty() {
                    let left_out = sanitized(server.left_out.join(", "));
                    session.tell(&format!("{}: {left_out} is left out", server.name));
                }
                if let Transport::Stdio(stdio) = &server.server.transport
                    && let Some(directory) = &stdio.directory
                {
                    session.tell(&format!("{} starts in {}", server.name, shown(directory)));
                }
            }
            let servers = imported.into_iter().map(|it| (it.name, it.server));
            servers.collect()
        }
        None => vec![given(arguments, &session)?],
    };
    // The store is looked at first: nothing is written if that fails.
    let missing = servers::missing(&session, &servers).map_err(|error| session.explain(error))?;
    let report = servers::add(session.home(), &servers, replace)?;
    tell_added(&report, &session);
    for missing in &missing {
        warn(missing, &session);
    }
    Ok(())
}

fn tell_added(report: &AddReport, session: &Session) {
    let file = shown(&report.file);
    for name in &report.added {
        session.tell(&match report.replaced.contains(name) {
            true => format!("replaced server {name} in {file}"),
            false => format!("added server {name} to {file}"),
        });
    }
}

/// Warns of what a server needs and the store does not have.
pub(super) fn warn(missing: &Missing, session: &Session) {
    session.warn(&missing.to_string());
    for hint in missing.fix() {
        session.hint(&hint);
    }
}

/// Returns the server that the arguments describe.
fn given(arguments: AddServer, session: &Session) -> Result<(ServerName, ConfigServer), Failure> {
    let name = arguments.name.unwrap_or_default();
    let name = name.parse::<ServerName>().map_err(|error| {
        Failure::new(format!("{error}"))
            .with_hint("give the server a name, such as github")
            .with_code(exit_code::USAGE)
    })?;
    let transport = match arguments.url {
        Some(url) => Transport::Http(Http {
            headers: pairs(&arguments.header, ':', "--header takes 'NAME: VALUE'")?,
            ..Http::new(url)
        }),
        None => Transport::Stdio(Stdio {
            env: pairs(&arguments.env, '=', "--env takes NAME=VALUE")?,
            scopes: arguments.scope,
            directory: directory(arguments.directory, &arguments.command, &name, session)?,
            ..Stdio::new(arguments.command)
        }),
    };
    Ok((name, ConfigServer::new(transport)))
}

/// Returns the directory in which a command is to start: the one that is given, or the current one if an argument names
/// what is there. The gateway starts it elsewhere otherwise.
fn directory(
    given: Option<PathBuf>,
    command: &[String],
    name: &ServerName,
    session: &Session,
) -> Result<Option<PathBuf>, Failure> {
    if let Some(given) = given {
        let whole = given.canonicalize().ok().filter(|it| it.is_dir());
        return match whole {
            Some(_) => Ok(std::path::absolute(&given).ok()),
            None => Err(Failure::new(format!(
                "{} is not a directory",
                repeated_path(&given, "that")
            ))
            .with_hint("--directory takes the directory in which the command starts")
            .with_code(exit_code::USAGE)),
        };
    }
    let Ok(here) = std::env::current_dir() else {
        return Ok(None);
    };
    let Some(word) = servers::relative_in(command, &here) else {
        return Ok(None);
    };
    if servers::working_directory(None) == here {
        return Ok(None);
    }
    let (word, place) = (sanitized(word), shown(&here));
    session.tell(&format!(
        "{name} starts in {place}, because {word} is there"
    ));
    Ok(Some(here))
}

/// Splits arguments into names and values. No message repeats one, since it may be a value.
fn pairs<T: FromIterator<(String, String)>>(
    arguments: &[String],
    separator: char,
    rule: &str,
) -> Result<T, Failure> {
    let pairs = arguments.iter().map(|argument| {
        let pair = argument.split_once(separator);
        let (name, value) = pair.ok_or_else(|| {
            Failure::new(rule)
                .with_hint("mcplexer server add --help shows examples")
                .with_code(exit_code::USAGE)
        })?;
        let value = if separator == ':' {
            value.trim()
        } else {
            value
        };
        Ok((name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}

fn list(json: bool, global: Global) -> Result<(), Failure> {
    let list = servers::list(&Home::from_env()?)?;
    if json {
        return print_json(&list);
    }
    if list.servers.is_empty() {
        if !global.quiet {
            say("there are no servers yet; mcplexer server add NAME -- COMMAND adds one");
        }
        return Ok(());
    }
    if !stdout_is_terminal() {
        return print(&text::lines(list.servers.iter().map(|row| &row.name)));
    }
    let header = ["SERVER", "COMMAND OR URL", ""];
    let rows = list.servers.iter().map(|row| {
        let reached = match &row.server.transport {
            Transport::Stdio(stdio) => {
                let words: Vec<_> = stdio.command.iter().map(|it| word(it)).collect();
                words.join(" ")
            }
            Transport::Http(http) => sanitized(&http.url),
            _ => String::new(),
        };
        let disabled = if row.server.disabled { "disabled" } else { "" };
        vec![row.name.to_string(), reached, disabled.to_owned()]
    });
    print(&headed(header, &rows.collect::<Vec<_>>()))
}

fn show(name: &ServerName, json: bool) -> Result<(), Failure> {
    let row = servers::show(&Home::from_env()?, name)?;
    match json {
        true => print_json(&row),
        false => print(&format!("{}{}", row.to_yaml(), started(&row.server))),
    }
}

/// Says, as a comment of YAML, where a command starts whose directory the file does not name.
fn started(server: &ConfigServer) -> &'static str {
    match &server.transport {
        Transport::Stdio(stdio) if stdio.directory.is_none() => {
            "# It starts in the home directory; `directory:` changes that.\n"
        }
        _ => "",
    }
}

fn remove(name: &ServerName, global: Global) -> Result<(), Failure> {
    let file = servers::remove(&Home::from_env()?, name)?;
    if !global.quiet {
        say(&format!("removed server {name} from {}", shown(&file)));
    }
    Ok(())
}
