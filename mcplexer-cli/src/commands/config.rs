//! `mcplexer config …`

mod apply;

use std::fs;
use std::path::Path;

use mcplexer_files::config;
use mcplexer_home::Home;
use mcplexer_home::config::{ConfigFile, Error, show};
use mcplexer_home::servers::{Missing, missing_at_home};

use crate::cli::{Config, ConfigFrom, Global};
use crate::failure::Failure;
use crate::output::{print, print_json, stdout_is};
use crate::session::Session;
use crate::text::{count, shown};
use crate::{exit_code, input};

pub(super) fn run(command: Config, global: Global) -> Result<(), Failure> {
    match command {
        Config::Check { from, json } => check(&from, json, global),
        Config::Apply {
            from,
            prune,
            force,
            dry_run,
            json,
        } => {
            let (name, file) = read(&from)?;
            let config = file.into_config()?;
            if prune && config.auth_scopes.is_none() {
                let message =
                    format!("{name} has no auth_scopes: --prune would delete every scope");
                return Err(Failure::new(message)
                    .with_hint("if that is what you want, write `auth_scopes: []` into it")
                    .with_code(exit_code::USAGE));
            }
            let scopes = config.scopes();
            let options = apply::Options {
                force,
                dry_run,
                json,
            };
            apply::run(&name, scopes, prune, options, global)
        }
        Config::Show { json } => {
            let session = Session::open(global)?;
            check_stdout(&session.home().config())?;
            let config = show(&session).map_err(|error| match error {
                Error::Store(error) => session.explain(error),
                error => error.into(),
            })?;
            match json {
                true => print_json(&config),
                false => print(&config.to_string()),
            }
        }
        Config::Schema { project: false } => print(&config::schema()),
        Config::Schema { project: true } => print(&config::project_schema()),
    }
}

/// Refuses to print into the file that is printed. A shell has emptied it by then, so that no server is left to print.
fn check_stdout(file: &Path) -> Result<(), Failure> {
    if !stdout_is(file) {
        return Ok(());
    }
    let name = shown(file);
    let is_empty = fs::metadata(file).is_ok_and(|it| it.len() == 0);
    let failure = Failure::new(format!("standard output is {name} itself"));
    let failure = match is_empty {
        true => failure.with_hint(format!(
            "the shell has emptied {name}; if it had servers and clients, restore it from a backup of yours"
        )),
        false => failure,
    };
    Err(failure
        .with_hint("mcplexer config show > scopes.yaml writes another file")
        .with_code(exit_code::USAGE))
}

/// Reads the given file, standard input, or the file beside the store, and returns its name for
/// messages as well. It is read before the process is hardened, because a hardened process cannot
/// open `/dev/fd/N`.
fn read(from: &ConfigFrom) -> Result<(String, ConfigFile), Failure> {
    let Some(path) = &from.file else {
        let home = Home::from_env()?;
        return Ok((shown(&home.config()), ConfigFile::of_home(&home)?));
    };
    if path != Path::new("-") {
        return Ok((shown(path), ConfigFile::read(path)?));
    }
    let file = ConfigFile::read_stdin(input::stdin()?).map_err(|error| {
        Failure::new(format!("cannot read standard input: {error}"))
            .with_hint("name a file that you can read")
    })?;
    Ok(("standard input".to_owned(), file))
}

fn check(from: &ConfigFrom, json: bool, global: Global) -> Result<(), Failure> {
    let (name, file) = read(from)?;
    if json {
        let mut report = file.check();
        if report.scopes.is_some() {
            let missing = missing(from, global).1;
            report.warnings = missing.iter().map(ToString::to_string).collect();
        }
        print_json(&report)?;
        return match report.scopes {
            Some(_) => Ok(()),
            None => Err(Failure::silent(exit_code::USAGE)),
        };
    }
    let config = file.into_config()?;
    let scopes = config.auth_scopes.iter().flatten().count() as u64;
    let mut found = count(scopes, "scope");
    if !config.servers.is_empty() {
        found += &format!(", {}", count(config.servers.len() as u64, "server"));
    }
    let (session, missing) = missing(from, global);
    let result = match missing.len() {
        0 => "no problems".to_owned(),
        several => count(several as u64, "warning"),
    };
    print(&format!("{name}: {found}, {result}\n"))?;
    for (session, missing) in session
        .iter()
        .flat_map(|it| missing.iter().map(move |m| (it, m)))
    {
        super::server::warn(missing, session);
    }
    Ok(())
}

/// Returns what the servers of the home need and its store does not have. Another file may be for another store, and
/// a store that cannot be read is no problem of the file.
fn missing(from: &ConfigFrom, global: Global) -> (Option<Session>, Vec<Missing>) {
    let session = match from.file {
        Some(_) => None,
        None => Session::open(global).ok(),
    };
    let missing = session.as_ref().and_then(|it| missing_at_home(it).ok());
    (session, missing.unwrap_or_default())
}
