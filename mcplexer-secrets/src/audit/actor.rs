use std::borrow::Cow;

/// The maximum length of a text about an actor in a line, in characters.
const MAX_LEN: usize = 64;
/// The maximum length of a tool's name: the Model Context Protocol allows 128 characters.
const MAX_TOOL_LEN: usize = 128;
/// The maximum length of the text that says what a secret is used for.
const MAX_USE_LEN: usize = 128;

/// Who does an operation: a process, and the client for which it acts.
///
/// Any text is accepted. A line of a log contains it without control characters, and cut to a
/// maximum length: 128 characters for `tool`, 64 for the others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Actor {
    /// The user id of the process.
    pub uid: u32,
    /// Its process id.
    pub pid: u32,
    /// The file name of its program.
    pub program: String,
    /// The client of a gateway that asked for it.
    pub client: Option<String>,
    /// The session of that client.
    pub session: Option<String>,
    /// The tool that was called.
    pub tool: Option<String>,
}

impl Actor {
    /// Returns this process, acting on its own behalf.
    #[must_use]
    pub fn this_process() -> Self {
        let program = std::env::current_exe().ok();
        let program = program.as_deref().and_then(|path| path.file_name());
        Self {
            uid: rustix::process::getuid().as_raw(),
            pid: std::process::id(),
            program: program.map_or_else(String::new, |name| name.to_string_lossy().into()),
            client: None,
            session: None,
            tool: None,
        }
    }

    /// Sets the client for which the process acts.
    #[must_use]
    pub fn with_client(mut self, client: impl Into<String>) -> Self {
        self.client = Some(client.into());
        self
    }

    /// Sets the client's session.
    #[must_use]
    pub fn with_session(mut self, session: impl Into<String>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// Sets the tool that is called.
    #[must_use]
    pub fn with_tool(mut self, tool: impl Into<String>) -> Self {
        self.tool = Some(tool.into());
        self
    }
}

impl Default for Actor {
    fn default() -> Self {
        Self::this_process()
    }
}

pub(super) fn bounded(text: &str) -> Cow<'_, str> {
    cut(text, MAX_LEN)
}

pub(super) fn bounded_tool(text: &str) -> Cow<'_, str> {
    cut(text, MAX_TOOL_LEN)
}

pub(super) fn bounded_use(text: &str) -> Cow<'_, str> {
    cut(text, MAX_USE_LEN)
}

/// Returns the text as a line contains it. A control character would take six bytes there, and
/// could steer a terminal.
fn cut(text: &str, len: usize) -> Cow<'_, str> {
    if text.len() <= len && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let printable = text.chars().map(|character| match character.is_control() {
        true => char::REPLACEMENT_CHARACTER,
        false => character,
    });
    printable.take(len).collect()
}
