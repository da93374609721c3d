//! The options that say which credentials to move, as a user repeats them.

use mcplexer_clients::ChosenKey;
use mcplexer_home::adoption::{Choice, FileReport};

use crate::text::word;

/// Returns the options of a choice, each after a space.
pub(super) fn of(choice: &Choice) -> String {
    let only = keys("--only", &choice.only);
    let arguments = match choice.allow_arguments {
        true => " --allow-arguments",
        false => "",
    };
    servers(choice) + &only + &keys("--skip", &choice.skip) + arguments
}

/// Returns the options that choose servers, each after a space.
pub(super) fn servers(choice: &Choice) -> String {
    let servers = choice.servers.iter();
    servers.map(|it| option("--server", it)).collect()
}

/// Returns what of a choice concerns a file: `adopt FILE` refuses names that the file lacks.
pub(super) fn in_file(choice: &Choice, report: &FileReport) -> Choice {
    let is_server = |name: &str| report.findings.iter().any(|it| it.is_of(name));
    let has = |key: &ChosenKey| {
        let is_it = |server: &String| key.name == *server;
        report.findings.iter().any(|it| {
            it.place == "env"
                && it.name.as_ref().is_some_and(is_it)
                && key.server.as_ref().is_none_or(|server| it.is_of(server))
        })
    };
    let kept = |keys: &[ChosenKey]| keys.iter().filter(|it| has(it)).cloned().collect();
    let servers = choice.servers.iter().filter(|it| is_server(it));
    Choice {
        servers: servers.cloned().collect(),
        only: kept(&choice.only),
        skip: kept(&choice.skip),
        allow_arguments: choice.allow_arguments,
    }
}

fn keys(name: &str, keys: &[ChosenKey]) -> String {
    let names = keys.iter().map(|key| match &key.server {
        Some(server) => format!("{server}/{}", key.name),
        None => key.name.clone(),
    });
    let names: Vec<_> = names.collect();
    match names.is_empty() {
        true => String::new(),
        false => option(name, &names.join(",")),
    }
}

fn option(name: &str, value: &str) -> String {
    let separator = if value.starts_with('-') { "=" } else { " " };
    format!(" {name}{separator}{}", word(value))
}
