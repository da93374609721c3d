//! What can go wrong. No error repeats a value or any other text of a file.

use mcplexer_files::position::Position;
use mcplexer_secrets::{ScopeId, SecretName};

/// Why a file is not a configuration with MCP servers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// The file is not UTF-8.
    #[error("it is not UTF-8 text")]
    NotUtf8,
    /// The file does not parse.
    #[error("{position}: {problem}")]
    Syntax {
        /// Where parsing failed.
        position: Position,
        /// What is wrong there.
        problem: String,
    },
    /// The file has no member for servers.
    #[error("no MCP servers{}", or_credentials(.credentials))]
    NoServers {
        /// Where it has credentials.
        credentials: Vec<Position>,
    },
}

/// How many credentials a message names.
const MOST_PLACES: usize = 10;

fn or_credentials(credentials: &[Position]) -> String {
    match credentials {
        [] => " (looked for mcpServers, servers, context_servers, mcp_servers, mcp and extensions), and no credentials"
            .to_owned(),
        [only] => format!(", but a credential ({only})"),
        several => {
            let places: Vec<_> = several.iter().take(MOST_PLACES).map(Position::to_string).collect();
            let more = match several.len().saturating_sub(MOST_PLACES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!(", but {} credentials ({}{more})", several.len(), places.join("; "))
        }
    }
}

/// Why a configuration cannot be adopted, or an adoption cannot be undone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// Undoing would not restore the file to the byte, or a reference or its value is unusable.
    #[error("the file could not be put back as it was")]
    NotUndone,
    /// The server's scope and all its numbered variants hold other values.
    #[error("{scope} and all scopes numbered after it hold other values")]
    NoFreeScope {
        /// The scope named after the server.
        scope: ScopeId,
    },
    /// The store returned another value than the one just stored.
    #[error("{scope}/{name} does not come back as it was stored")]
    ReadBack {
        /// The secret's scope.
        scope: ScopeId,
        /// The secret's name.
        name: SecretName,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] mcplexer_secrets::Error),
}
