//! `mcplexer import`

use std::io::{self, IsTerminal};
use std::path::Path;

use mcplexer_files::exchange::{self, Format, ReadError};
use mcplexer_secrets::{
    Error, ImportAction, Imported, OnConflict, ScopeKind, SecretName, SecretValue,
};
use serde::Serialize;

use crate::cli::{Global, Import};
use crate::config_file::{ScopeToMake, scope_to_make};
use crate::failure::Failure;
use crate::output::{count, print, print_json, shown, thousands};
use crate::session::Session;
use crate::{exit_code, input};

#[derive(Serialize)]
struct Document<'a> {
    dry_run: bool,
    scope: &'a str,
    scope_created: bool,
    secrets: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    key: &'a str,
    action: &'static str,
}

pub(super) fn run(import: &Import, global: Global) -> Result<(), Failure> {
    let format = format(import)?;
    let (file, text) = input::text(import.file.as_deref())?;
    let read = Read::of(&file, &text, format)?;
    drop(text);
    let session = Session::open(global)?;
    let on_conflict = match (import.overwrite, import.skip_existing) {
        (true, _) => OnConflict::Overwrite,
        (false, true) => OnConflict::Skip,
        (false, false) => OnConflict::Fail,
    };
    let (store, scope) = (&session.store(), &import.scope);
    let new = scope_to_make(scope, &session)?;
    let imported = match import.dry_run {
        true => store.plan_import(&new.scope, &read.secrets, on_conflict),
        false => store.import(&new.scope, &read.secrets, on_conflict),
    };
    let imported = imported.map_err(|error| read.explain(error, &session))?;
    tell(import, &new, &imported, on_conflict, &session);
    let rows = imported.secrets.iter().map(|(name, action)| Row {
        key: name.as_str(),
        action: word(*action),
    });
    if import.json {
        return print_json(&Document {
            dry_run: import.dry_run,
            scope: scope.as_str(),
            scope_created: imported.scope_created,
            secrets: rows.collect(),
        });
    }
    match import.dry_run {
        true => print(
            &rows
                .map(|row| format!("{:8}{scope}/{}\n", row.action, row.key))
                .collect::<String>(),
        ),
        false => Ok(()),
    }
}

fn format(import: &Import) -> Result<Format, Failure> {
    let scope = import.scope.as_str();
    if import.file.is_none() && import.format.is_none() && is_file(scope) {
        return Err(Failure::new(format!(
            "{scope} is taken for the scope, and no file was given"
        ))
        .with_hint(format!("mcplexer import SCOPE {scope}"))
        .with_code(exit_code::USAGE));
    }
    if import.file.is_none() && io::stdin().is_terminal() {
        return Err(
            Failure::new("no file was given, and standard input is a terminal")
                .with_hint(format!("mcplexer import {} FILE", import.scope))
                .with_code(exit_code::USAGE),
        );
    }
    let of_path = || import.file.as_deref().and_then(Format::of_path);
    import.format.or_else(of_path).ok_or_else(|| {
        let what = match &import.file {
            Some(file) => format!("the name {} tells no format", shown(file)),
            None => "standard input has no name that tells a format".to_owned(),
        };
        Failure::new(what)
            .with_hint("--format dotenv, json, yaml or shell does")
            .with_code(exit_code::USAGE)
    })
}

/// Whether what is given as a scope is rather a file.
fn is_file(scope: &str) -> bool {
    let path = Path::new(scope);
    Format::of_path(path).is_some() || path.is_file()
}

/// The secrets of a file, and the line of each.
struct Read<'a> {
    file: &'a str,
    secrets: Vec<(SecretName, SecretValue)>,
    lines: Vec<usize>,
}

impl<'a> Read<'a> {
    fn of(file: &'a str, text: &[u8], format: Format) -> Result<Self, Failure> {
        let unfit = |error: ReadError| {
            Failure::new(format!("{file}, {error}"))
                .with_hint("nothing was imported; mcplexer help import tells what a file may have")
                .with_code(exit_code::USAGE)
        };
        let entries = exchange::read(text, format).map_err(unfit)?;
        if entries.is_empty() {
            return Err(Failure::new(format!("{file} has no secrets"))
                .with_hint(format!(
                    "it was read as {format}; --format names another format"
                ))
                .with_code(exit_code::USAGE));
        }
        let secrets = entries.iter().map(exchange::Entry::secret);
        Ok(Self {
            file,
            secrets: secrets.collect::<Result<_, _>>().map_err(unfit)?,
            lines: entries.iter().map(|entry| entry.line).collect(),
        })
    }

    /// Words a failure, with the line if a name is to blame.
    fn explain(&self, error: Error, session: &Session) -> Failure {
        let is_blamed = matches!(error, Error::InvalidName(_));
        let failure = session.explain(error);
        let names = self.secrets.iter().map(|(name, _)| name).zip(&self.lines);
        // It is the kind of the scope that refuses it: all of them are names.
        let mut refused = names.filter(|(name, _)| ScopeKind::Env.check(name).is_err());
        match refused.next().filter(|_| is_blamed) {
            // What stands where a name should may be the rest of a value.
            Some((_, line)) => failure.at(&format!("{}, line {line}", self.file)),
            None => failure,
        }
    }
}

fn word(action: ImportAction) -> &'static str {
    match action {
        ImportAction::Add => "add",
        ImportAction::Replace => "replace",
        ImportAction::Keep => "keep",
        ImportAction::Same => "same",
        _ => "",
    }
}

fn tell(
    import: &Import,
    new: &ScopeToMake,
    imported: &Imported,
    on_conflict: OnConflict,
    session: &Session,
) {
    let scope = &import.scope;
    if !import.dry_run {
        session.tell_created();
        if imported.scope_created {
            session.tell(&new.made());
        }
    }
    let parts = [
        (ImportAction::Add, "new"),
        (ImportAction::Replace, "replaced"),
        (ImportAction::Keep, "kept"),
        (ImportAction::Same, "the same"),
    ];
    let parts = parts.map(|(action, word)| (imported.count(action), word));
    let told: Vec<_> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{} {word}", thousands(number)))
        .collect();
    let replaced = imported.count(ImportAction::Replace);
    let stored = count(imported.count(ImportAction::Add) + replaced, "secret");
    let told = told.join(", ");
    session.tell(&match import.dry_run {
        true => format!("{stored} to be imported into {scope} ({told})"),
        false => format!("imported {stored} into {scope} ({told})"),
    });
    if import.dry_run && on_conflict == OnConflict::Fail && replaced > 0 {
        session.hint(
            "nothing is imported while values differ, but with --overwrite or --skip-existing",
        );
    }
}
