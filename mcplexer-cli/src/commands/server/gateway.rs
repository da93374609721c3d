//! `mcplexer server test`, `logs` and `restart`

use mcplexer_files::config::{ServerName, Transport};
use mcplexer_gateway::{Control, ControlError, EraStatus, Log, test_server};
use mcplexer_home::Home;
use mcplexer_home::config::of_home;
use mcplexer_home::servers::working_directory;

use crate::cli::Global;
use crate::commands::serve::Parts;
use crate::exit_code;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::stderr::say;
use crate::text::{count, sanitized, shown};

pub(super) fn test(name: &ServerName, json: bool, global: Global) -> Result<(), Failure> {
    let (home, config, options) = Parts::new()?.open(Log::off(), global)?;
    match config.servers.get(name) {
        Some(server) if !server.disabled => {}
        found => {
            let (what, hint) = match found {
                Some(_) => ("is disabled", "remove disabled: true from config.yaml"),
                None => (
                    "is not in config.yaml",
                    "mcplexer server list lists the servers",
                ),
            };
            let others = config.servers.keys().map(ServerName::as_str);
            let failure = Failure::new(format!("server {name} {what}"));
            let failure = match found {
                Some(_) => failure,
                None => failure.with_meant(name.as_str(), others),
            };
            return Err(failure.with_hint(hint).with_code(exit_code::NOT_FOUND));
        }
    }
    let starts_in = config.servers.get(name).and_then(|it| match &it.transport {
        Transport::Stdio(stdio) => Some(match &stdio.directory {
            Some(directory) => shown(&working_directory(Some(directory))),
            None => "the home directory".to_owned(),
        }),
        _ => None,
    });
    let tested = test_server(home, &config, name, options);
    let report = tested.map_err(|problem| {
        let shows = format!("mcplexer server show {name} shows how it is started");
        Failure::of_lines(&problem).with_hint(match starts_in {
            Some(place) => format!("{shows}; it starts in {place}"),
            None => shows,
        })
    })?;
    if json {
        return print_json(&report);
    }
    let era = match report.era {
        EraStatus::Modern => "without sessions",
        _ => "with sessions",
    };
    let tools = count(report.tools, "tool");
    let called = sanitized(&report.name);
    print(&format!(
        "{name} works: {called}, {tools}, {era}, {} ms\n",
        report.ms
    ))
}

pub(super) fn logs(name: &ServerName) -> Result<(), Failure> {
    let home = Home::from_env()?;
    let lines = Control::of(&home).logs(name);
    let lines = lines.map_err(|error| unknown(error, &home))?;
    print(
        &lines
            .iter()
            .map(|it| sanitized(it) + "\n")
            .collect::<String>(),
    )
}

pub(super) fn restart(name: &ServerName, global: Global) -> Result<(), Failure> {
    let home = Home::from_env()?;
    let restarted = Control::of(&home).restart(name);
    let ended = restarted.map_err(|error| unknown(error, &home))?;
    if !global.quiet {
        say(&match ended {
            0 => format!("server {name} did not run; the next call starts it"),
            _ => format!("ended server {name}; the next call starts it"),
        });
    }
    Ok(())
}

/// Returns the failure of a question to the gateway. For a server that it does not have, asks whether one of
/// `config.yaml` was meant.
fn unknown(error: ControlError, home: &Home) -> Failure {
    let ControlError::Unknown { server } = &error else {
        return error.into();
    };
    let servers = of_home(home).ok().flatten().unwrap_or_default().servers;
    let others = servers
        .iter()
        .filter(|(name, it)| !it.disabled && *name != server);
    let hint = "mcplexer server list lists them; those that are disabled are left out";
    Failure::new(error.to_string())
        .with_meant(server.as_str(), others.map(|(name, _)| name.as_str()))
        .with_hint(hint)
        .with_code(exit_code::NOT_FOUND)
}
