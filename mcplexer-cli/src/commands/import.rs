//! `mcplexer import`

mod advice;

use std::io::{self, IsTerminal};
use std::path::Path;

use mcplexer_clients::{ClientConfig, Syntax};
use mcplexer_files::exchange::Format;
use mcplexer_home::import::{Action, Hash, Import as Importing, ImportReport, Reading, Secrets};
use mcplexer_secrets::{OnConflict, ScopeId};

use self::advice::Source;
use crate::cli::{Global, Import, Named, named_file};
use crate::failure::{Failure, again, can_repeat, repeated_path};
use crate::output::{print, print_json};
use crate::progress::Waiting;
use crate::session::Session;
use crate::text::{count, sanitized, thousands, typed, word};
use crate::{exit_code, input};

pub(super) fn run(import: &Import, global: Global) -> Result<(), Failure> {
    let file = named_file(import.file.as_deref());
    if let Some(failure) = wrong_order(import.scope.as_str(), file) {
        return Err(failure);
    }
    let format = format(import, file)?;
    let (name, text) = input::text(file)?;
    let mut source = Source {
        scope: import.scope.as_str(),
        name: &name,
        typed: file.map(typed),
        text: &text,
        format,
        reading: Reading {
            only: import.only.clone(),
            skip: import.skip.clone(),
            blank: import.blank,
            hash: import.hash.unwrap_or_default(),
        },
    };
    source.check()?;
    let secrets = source.read();
    let mut secrets = secrets.map_err(|failure| failure.with_hints(of_client(file, &text)))?;
    let hashes = secrets.hashes().join(", ");
    let is_unclear = import.hash.is_none() && !hashes.is_empty();
    let asked = is_unclear && !global.no_input && io::stdin().is_terminal();
    if asked {
        let question = format!("{name}, {hashes}: is the # right behind the value a part of it?");
        if !input::yes_unless_no(&question)? {
            source.reading.hash = Hash::Cut;
            secrets = source.read()?;
        }
    }
    drop(text);
    let named = Named::in_file(&import.scope, secrets.names());
    named.check().map_err(|failure| failure.at(&name))?;
    let session = Session::open(global)?;
    let importing = Importing {
        scope: import.scope.clone(),
        on_conflict: match (import.overwrite, import.skip_existing) {
            (true, _) => OnConflict::Overwrite,
            (false, true) => OnConflict::Skip,
            (false, false) => OnConflict::Fail,
        },
        states: None,
        dry_run: import.dry_run,
    };
    let waiting = Waiting::new("importing", global);
    let report = importing.run(&secrets, &session);
    drop(waiting);
    let report = report.map_err(|error| session.explain(error))?;
    tell(&report, importing.on_conflict, &session);
    tell_everyday(&secrets, &session);
    if is_unclear && !asked {
        session.warn(&sanitized(format!(
            "{name}, {hashes}: the # right behind the value was taken for a part of it, as python-dotenv, docker and shells do; npm dotenv takes it for a comment"
        )));
        // The first import has stored the values.
        let options: &[&str] = match import.overwrite {
            true => &["--hash", "cut"],
            false => &["--hash", "cut", "--overwrite"],
        };
        session.hint(&again(options, "takes it for a comment"));
    }
    match (import.json, import.dry_run) {
        (true, _) => print_json(&report),
        (false, true) => print(&rows(&report)),
        (false, false) => Ok(()),
    }
}

fn format(import: &Import, file: Option<&Path>) -> Result<Format, Failure> {
    let scope = import.scope.as_str();
    let usage = |message: String, hint: String| {
        Failure::new(message)
            .with_hint(hint)
            .with_code(exit_code::USAGE)
    };
    if import.file.is_none() && import.format.is_none() && is_file(scope) {
        return Err(usage(
            format!("missing FILE ({scope} was read as the scope)"),
            format!("mcplexer import SCOPE {}", word(scope)),
        ));
    }
    if file.is_some_and(|it| it.to_string_lossy().contains('=') && !it.exists()) {
        return Err(Failure::of_pair());
    }
    if file.is_none() && io::stdin().is_terminal() {
        return Err(usage(
            "missing FILE, and standard input is a terminal".to_owned(),
            format!("mcplexer import {scope} FILE"),
        ));
    }
    let of_path = file.and_then(Format::of_path);
    let of_path = of_path.filter(|format| Format::READ.contains(format));
    import.format.or(of_path).ok_or_else(|| {
        let [first, others @ ..] = Format::READ.map(Format::as_str);
        let name = file.map(|it| repeated_path(it, ""));
        let what = match &name {
            Some(name) if name.is_empty() => {
                let hint = format!("--format {first} says it, or {}", others.join(" or "));
                return usage("cannot tell the format from that name".to_owned(), hint);
            }
            Some(name) => format!("cannot tell the format from the name {name}"),
            None => "standard input needs --format".to_owned(),
        };
        let others = format!("reads {first}; there is {} too", others.join(" and "));
        usage(what, again(&["--format", first], &others))
    })
}

/// Returns the failure for `import FILE SCOPE`, where the first word is a file and the second is not.
fn wrong_order(scope: &str, file: Option<&Path>) -> Option<Failure> {
    let file = file.filter(|it| !it.exists() && Path::new(scope).is_file())?;
    let word = file.to_str()?;
    let hint = match word.parse::<ScopeId>() {
        Ok(meant) if can_repeat(word) => {
            format!("the scope comes first: mcplexer import {meant} {scope}")
        }
        _ => format!("the scope comes first: mcplexer import SCOPE {scope}"),
    };
    let name = repeated_path(file, "of that name");
    let failure = Failure::new(format!("there is no file {name}"));
    Some(failure.with_hint(hint).with_code(exit_code::USAGE))
}

/// Returns the command for the file of an AI client, which has servers and not secrets.
fn of_client(file: Option<&Path>, text: &[u8]) -> Option<String> {
    let file = file?;
    let config = ClientConfig::parse(text, Syntax::of(file)).ok()?;
    let has_servers = !config.servers().is_empty();
    has_servers.then(|| {
        format!(
            "mcplexer adopt {} moves the tokens of an AI client",
            typed(file)
        )
    })
}

/// Returns whether the argument given as the scope is a file.
fn is_file(scope: &str) -> bool {
    let path = Path::new(scope);
    Format::of_path(path).is_some() || path.is_file()
}

fn rows(report: &ImportReport) -> String {
    let line = |row: &mcplexer_home::import::ImportRow| {
        format!("{:8}{}/{}\n", row.action.as_str(), report.scope, row.key)
    };
    report.secrets.iter().map(line).collect()
}

fn tell(report: &ImportReport, on_conflict: OnConflict, session: &Session) {
    let scope = &report.scope;
    if !report.dry_run {
        session.tell_created();
        if report.scope_created {
            session.tell_scope(&report.new);
        }
    }
    let parts = [
        (Action::Add, "new"),
        (Action::Replace, "replaced"),
        (Action::Keep, "kept"),
        (Action::Same, "unchanged"),
    ];
    let parts = parts.map(|(action, word)| (report.count(action), word));
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<_> = parts
        .map(|(number, word)| format!("{} {word}", thousands(*number)))
        .collect();
    let replaced = report.count(Action::Replace);
    let stored = count(report.count(Action::Add) + replaced, "secret");
    let parts = parts.join(", ");
    session.tell(&match report.dry_run {
        true => format!("would import {stored} into {scope} ({parts})"),
        false => format!("imported {stored} into {scope} ({parts})"),
    });
    if !report.blank.is_empty() {
        session.tell(&sanitized(format!(
            "left out because blank: {}",
            report.blank.join(", ")
        )));
    }
    let stored = report.secrets.iter();
    let stored = stored.filter(|row| matches!(row.action, Action::Add | Action::Replace));
    session.warn_of_takeovers(scope, stored.map(|row| &row.key));
    if report.dry_run && on_conflict == OnConflict::Fail && replaced > 0 {
        session.hint("values differ, so the import needs --overwrite or --skip-existing");
    }
}

/// Says which values are so common that masking and searching for them would do harm.
fn tell_everyday(secrets: &Secrets, session: &Session) {
    let names = secrets.everyday();
    if !names.is_empty() {
        let names: Vec<_> = names.iter().map(|name| name.as_str()).collect();
        session.tell(&format!(
            "everyday values, which run --mask and scan leave out: {}",
            names.join(", ")
        ));
    }
}
