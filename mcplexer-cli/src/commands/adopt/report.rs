//! What was found in a configuration, as a table and as JSON.

use mcplexer_clients::{Adoption, Finding, Outcome, Place, Stays};
use serde::Serialize;

use super::client_file::ClientFile;
use crate::output::{self, sanitized};

/// A row for each finding: server, place, what it is taken for, and what becomes of it.
pub(super) fn table(adoption: &Adoption) -> String {
    let rows = adoption.findings.iter().map(|finding| {
        let reason = match (finding.reason, &finding.outcome) {
            (Some(reason), _) => reason.to_string(),
            (None, Outcome::Stays(Stays::Reference)) => "a secret".to_owned(),
            (None, _) => "not a credential".to_owned(),
        };
        let becomes = match &finding.outcome {
            Outcome::Secret(reference) => format!("→ {}/{}", reference.scope, reference.name),
            Outcome::Stays(Stays::NoCredential) => "left as it is".to_owned(),
            Outcome::Stays(stays) => format!("left as it is: {}", why(stays)),
            _ => String::new(),
        };
        let server = match finding.place {
            Place::Elsewhere => format!("line {}", finding.position.line),
            _ => sanitized(&finding.server),
        };
        vec![server, sanitized(&finding.place), reason, becomes]
    });
    output::table(&rows.collect::<Vec<_>>())
}

fn why(stays: &Stays) -> String {
    match stays {
        Stays::NoCredential => "it does not look like a credential".to_owned(),
        Stays::Reference => "it refers to a secret already".to_owned(),
        Stays::NotChosen => "it was not chosen".to_owned(),
        Stays::Expanded => "the client replaces a variable in it".to_owned(),
        Stays::NotEnvironment => "mcplexer run gives secrets in the environment only".to_owned(),
        Stays::NoCommand => "the server starts no command with its arguments in args".to_owned(),
        Stays::NoString => "it is no string; put it in quotes".to_owned(),
        Stays::SeveralOfThisName => "there are several of this name".to_owned(),
        Stays::Name(error) => sanitized(error),
        Stays::Value => "an environment cannot hold it".to_owned(),
        Stays::Escapes => "it is written with escapes that could not be put back".to_owned(),
        _ => String::new(),
    }
}

#[derive(Serialize)]
pub(super) struct Document {
    files: Vec<FileReport>,
}

impl Document {
    pub(super) fn of(files: Vec<FileReport>) -> Self {
        Self { files }
    }
}

#[derive(Serialize)]
pub(super) struct FileReport {
    file: String,
    client: Option<&'static str>,
    servers: usize,
    moved: usize,
    written: bool,
    findings: Vec<FindingReport>,
}

#[derive(Serialize)]
struct FindingReport {
    server: String,
    place: &'static str,
    name: Option<String>,
    line: usize,
    column: usize,
    reason: Option<String>,
    scope: Option<String>,
    key: Option<String>,
    left: Option<String>,
}

impl ClientFile {
    pub(super) fn report(
        &self,
        client: Option<&'static str>,
        adoption: &Adoption,
        written: bool,
    ) -> FileReport {
        FileReport {
            file: self.path.clone(),
            client,
            servers: self.config.servers().len(),
            moved: adoption.moved(),
            written,
            findings: adoption.findings.iter().map(FindingReport::of).collect(),
        }
    }
}

impl FindingReport {
    fn of(finding: &Finding) -> Self {
        let (place, name) = match &finding.place {
            Place::Env(name) => ("env", Some(name.clone())),
            Place::Header(name) => ("header", Some(name.clone())),
            Place::Argument(number) => ("argument", Some(number.to_string())),
            Place::Url => ("url", None),
            Place::Member(name) => ("member", Some(name.clone())),
            Place::Elsewhere => ("elsewhere", None),
            _ => ("", None),
        };
        let (scope, key, left) = match &finding.outcome {
            Outcome::Secret(it) => (Some(it.scope.to_string()), Some(it.name.to_string()), None),
            Outcome::Stays(stays) => (None, None, Some(why(stays))),
            _ => (None, None, None),
        };
        Self {
            server: finding.server.clone(),
            place,
            name,
            line: finding.position.line,
            column: finding.position.column,
            reason: finding.reason.map(|reason| reason.to_string()),
            scope,
            key,
            left,
        }
    }
}
