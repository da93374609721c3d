//! Keeps commands that print values from printing them to a coding agent by mistake.
//!
//! An agent marks the environment of the commands it runs. The npm packages `@vercel/detect-agent` and
//! `std-env` use the same variables. Variables that a person's own shell may have, such as those of an
//! editor's terminal, do not count.

use std::env;

use crate::exit_code;
use crate::failure::Failure;

/// A variable, its required value (`None`: any), and the agent that sets it.
const SIGNS: [(&str, Option<&str>, &str); 22] = [
    ("AI_AGENT", None, "a coding agent"),
    ("AGENT", Some("amp"), "Amp"),
    ("AGENT", Some("goose"), "Goose"),
    ("ANTIGRAVITY_AGENT", None, "Antigravity"),
    ("AUGMENT_AGENT", None, "Auggie"),
    ("CLAUDECODE", None, "Claude Code"),
    ("CLAUDE_CODE", None, "Claude Code"),
    ("CLINE_ACTIVE", None, "Cline"),
    ("CODEX_CI", None, "Codex"),
    ("CODEX_SANDBOX", None, "Codex"),
    ("CODEX_THREAD_ID", None, "Codex"),
    ("COPILOT_AGENT", None, "Copilot"),
    ("COPILOT_CLI", None, "Copilot"),
    ("CURSOR_AGENT", None, "Cursor"),
    ("CURSOR_EXTENSION_HOST_ROLE", Some("agent-exec"), "Cursor"),
    ("GEMINI_CLI", None, "Gemini CLI"),
    ("GOOSE_TERMINAL", None, "Goose"),
    ("JUNIE_DATA", None, "Junie"),
    ("JUNIE_SHIM_PATH", None, "Junie"),
    ("OPENCODE", None, "opencode"),
    ("OPENCODE_CLIENT", None, "opencode"),
    ("QWEN_CODE", None, "Qwen Code"),
];

/// Fails if a coding agent is running the command, unless `reveal` is set.
///
/// # Errors
///
/// A failure whose hint suggests what to do `instead`.
pub(crate) fn guard(reveal: bool, instead: &str) -> Result<(), Failure> {
    let Some((variable, agent)) = agent().filter(|_| !reveal) else {
        return Ok(());
    };
    Err(Failure::new(format!(
        "{agent} is running this command ({variable} is set) and would read what it prints"
    ))
    .with_hint(instead)
    .with_hint("--reveal prints it anyway")
    .with_code(exit_code::DECLINED))
}

/// Finds the agent that is running this command, and the variable that shows it.
fn agent() -> Option<(&'static str, &'static str)> {
    let is_set = |variable: &str, expected: Option<&str>| {
        env::var_os(variable).is_some_and(|value| match expected {
            Some(expected) => value == expected,
            None => !value.is_empty() && value != "0" && value != "false",
        })
    };
    let mut signs = SIGNS.iter();
    let found = signs.find(|(variable, expected, _)| is_set(variable, *expected));
    found.map(|&(variable, _, agent)| (variable, agent))
}
