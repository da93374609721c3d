//! `mcplexer import`

use std::io::{self, IsTerminal};
use std::path::Path;

use mcplexer_files::exchange::Format;
use mcplexer_home::import::{Action, Import as Importing, ImportReport, Secrets};
use mcplexer_secrets::OnConflict;

use crate::cli::{Global, Import, named_file};
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::session::Session;
use crate::text::{count, shown, thousands};
use crate::{exit_code, input};

pub(super) fn run(import: &Import, global: Global) -> Result<(), Failure> {
    let file = named_file(import.file.as_deref());
    let format = format(import, file)?;
    let (file, text) = input::text(file)?;
    let secrets = Secrets::read(&file, &text, format)?;
    drop(text);
    let session = Session::open(global)?;
    let importing = Importing {
        scope: import.scope.clone(),
        on_conflict: match (import.overwrite, import.skip_existing) {
            (true, _) => OnConflict::Overwrite,
            (false, true) => OnConflict::Skip,
            (false, false) => OnConflict::Fail,
        },
        dry_run: import.dry_run,
    };
    let report = importing.run(&secrets, &session);
    let report = report.map_err(|error| session.explain(error))?;
    tell(&report, importing.on_conflict, &session);
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
            format!("mcplexer import SCOPE {scope}"),
        ));
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
        let what = match file {
            Some(file) => format!("cannot tell the format from the name {}", shown(file)),
            None => "standard input needs --format".to_owned(),
        };
        let formats = Format::READ.map(Format::as_str).join("|");
        usage(what, format!("say it with --format {formats}"))
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
    let stored = report.secrets.iter();
    let stored = stored.filter(|row| matches!(row.action, Action::Add | Action::Replace));
    session.warn_of_takeovers(scope, stored.map(|row| &row.key));
    if report.dry_run && on_conflict == OnConflict::Fail && replaced > 0 {
        session.hint("values differ, so the import needs --overwrite or --skip-existing");
    }
}
