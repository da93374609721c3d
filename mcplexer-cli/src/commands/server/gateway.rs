//! `mcplexer server test`, `logs` and `restart`

use mcplexer_files::config::ServerName;
use mcplexer_gateway::{Control, EraStatus, Log, test_server};
use mcplexer_home::Home;

use crate::cli::Global;
use crate::commands::serve::Parts;
use crate::exit_code;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::stderr::say;
use crate::text::{count, sanitized};

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
            return Err(Failure::new(format!("server {name} {what}"))
                .with_hint(hint)
                .with_code(exit_code::NOT_FOUND));
        }
    }
    let tested = test_server(home, &config, name, options);
    let report = tested.map_err(|problem| {
        Failure::of_lines(&problem).with_hint(format!(
            "mcplexer server show {name} shows how it is started"
        ))
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
    let lines = Control::of(&Home::from_env()?).logs(name)?;
    print(
        &lines
            .iter()
            .map(|it| sanitized(it) + "\n")
            .collect::<String>(),
    )
}

pub(super) fn restart(name: &ServerName, global: Global) -> Result<(), Failure> {
    Control::of(&Home::from_env()?).restart(name)?;
    if !global.quiet {
        say(&format!("ended server {name}; the next call starts it"));
    }
    Ok(())
}
