//! `config.yaml`: which scopes there are, by id, name and kind, and which tool servers. It never holds a value.
//!
//! ```yaml
//! servers:
//!   github:
//!     command: [npx, "-y", "@modelcontextprotocol/server-github"]
//!     env:
//!       GITHUB_TOKEN: mcplexer://github-token/TOKEN
//! auth_scopes:
//!   - id: github-token
//!     name: GitHub Token
//!     type: env
//!     redaction_hints: [SESSION]
//!     keep_versions: 10
//! ```
//!
//! The file is YAML 1.2 without anchors, aliases, merge keys and tags. [`parse`] reads it and reports
//! everything that is wrong with it, each problem with its place. Whatever looks like a credential is
//! refused, in comments as well, and no message repeats anything of the file. The `Display` of [`Config`]
//! writes such a file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use mcplexer_secrets::{
    DEFAULT_KEEP_VERSIONS, NewScope, ScopeId, ScopeInfo, ScopeKind, SecretName,
};

use crate::position::Position;
use crate::yaml;

mod check;
mod credentials;
mod edit;
mod field;
mod notation;
mod problem;
mod project;
mod server;
mod server_fields;
mod waiting;
mod write;

pub use edit::{EditError, with_server, without_server};
pub use problem::{Problem, SecretPlace};
pub use project::{Profile, Project, parse_project, project_schema};
pub use server::{
    Auth, Client, Http, InvalidServerName, MAX_SERVER_NAME_LEN, MAX_TOOL_NAME, SearchPath, Server,
    ServerName, Start, Stdio, Timeouts, Transport,
};

/// The longest file, in bytes.
pub const MAX_CONFIG_LEN: usize = 1 << 20;

/// The most problems that [`parse`] reports.
const MAX_PROBLEMS: usize = 100;

/// The scopes and servers that a file names.
///
/// Read it with [`parse`], which checks more than the types do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The scopes, each with an id of its own; `None` if the file is about servers alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_scopes: Option<Vec<AuthScope>>,
    /// The tool servers, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: BTreeMap<ServerName, Server>,
    /// The clients, by name: which servers they see. A client that is not here sees all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clients: BTreeMap<ServerName, Client>,
}

/// A scope: secrets that a tool server gets together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthScope {
    /// The id, which commands use.
    pub id: ScopeId,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How the secrets reach a tool server.
    #[serde(default, rename = "type")]
    pub kind: ScopeKind,
    /// Names of variables and fields that carry a credential though their names do not say so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redaction_hints: Vec<SecretName>,
    /// How many earlier versions of each secret to keep.
    #[serde(
        default = "default_keep_versions",
        skip_serializing_if = "is_default_keep_versions"
    )]
    pub keep_versions: u8,
}

fn default_keep_versions() -> u8 {
    DEFAULT_KEEP_VERSIONS
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_default_keep_versions(number: &u8) -> bool {
    *number == DEFAULT_KEEP_VERSIONS
}

/// Reads a configuration.
///
/// # Errors
/// Everything that is wrong with the file, in the order of the file; at most 100 problems.
pub fn parse(bytes: &[u8]) -> Result<Config, Vec<Problem>> {
    read(bytes, &field::CONFIG, |_| true)
}

/// Reads the scopes of a configuration. What is wrong with its servers and clients does not matter: somebody who stores
/// a value that stands there has to be able to.
///
/// # Errors
/// Everything else that is wrong with the file, as [`parse`] reports it.
pub fn parse_scopes(bytes: &[u8]) -> Result<Vec<AuthScope>, Vec<Problem>> {
    let scopes: Scopes = read(bytes, &field::CONFIG, |problem| {
        let mut others = ["servers", "clients"].iter();
        !others.any(|it| problem.path.starts_with(it))
    })?;
    Ok(scopes.auth_scopes)
}

#[derive(Deserialize)]
struct Scopes {
    #[serde(default)]
    auth_scopes: Vec<AuthScope>,
}

/// Reads a file if it has none of the problems that matter.
fn read<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    kind: &'static field::Kind,
    matters: fn(&Problem) -> bool,
) -> Result<T, Vec<Problem>> {
    let problem = |at, message: String| vec![Problem::new(at, "", message)];
    if bytes.len() > MAX_CONFIG_LEN {
        let message = "the file is longer than 1 MiB";
        return Err(problem(Position::START, message.to_owned()));
    }
    let file = str::from_utf8(bytes).map_err(|error| {
        let at = Position::in_text(bytes, error.valid_up_to());
        problem(at, "not UTF-8 text".to_owned())
    })?;
    let mut problems = check::check(file, kind);
    problems.retain(matters);
    if problems.is_empty() {
        return yaml::parse(file).map_err(|error| problem(error.position, error.problem));
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems.truncate(MAX_PROBLEMS);
    Err(problems)
}

/// Returns whether nothing is in a file but comments. [`parse`] reports such a file, since it may be one that was cut
/// off.
#[must_use]
pub fn is_blank(bytes: &[u8]) -> bool {
    let text = str::from_utf8(bytes).ok();
    let text = text.map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
    text.is_some_and(|text| {
        let mut lines = text.lines().map(str::trim_start);
        lines.all(|line| line.is_empty() || line.starts_with('#'))
    })
}

/// Returns the JSON Schema (draft 2020-12) of the file, for editors.
#[must_use]
pub fn schema() -> String {
    include_str!("config/schema.json").to_owned()
}

impl Config {
    /// Returns the scopes as a store takes them.
    #[must_use]
    pub fn scopes(&self) -> Vec<NewScope> {
        let scopes = self.auth_scopes.iter().flatten();
        scopes.map(NewScope::from).collect()
    }
}

impl From<&AuthScope> for NewScope {
    fn from(scope: &AuthScope) -> Self {
        Self {
            id: scope.id.clone(),
            kind: scope.kind,
            display_name: scope.name.clone(),
            redaction_hints: scope.redaction_hints.clone(),
            keep_versions: scope.keep_versions,
        }
    }
}

impl From<ScopeInfo> for AuthScope {
    fn from(scope: ScopeInfo) -> Self {
        Self {
            id: scope.id,
            name: scope.display_name,
            kind: scope.kind,
            redaction_hints: scope.redaction_hints,
            keep_versions: scope.keep_versions,
        }
    }
}
