//! The findings in a configuration, as a table.

use mcplexer_clients::Stays;
use mcplexer_files::reference::Reference;
use mcplexer_home::adoption::{FileReport, FindingReport, Left};

use crate::table::fitting;
use crate::text::{sanitized, shortened};

/// Returns the table, with a row for each finding: server, place, why it is a credential, and what
/// happens to it.
pub(super) fn of(report: &FileReport) -> String {
    let rows: Vec<_> = report.findings.iter().map(row).collect();
    fitting(&rows)
}

fn row(finding: &FindingReport) -> Vec<String> {
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
        (Some(scope), Some(key), _) if finding.visible => {
            format!("→ {scope}/{key}, visible to others while the server runs")
        }
        (Some(scope), Some(key), _) => format!("→ {scope}/{key}"),
        (_, _, Some(Left(Stays::NoCredential | Stays::Reference | Stays::Missing(_)))) => {
            "kept".to_owned()
        }
        (_, _, Some(left)) => format!("kept: {}", sanitized(left)),
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
