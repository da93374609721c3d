//! Variables in a configuration, which its client replaces.

use std::path::Path;

/// How a client writes the variables that it replaces in its configuration.
///
/// All of them count those that nothing else looks like: `${NAME}` (Claude Code, Cursor, Cline, Kiro, Amp),
/// `${input:name}` and `$input:name` (VS Code), `{env:NAME}` and `{file:path}` (opencode, Kilo Code), and
/// `{{NAME}}` (LibreChat, Continue). A client that does not replace one takes it as it is, which nobody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Variables {
    /// In braces.
    #[default]
    Braced,
    /// In braces, and `${NAME}` even in arguments, where programs replace it as well: Claude Code, Kiro, LibreChat,
    /// Amp, Factory.
    Named,
    /// In braces, or as `$NAME`: Gemini CLI, Qwen Code, Copilot CLI.
    Bare,
    /// In braces, as `$NAME` or as `$(command)`: Crush.
    Shell,
}

/// Which notation a file has, by a directory or a beginning of its name.
const OF_FILES: &[(Where, Variables)] = &[
    (Where::Named(".claude.json"), Variables::Named),
    (Where::Below(".kiro"), Variables::Named),
    (Where::Below("Kiro"), Variables::Named),
    (Where::Named("librechat."), Variables::Named),
    (Where::In("amp"), Variables::Named),
    (Where::In(".amp"), Variables::Named),
    (Where::In(".factory"), Variables::Named),
    (Where::In(".gemini"), Variables::Bare),
    (Where::In(".qwen"), Variables::Bare),
    (Where::In(".copilot"), Variables::Bare),
    (Where::In(".github"), Variables::Bare),
    (Where::Named("gemini"), Variables::Bare),
    (Where::Named("qwen"), Variables::Bare),
    (Where::Named("copilot"), Variables::Bare),
    (Where::Named("mcp-config"), Variables::Bare),
    // Qwen Code and Copilot CLI read it as well as Claude Code.
    (Where::Named(".mcp.json"), Variables::Bare),
    (Where::In("crush"), Variables::Shell),
    (Where::Named("crush"), Variables::Shell),
    (Where::Named(".crush"), Variables::Shell),
];

enum Where {
    /// The file is in a directory with this name.
    In(&'static str),
    /// A directory above the file has this name.
    Below(&'static str),
    /// The file's name begins with this.
    Named(&'static str),
}

impl Variables {
    /// Returns those of the client that a file belongs to, by the names of the file and its
    /// directory.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let directory = path.parent().and_then(Path::file_name);
        let name = path.file_name().unwrap_or_default();
        let is_it = |it: &&(Where, Self)| match it.0 {
            Where::In(expected) => directory.is_some_and(|it| it == expected),
            Where::Below(expected) => path.iter().any(|it| it == expected),
            Where::Named(start) => name.as_encoded_bytes().starts_with(start.as_bytes()),
        };
        OF_FILES.iter().find(is_it).map_or(Self::Braced, |it| it.1)
    }

    /// Returns whether the client would replace something in a value.
    pub(crate) fn are_in(self, value: &str) -> bool {
        let has = |open: &str, close: &str| {
            let after = value.split_once(open).map(|(_, rest)| rest);
            after.is_some_and(|rest| rest.contains(close))
        };
        let of_client = match self {
            Self::Braced | Self::Named => false,
            Self::Bare => has_bare(value),
            Self::Shell => has_bare(value) || has("$(", ")"),
        };
        of_client
            || has_braced(value)
            || has("{{", "}}")
            || has("{env:", "}")
            || has("{file:", "}")
            || value.contains("$input:")
    }

    /// Returns whether the client replaces `${NAME}` in an argument.
    pub(crate) fn are_named(self) -> bool {
        self != Self::Braced
    }

    /// Returns whether a value is one variable and nothing else.
    pub(crate) fn is_one(self, value: &str) -> bool {
        let name = value.strip_prefix('$').filter(|name| !name.is_empty());
        matches!(self, Self::Bare | Self::Shell)
            && name.is_some_and(|name| name.chars().all(is_in_a_name))
    }
}

fn has_braced(value: &str) -> bool {
    value.split("${").skip(1).any(|rest| {
        // `${{ secrets.NAME }}` is Continue's.
        let rest = rest.trim_start_matches(['{', ' ']);
        let name = rest.split_once('}').map_or("", |(name, _)| name);
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    })
}

fn has_bare(value: &str) -> bool {
    let mut after = value.split('$').skip(1);
    after.any(|rest| rest.starts_with(is_in_a_name))
}

fn is_in_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
