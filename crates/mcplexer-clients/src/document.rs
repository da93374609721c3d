//! Parsing a file, in any syntax, into a tree.

use mcplexer_files::position::Position;

use crate::error::InvalidConfig;
use crate::node::Node;
use crate::syntax::Syntax;

mod json;
mod toml;
mod yaml;

/// Parses a text. An empty text is an empty document.
pub(crate) fn parse(text: &str, syntax: Syntax) -> Result<Node, InvalidConfig> {
    let parsed = match syntax {
        Syntax::Json => json::parse(text),
        Syntax::Toml => toml::parse(text),
        Syntax::Yaml => yaml::parse(text),
    };
    parsed.map_err(|(at, problem)| InvalidConfig::Syntax {
        position: Position::in_text(text.as_bytes(), at),
        problem,
    })
}
