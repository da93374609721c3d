//! What was found in a configuration, and what happens to it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use mcplexer_clients::{Adoption, ClientConfig, Finding, Outcome, Place, Stays};
use mcplexer_files::reference::Reference;
use serde::Serialize;

use super::gateway::GatewayReport;
use crate::text::as_text;

/// A configuration file, and what adopting it did or would do.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct FileReport {
    /// The file.
    #[serde(serialize_with = "path_text")]
    pub file: PathBuf,
    /// The client that it belongs to, if it is in a usual place.
    pub client: Option<&'static str>,
    /// The number of servers in it.
    pub servers: usize,
    /// The number of credentials that move into the store.
    pub moved: usize,
    /// Whether the file was replaced.
    pub written: bool,
    /// Whether git tracks the file. Then it starts `mcplexer` from the `PATH`, as colleagues need it.
    pub tracked: bool,
    /// Every text that is or may be a credential, and each variable, in the order of the file.
    pub findings: Vec<FindingReport>,
    /// What goes behind the gateway, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayReport>,
    /// The number of credentials that stay in the file.
    #[serde(skip)]
    pub left: usize,
    /// Whether the file that was replaced has hard links, which keep the old text.
    #[serde(skip)]
    pub has_other_names: bool,
}

/// A text in a configuration, and what happens to it. Never the text itself.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct FindingReport {
    /// The server that it belongs to.
    pub server: String,
    /// The directory of the project that the server is for, in a file that has several.
    pub project: Option<String>,
    /// The part of the server's entry: `env`, `header`, `argument`, `url`, `env_file`, `member` or
    /// `elsewhere`.
    pub place: &'static str,
    /// The name of the variable, header or member, or the number of the argument.
    pub name: Option<String>,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// Why it is a credential, if it is one.
    pub reason: Option<String>,
    /// The scope that it moves to.
    pub scope: Option<String>,
    /// The name of the secret that it becomes.
    pub key: Option<String>,
    /// Why it stays, if it does.
    pub left: Option<Left>,
    /// Whether it moves, and other programs still see it while the server runs.
    pub visible: bool,
}

/// Why a text stays in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left(pub Stays);

impl FileReport {
    pub(super) fn of(path: &Path, config: &ClientConfig, adoption: &Adoption) -> Self {
        Self {
            file: path.to_owned(),
            client: None,
            servers: config.servers().len(),
            moved: adoption.moved(),
            written: false,
            tracked: false,
            findings: adoption.findings.iter().map(FindingReport::of).collect(),
            gateway: None,
            left: adoption.left(),
            has_other_names: false,
        }
    }

    /// Returns the number of servers whose credentials move.
    #[must_use]
    pub fn servers_moved(&self) -> usize {
        let moved = self.findings.iter().filter(|it| it.scope.is_some());
        let names = moved.map(|it| (&it.project, &it.server));
        names.collect::<BTreeSet<_>>().len()
    }
}

impl FindingReport {
    /// Returns whether its server has this name, as [`Server::is_named`](mcplexer_clients::Server::is_named) says.
    #[must_use]
    pub fn is_of(&self, server: &str) -> bool {
        let project = self.project.as_deref();
        let path = project.map(|project| format!("{project}/{}", self.server));
        self.server == server || project == Some(server) || path.as_deref() == Some(server)
    }

    pub(super) fn of(finding: &Finding) -> Self {
        let (place, name) = match &finding.place {
            Place::Env(name) => ("env", Some(name.clone())),
            Place::Header(name) => ("header", Some(name.clone())),
            Place::Argument(number) => ("argument", Some(number.to_string())),
            Place::Url => ("url", None),
            Place::EnvFile => ("env_file", None),
            Place::Member(name) => ("member", Some(name.clone())),
            _ => ("elsewhere", None),
        };
        let (scope, key, left) = match &finding.outcome {
            Outcome::Secret(it) => (Some(it.scope.to_string()), Some(it.name.to_string()), None),
            Outcome::Stays(stays) => (None, None, Some(Left(stays.clone()))),
            _ => (None, None, None),
        };
        Self {
            server: finding.server.clone(),
            project: finding.project.clone(),
            place,
            name,
            line: finding.position.line,
            column: finding.position.column,
            reason: finding.reason.map(|reason| reason.to_string()),
            scope,
            key,
            left,
            visible: finding.is_exposed,
        }
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Stays::NoCredential => "it does not look like a credential",
            Stays::Reference => "it is already in the store",
            Stays::Missing(reference) => {
                let Reference { scope, name } = reference;
                return write!(f, "it refers to {scope}/{name}, which does not exist");
            }
            Stays::Unresolved(_) => "the server does not start through mcplexer run",
            Stays::OtherStore => {
                "the server has a home of its own, where mcplexer looks for its store"
            }
            Stays::InvalidReference => "invalid reference; expected mcplexer://scope/KEY",
            Stays::NotChosen => "it was not chosen",
            Stays::Expanded => "the client replaces a variable in it",
            Stays::Argument => {
                "other programs can see arguments; use a variable, or adopt --allow-arguments"
            }
            Stays::Command => {
                "other programs can see arguments; give it to the server in a variable of its env instead"
            }
            Stays::SeveralInArgument => "there are several credentials in the argument",
            Stays::Header => "the client sends it itself; mcp-remote can take it from a variable",
            Stays::Url => {
                "the client connects itself; start mcp-remote through mcplexer run instead"
            }
            Stays::Member => "the client reads it itself, and not through mcplexer",
            Stays::Outside => "it is in no server; delete it if nothing reads it",
            Stays::NoCommand => "the server starts no command with its arguments in args",
            Stays::NoString => "it is not a string; put it in quotes",
            Stays::SeveralOfThisName => "there are several with this name",
            Stays::Name(error) => return error.fmt(f),
            Stays::TakesOver(does) => return write!(f, "the variable {does}"),
            Stays::Shared => "an alias elsewhere in the file refers to it",
            Stays::SharedCommand => "an alias elsewhere in the file refers to its command",
            Stays::OtherHome => {
                "the server has a HOME of its own, where mcplexer would look for its store"
            }
            Stays::OtherFile => "the client reads variables from that file",
            Stays::Value => "an environment cannot hold it",
            Stays::Escapes => "its escapes could not be put back",
            _ => "",
        })
    }
}

impl Serialize for Left {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        as_text(self, to)
    }
}

pub(super) fn path_text<S: serde::Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    as_text(&path.display(), to)
}
