//! `mcplexer scan`

mod document;
mod sarif;
mod shapes;
mod values;

use mcplexer_home::Home;

use crate::cli::{Global, Scan, ScanFormat};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::progress::Waiting;
use crate::scan::{Finding, Report, Search, search_files, search_staged};
use crate::stderr::say_error;
use crate::text::{sanitized, shortened};

use document::Document;
use sarif::sarif;

pub(super) fn run(scan: &Scan, global: Global) -> Result<(), Failure> {
    match scan.shapes {
        true => shapes::run(scan, global),
        false => values::run(scan, global),
    }
}

/// What the findings are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Values of the store, by `SCOPE/KEY`.
    Values,
    /// Credentials by their shape; so many were accepted.
    Shapes { accepted: usize },
}

/// Searches what the arguments name.
fn searched(scan: &Scan, search: Search, global: Global) -> Result<Report, Failure> {
    let _waiting = Waiting::new("searching", global);
    match scan.staged {
        true => Ok(search_staged(search)?),
        false => {
            // The key file there has the shape of one, and is where it belongs.
            let home = Home::from_env().ok().filter(|_| scan.shapes);
            let left_out = home.as_ref().map(Home::directory);
            Ok(search_files(&search, &scan.paths, scan.no_ignore, left_out))
        }
    }
}

/// Prints what was found.
fn show(report: &Report, format: ScanFormat, kind: Kind) -> Result<(), Failure> {
    match format {
        ScanFormat::Json => print_json(&Document::of(report, kind)?),
        ScanFormat::Sarif => print_json(&sarif(report, kind)),
        ScanFormat::Text => print(&report.findings.iter().map(line(kind)).collect::<String>()),
    }
}

fn line(kind: Kind) -> impl Fn(&Finding) -> String {
    move |it| {
        let label = &it.place.label;
        let label = match kind {
            Kind::Values => label.to_string(),
            Kind::Shapes { .. } => rule(label),
        };
        let file = sanitized(it.file.display());
        format!("{file}:{}: {label}\n", it.place.line)
    }
}

/// Returns the name of a rule: `github-token` for the kind `GitHub token`.
fn rule(kind: &str) -> String {
    kind.to_lowercase()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

fn outcome(report: &Report) -> String {
    match report.findings.len() {
        0 if !report.unread.is_empty() => "no match, but not everything could be read".to_owned(),
        0 => "no match".to_owned(),
        1 => "1 match".to_owned(),
        found => format!("{found} matches"),
    }
}

/// Prints which files could not be read. Fails if there are any, or if something was found, after `advise`.
fn result(report: &Report, advise: impl FnOnce()) -> Result<(), Failure> {
    let whole = check_unread(report);
    if !report.findings.is_empty() {
        advise();
        return Err(Failure::silent(exit_code::FOUND));
    }
    whole
}

/// Prints which files could not be read. Fails if there are any.
fn check_unread(report: &Report) -> Result<(), Failure> {
    for unread in &report.unread {
        say_error(&format!("cannot read {}", shortened(unread)));
    }
    match report.unread.is_empty() {
        true => Ok(()),
        false => Err(Failure::silent(exit_code::FAILURE)),
    }
}
