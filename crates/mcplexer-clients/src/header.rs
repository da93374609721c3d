//! Header fields that `mcp-remote` sends. It replaces `${NAME}` in them with a variable.

use std::ops::Range;

use crate::server::Server;

/// What stands before `mcp-remote` where it gets the variables of the server: not `docker`, and not a shell,
/// which would replace `${NAME}` itself.
const LAUNCHERS: [&str; 12] = [
    "bun", "bunx", "dlx", "exec", "mcplexer", "npm", "npx", "pnpm", "pnpx", "run", "x", "yarn",
];

/// A header field of `mcp-remote`, as `Authorization: Bearer …`.
pub(crate) struct Header {
    /// What is before the value, without the space behind the colon.
    pub(crate) start: Range<usize>,
    pub(crate) is_spaced: bool,
    pub(crate) value: Range<usize>,
}

impl Header {
    /// Returns the field that an argument is.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let colon = text.find(':')?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        let name = text.get(..colon)?;
        let start = 0..colon + 1;
        let rest = text.get(start.end..)?;
        let value = rest.strip_prefix(' ').unwrap_or(rest);
        let is_field = !name.is_empty() && name.chars().all(is_name);
        let is_plain = !value.is_empty() && value.trim() == value && !value.contains(['\n', '\r']);
        (is_field && is_plain).then(|| Self {
            is_spaced: value.len() < rest.len(),
            value: text.len() - value.len()..text.len(),
            start,
        })
    }

    /// Returns the argument with a variable in the place of the value. Some clients cut an argument at its spaces,
    /// so it has none.
    pub(crate) fn with_variable(&self, text: &str, name: &str) -> Option<String> {
        Some(format!(
            "{}{}",
            text.get(self.start.clone())?,
            variable(name)
        ))
    }
}

/// Returns a variable as `mcp-remote` reads it.
pub(crate) fn variable(name: &str) -> String {
    format!("${{{name}}}")
}

/// Returns whether the argument `before` another one says that it is a header field, and `mcp-remote` reads it.
pub(crate) fn is_for_mcp_remote(server: &Server, at: usize, before: &str) -> bool {
    let is_argument = |it: &&crate::server::Text| it.is_argument();
    let arguments = server.texts.iter().take(at).filter(is_argument);
    let arguments = arguments.filter_map(|it| it.value.as_deref());
    let program = server.launch.iter().filter_map(|it| it.program());
    let words = program.chain(arguments.map(String::as_str));
    let words = words.filter(|it| !it.starts_with('-')).map(file_name);
    let mut words = words.skip_while(|it| LAUNCHERS.contains(it));
    before == "--header" && words.next().is_some_and(is_mcp_remote)
}

fn is_mcp_remote(name: &str) -> bool {
    name == "mcp-remote" || name.starts_with("mcp-remote@")
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
