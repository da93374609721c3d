//! `config.yaml`: which scopes there are, by id, name and kind. It never holds a value.
//!
//! ```yaml
//! auth_scopes:
//!   - id: github-token
//!     name: GitHub Token
//!     type: env
//!     redaction_hints: [SESSION]
//! ```
//!
//! The file is YAML 1.2 without anchors, aliases, tags and directives. [`parse`] reads it and says
//! everything that is wrong with it, each with its place; [`Config`] is displayed as such a file.
//! What looks like a credential is refused wherever it stands, in comments as well, and no message
//! repeats anything of the file.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use mcplexer_secrets::{NewScope, ScopeId, ScopeInfo, ScopeKind, SecretName};

mod credentials;
mod field;
mod problem;
mod read;
mod tree;
mod write;

pub use problem::{Problem, SecretPlace};

/// Longest file, in bytes.
pub const MAX_CONFIG_LEN: usize = 1 << 20;

/// The scopes of mcplexer, by name and kind; never a value: `mcplexer secret put` takes those.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "config.yaml of mcplexer")]
pub struct Config {
    /// The scopes, each with an id of its own.
    pub auth_scopes: Vec<AuthScope>,
}

/// A scope: secrets that a tool server gets together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthScope {
    /// What it is called in commands.
    #[schemars(with = "String", regex(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$"))]
    pub id: ScopeId,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "String",
        length(min = 1, max = 128),
        regex(pattern = "^\\P{Cc}*$")
    )]
    pub name: Option<String>,
    /// How its secrets reach a tool server.
    #[serde(default, rename = "type")]
    #[schemars(with = "Kind")]
    pub kind: ScopeKind,
    /// Names of variables and fields that carry a credential though their names do not say so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Hint>", length(max = 64))]
    pub redaction_hints: Vec<SecretName>,
}

/// [`ScopeKind`] as the schema shows it.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
enum Kind {
    /// As environment variables.
    Env,
    /// As HTTP header fields.
    Header,
    /// As a bearer token: the one called ACCESS_TOKEN.
    OAuth2,
}

/// The name of a variable or field.
#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its schema is used")]
struct Hint(
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
    )]
    String,
);

/// Reads a configuration.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file; at most 100 problems.
pub fn parse(bytes: &[u8]) -> Result<Config, Vec<Problem>> {
    read::parse(bytes)
}

/// The JSON Schema (draft 2020-12) of the file, for editors.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Config);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

impl Config {
    /// The scopes as a store takes them.
    #[must_use]
    pub fn scopes(&self) -> Vec<NewScope> {
        self.auth_scopes.iter().map(NewScope::from).collect()
    }
}

impl From<&AuthScope> for NewScope {
    fn from(scope: &AuthScope) -> Self {
        Self {
            id: scope.id.clone(),
            kind: scope.kind,
            display_name: scope.name.clone(),
            redaction_hints: scope.redaction_hints.clone(),
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
        }
    }
}

impl fmt::Display for Config {
    /// The file. What [`parse`] makes of it is this again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write::config(self, f)
    }
}
