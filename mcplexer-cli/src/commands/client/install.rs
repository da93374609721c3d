//! `mcplexer client install`

use std::env;

use mcplexer_home::Home;
use mcplexer_home::adoption::{Change, directories, install, own_program, uninstall};

use crate::cli::{Global, InstallClient};
use crate::commands::adopt::RESTART;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::stderr::{say, say_hint};
use crate::text::shown;

pub(super) fn run(arguments: &InstallClient, global: Global) -> Result<(), Failure> {
    let home = Home::from_env()?;
    let directories = directories(|name| env::var_os(name));
    let report = match arguments.undo {
        true => uninstall(&arguments.name, &directories, &home)?,
        false => install(
            &arguments.name,
            &own_program(),
            &directories,
            arguments.write,
        )?,
    };
    if arguments.json {
        return print_json(&report);
    }
    let is_shown = report.change == Change::Hand || !report.written;
    if is_shown && !report.text.is_empty() && report.change != Change::None {
        print(&format!("{}\n", report.text.trim_end()))?;
    }
    if global.quiet {
        return Ok(());
    }
    let (file, name) = (shown(&report.file), report.name);
    say(&match (report.change, report.written) {
        (Change::Create, true) => format!("created {file}: {name} connects to the gateway"),
        (Change::Create, false) => format!("{file} would be created, with this server"),
        (Change::Add, true) => format!("changed {file}: {name} connects to the gateway"),
        (Change::Add, false) => format!("{file} would get this server"),
        (Change::Remove, _) => format!("removed the server mcplexer from {file}"),
        (Change::Delete, _) => format!("deleted {file}, which had only the server mcplexer"),
        (Change::Hand, _) if arguments.undo => {
            format!("{file} is changed by hand: remove the server mcplexer from it")
        }
        (Change::Hand, _) => {
            format!(
                "{file} is changed by hand: its servers are in TOML, YAML or a list; add these lines"
            )
        }
        _ if arguments.undo => format!("{file} does not connect to the gateway; nothing changed"),
        _ => format!("{file} connects to the gateway already; nothing changed"),
    });
    match (report.change, report.written) {
        (Change::Create | Change::Add, false) => {
            say_hint(&format!(
                "mcplexer client install {} --write",
                report.client
            ));
        }
        (_, true) => {
            say_hint(RESTART);
            if !arguments.undo {
                let id = report.client;
                say_hint(&format!("mcplexer client install {id} --undo removes it"));
            }
        }
        _ => {}
    }
    Ok(())
}
