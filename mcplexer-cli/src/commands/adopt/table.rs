//! The findings in a configuration, as a table.

use std::collections::BTreeSet;

use mcplexer_clients::Stays;
use mcplexer_files::reference::Reference;
use mcplexer_home::adoption::{FileReport, FindingReport, Left};

use crate::table::{Screen, fitting};
use crate::text::{sanitized, shortened};

/// Returns the table, with a row for each finding: server, place, why it is a credential, and what
/// happens to it.
pub(super) fn of(report: &FileReport) -> String {
    let screen = Screen::stdout();
    let rows = report.findings.iter();
    let rows: Vec<_> = rows.map(|it| row(it, screen.is_narrow())).collect();
    let mut text = fitting(&rows);
    if screen.is_narrow() {
        let left = report.findings.iter().filter_map(|it| it.left.as_ref());
        let reasons = left.filter_map(|it| Some(format!("{}: {}", short(it)?, sanitized(it))));
        let reasons: BTreeSet<_> = reasons.collect();
        text.extend(reasons.iter().map(|it| screen.lines(it)));
    }
    text
}

/// Returns the word for why a text stays, for a narrow table. `None` if the row says it already.
fn short(left: &Left) -> Option<&'static str> {
    Some(match &left.0 {
        Stays::NoCredential | Stays::Reference | Stays::Missing(_) => return None,
        Stays::Argument | Stays::Command | Stays::SeveralInArgument => "argument",
        Stays::Header => "header",
        Stays::Url => "URL",
        Stays::Member => "member",
        Stays::Outside => "outside",
        Stays::NoCommand => "no command",
        Stays::NoString => "no string",
        Stays::NotChosen => "not chosen",
        Stays::Expanded | Stays::TakesOver(_) => "variable",
        Stays::SeveralOfThisName | Stays::Name(_) => "name",
        Stays::Shared | Stays::SharedCommand => "alias",
        Stays::OtherStore | Stays::OtherHome => "other home",
        Stays::OtherFile => "other file",
        Stays::Value => "value",
        Stays::Escapes => "escapes",
        _ => "reference",
    })
}

fn row(finding: &FindingReport, is_narrow: bool) -> Vec<String> {
    let left = finding.left.as_ref().map(|Left(stays)| stays);
    let reason = match (&finding.reason, left) {
        (Some(reason), _) => reason.clone(),
        (None, Some(Stays::Reference)) => "already in the store".to_owned(),
        (None, Some(Stays::Missing(Reference { scope, name }))) => {
            format!("refers to {scope}/{name}, which does not exist")
        }
        (None, Some(Stays::Unresolved(Reference { scope, name }))) => {
            format!("refers to {scope}/{name}")
        }
        (None, Some(Stays::OtherStore | Stays::InvalidReference)) => "reference".to_owned(),
        (None, Some(Stays::OtherFile)) => "variables".to_owned(),
        (None, _) => "not a credential".to_owned(),
    };
    let becomes = match (&finding.scope, &finding.key, &finding.left) {
        (Some(scope), Some(key), _) if finding.visible && !is_narrow => {
            format!("→ {scope}/{key}, visible to others while the server runs")
        }
        (Some(scope), Some(key), _) => format!("→ {scope}/{key}"),
        (_, _, Some(Left(Stays::NoCredential | Stays::Reference | Stays::Missing(_)))) => {
            "kept".to_owned()
        }
        (_, _, Some(left)) => match short(left).filter(|_| is_narrow) {
            Some(word) => format!("kept: {word}"),
            None => format!("kept: {}", sanitized(left)),
        },
        _ => String::new(),
    };
    vec![server(finding), sanitized(place(finding)), reason, becomes]
}

fn server(finding: &FindingReport) -> String {
    match finding.place {
        "elsewhere" => format!("line {}", finding.line),
        _ => match &finding.project {
            Some(project) => format!("{} ({})", sanitized(&finding.server), shortened(project)),
            None => sanitized(&finding.server),
        },
    }
}

fn place(finding: &FindingReport) -> String {
    match (finding.place, &finding.name) {
        ("member", Some(name)) => name.clone(),
        ("env_file", _) => "envFile".to_owned(),
        (place, Some(name)) => format!("{place} {name}"),
        (place, None) => place.to_owned(),
    }
}
