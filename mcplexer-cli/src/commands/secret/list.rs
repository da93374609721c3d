use mcplexer_home::find::{self, FoundList, FoundRow, Pattern};
use mcplexer_home::scopes::{self, SecretRow};
use mcplexer_secrets::{ScopeId, Timestamp};

use crate::cli::Global;
use crate::clock::Clock;
use crate::exit_code;
use crate::failure::{Failure, repeated};
use crate::output::{print, print_json, stdout_is_terminal};
use crate::session::Session;
use crate::table::{headed, named};
use crate::text::{self, Ago, sanitized};

pub(super) fn run(
    scope: &ScopeId,
    long: Option<&Clock>,
    json: bool,
    global: Global,
) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let report = scopes::secrets(scope, &session).map_err(|error| session.explain(error))?;
    if json {
        return print_json(&report);
    }
    if long.is_none() && !stdout_is_terminal() {
        let names = report.secrets.iter().map(|secret| &secret.name);
        return print(&text::lines(names));
    }
    if report.secrets.is_empty() {
        session.tell(&format!("scope {scope} has no secrets"));
        return Ok(());
    }
    print(&match long {
        Some(clock) => long_table(&report.secrets, clock),
        None => table(&report.secrets),
    })
}

/// Lists the secrets of all scopes.
pub(super) fn all(long: Option<&Clock>, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let report = find::all(&session).map_err(|error| session.explain(error))?;
    if report.secrets.is_empty() && !json {
        session.tell(&match session.has_store() {
            true => "the store has no secrets".to_owned(),
            false => session.no_store(),
        });
        return Ok(());
    }
    print_all(&report, long, json)
}

/// Lists the secrets of all scopes that match a pattern.
pub(super) fn find(
    pattern: &str,
    long: Option<&Clock>,
    json: bool,
    global: Global,
) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let report = find::find(&Pattern::new(pattern), &session);
    let report = report.map_err(|error| session.explain(error))?;
    if json {
        print_all(&report, long, json)?;
    }
    if report.secrets.is_empty() {
        let pattern = repeated(pattern, "the pattern");
        return Err(Failure::new(format!("no secret matches {pattern}"))
            .with_hint("mcplexer secret list --all lists all secrets")
            .with_code(exit_code::NOT_FOUND));
    }
    match json {
        true => Ok(()),
        false => print_all(&report, long, json),
    }
}

fn print_all(report: &FoundList, long: Option<&Clock>, json: bool) -> Result<(), Failure> {
    if json {
        return print_json(report);
    }
    if long.is_none() && !stdout_is_terminal() {
        return print(&text::lines(report.secrets.iter().map(FoundRow::place)));
    }
    let rows = report.secrets.iter().map(|it| (it.place(), &it.secret));
    print(&match long {
        Some(clock) => long_rows("SECRET", rows, clock),
        None => short_rows("SECRET", rows),
    })
}

/// Lists the secrets of a scope, or of all scopes, that expire or are to be rotated by a time.
pub(super) fn expiring(
    scope: Option<&ScopeId>,
    by: Timestamp,
    json: bool,
    global: Global,
) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let report = scopes::due(scope, by, &session).map_err(|error| session.explain(error))?;
    if json {
        return print_json(&report);
    }
    if report.secrets.is_empty() {
        let by = text::date(by);
        session.tell(&format!("nothing expires or is to be rotated by {by}"));
        return Ok(());
    }
    let header = ["SECRET", "EXPIRES", "ROTATE BY"];
    let rows = report.secrets.iter().map(|secret| {
        vec![
            format!("{}/{}", secret.scope, secret.secret.name),
            date(secret.secret.expires),
            date(secret.secret.rotate_by),
        ]
    });
    print(&headed(header, &rows.collect::<Vec<_>>()))
}

/// Returns a table of secrets with what is said about them.
fn long_table(secrets: &[SecretRow], clock: &Clock) -> String {
    let rows = secrets.iter().map(|it| (it.name.to_string(), it));
    long_rows("KEY", rows, clock)
}

fn long_rows<'a>(
    first: &str,
    secrets: impl IntoIterator<Item = (String, &'a SecretRow)>,
    clock: &Clock,
) -> String {
    let header = [first, "VERSION", "STORED", "EXPIRES", "ROTATE BY", "NOTE"];
    let rows = secrets.into_iter().map(|(name, secret)| {
        vec![
            name,
            secret.version.to_string(),
            clock.date(secret.updated),
            date(secret.expires),
            date(secret.rotate_by),
            secret.note.as_ref().map_or_else(String::new, sanitized),
        ]
    });
    named(header, &rows.collect::<Vec<_>>())
}

/// Formats a day that was chosen, which is one in UTC wherever it is read.
fn date(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), text::date)
}

/// Returns a table of secrets, for people.
pub(in crate::commands) fn table(secrets: &[SecretRow]) -> String {
    short_rows("KEY", secrets.iter().map(|it| (it.name.to_string(), it)))
}

fn short_rows<'a>(
    first: &str,
    secrets: impl IntoIterator<Item = (String, &'a SecretRow)>,
) -> String {
    let rows = secrets.into_iter().map(|(name, secret)| {
        vec![
            name,
            secret.version.to_string(),
            Ago(secret.updated).to_string(),
        ]
    });
    let header = [first, "VERSION", "UPDATED"];
    headed(header, &rows.collect::<Vec<_>>())
}
