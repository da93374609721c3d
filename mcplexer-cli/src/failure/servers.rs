//! Advice on the tool servers in `config.yaml`.

use std::path::Path;

use mcplexer_clients::Place;
use mcplexer_files::config::{Problem, ServerName};
use mcplexer_home::config;
use mcplexer_home::servers::{Error, NotImported, Refusal};

use super::Failure;
use crate::exit_code;
use crate::text::{sanitized, shown, typed};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Config(error) => Self::from(error),
            Error::Store(error) => Self::from(error),
            Error::Replace(error) => Self::from(error),
            Error::Refused { problems, .. } => {
                let messages = problems.iter().map(message);
                Self::of_several(messages)
                    .with_hints(hints(&problems))
                    .with_code(exit_code::USAGE)
            }
            Error::Exists {
                ref file,
                ref server,
            } => {
                let said = format!("{} has a server {server} already", shown(file));
                Self::new(said)
                    .with_hint("--replace replaces it")
                    .with_code(exit_code::CONFLICT)
            }
            Error::NotFound {
                ref file,
                ref server,
                ref others,
            } => Self::new(format!("{} has no server {server}", shown(file)))
                .with_meant(server.as_str(), others.iter().map(ServerName::as_str))
                .with_hint("mcplexer server list names the servers")
                .with_code(exit_code::NOT_FOUND),
            Error::Named {
                file,
                server,
                clients,
            } => {
                let clients: Vec<_> = clients.iter().map(ToString::to_string).collect();
                let file = shown(&file);
                Self::new(format!(
                    "{file}: clients name the server {server}: {}",
                    clients.join(", ")
                ))
                .with_hint(format!(
                    "take {server} out of their `servers` in {file} first"
                ))
                .with_code(exit_code::CONFLICT)
            }
            Error::Unusual {
                ref file,
                ref entry,
            } => {
                let said = format!(
                    "{}: its notation is too unusual to be changed by a program",
                    shown(file)
                );
                let entry = entry.as_deref().unwrap_or_default();
                let by_hand = match entry {
                    "" => "remove the server by hand".to_owned(),
                    entry => format!("write it by hand:\n{entry}"),
                };
                Self::new(said)
                    .with_hint(by_hand)
                    .with_code(exit_code::USAGE)
            }
            Error::Busy { .. } => Self::new(error.to_string())
                .with_hint("the file is unchanged; run it again")
                .with_code(exit_code::BUSY),
            other => Self::new(other.to_string()),
        }
    }
}

impl From<NotImported> for Failure {
    fn from(error: NotImported) -> Self {
        match error {
            NotImported::File(error) => Self::from(error),
            NotImported::NotFound { file, name } => {
                let name = name.map(|name| format!(" {}", sanitized(name)));
                let said = format!("no server{} in {}", name.unwrap_or_default(), shown(&file));
                let failure = Self::new(said).with_code(exit_code::NOT_FOUND);
                failure.with_hint("without a name it adds every server of the file")
            }
            NotImported::Refused { file, servers } => of_refused(&file, &servers),
            other => Self::new(other.to_string()),
        }
    }
}

fn of_refused(file: &Path, servers: &[(String, Refusal)]) -> Failure {
    let mut messages = Vec::new();
    let mut hints = Vec::new();
    for (server, refusal) in servers {
        let place = format!("{}: {}", shown(file), sanitized(server));
        match refusal {
            Refusal::Problems(problems) => {
                let of_problems = problems.iter().map(|it| {
                    let field = it.path.split_once('.').and_then(|it| it.1.split_once('.'));
                    let field = field.map_or(String::new(), |(_, field)| format!("{field}: "));
                    format!("{place}: {field}{}", in_config(it))
                });
                messages.extend(of_problems);
                if problems.iter().any(|it| it.instead.is_some()) {
                    hints.push(format!(
                        "mcplexer adopt {} --write moves its credentials into the store; then add it again",
                        typed(file)
                    ));
                }
            }
            Refusal::Variables(places) => {
                let places: Vec<_> = places.iter().map(Place::to_string).collect();
                let places = sanitized(places.join(", "));
                messages.push(format!(
                    "{place}: {places}: the client fills in variables here"
                ));
                hints.push(
                    "write a reference, mcplexer://SCOPE/KEY, or the value itself if it is no secret"
                        .to_owned(),
                );
            }
            Refusal::Start => {
                messages.push(format!(
                    "{place}: it has no command and no URL, or one line for a shell"
                ));
                hints.push("mcplexer server add NAME -- COMMAND ARGUMENTS adds it".to_owned());
            }
            Refusal::Relative(word) => {
                let word = sanitized(word);
                messages.push(format!(
                    "{place}: {word} is a relative path, and the gateway starts servers elsewhere"
                ));
                hints.push("write the whole path, or the directory as \"cwd\"".to_owned());
            }
            Refusal::Name => {
                messages.push(format!(
                    "{place}: no name of 1 to 32 of a-z, 0-9, - and _ can be made of this"
                ));
                hints.push("mcplexer server add NAME adds it under another name".to_owned());
            }
            Refusal::Twice(name) => {
                messages.push(format!(
                    "{place}: another server of the file is called {name}"
                ));
                hints.push(format!(
                    "mcplexer server add PROJECT/SERVER --from {} adds one of them",
                    typed(file)
                ));
            }
            _ => messages.push(format!("{place}: it cannot be imported")),
        }
    }
    hints.sort();
    hints.dedup();
    Failure::of_several(messages)
        .with_hints(hints)
        .with_hint("nothing was changed; with a name, it adds that server alone")
        .with_code(exit_code::USAGE)
}

fn message(problem: &Problem) -> String {
    match problem.path.as_str() {
        "" => in_config(problem),
        path => format!("{path}: {}", in_config(problem)),
    }
}

/// Returns what is wrong, for a server that is not in the file yet.
fn in_config(problem: &Problem) -> String {
    problem.message.replace("this file", "config.yaml")
}

fn hints(problems: &[Problem]) -> Vec<String> {
    let mut hints: Vec<_> = problems.iter().filter_map(config::instead).collect();
    hints.sort();
    hints.dedup();
    if hints.is_empty() {
        hints.push("nothing was changed".to_owned());
    }
    hints
}
