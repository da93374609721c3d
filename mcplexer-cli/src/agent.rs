//! Keeps commands that print values from printing them to a coding agent by mistake.
//!
//! An agent marks the environment of the commands it runs.

mod signs;

use std::env;
use std::fmt;

use self::signs::{SIGNS, Sign};
use crate::exit_code;
use crate::failure::Failure;

/// The coding agent that is running this command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Agent(Sign);

impl Agent {
    /// Finds the agent that is running this command, if it is one.
    pub(crate) fn running() -> Option<Self> {
        let is_set = |sign: &&Sign| {
            env::var_os(sign.variable).is_some_and(|value| match sign.value {
                Some(expected) => value == expected,
                None => !value.is_empty() && value != "0" && value != "false",
            })
        };
        SIGNS.iter().find(is_set).copied().map(Self)
    }

    /// Returns what tells that the agent is running this command: `… (CLAUDECODE is set)`.
    pub(crate) fn evidence(self) -> String {
        format!(
            "{self} is running this command ({} is set)",
            self.0.variable
        )
    }

    /// Returns what to know about a file that values were written to.
    pub(crate) fn hint_on_file(self, file: &str) -> String {
        format!("{file} has the values in the clear: reading it shows them to {self}")
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.agent)
    }
}

/// Fails if a coding agent is running the command, unless `reveal` is set.
///
/// # Errors
///
/// A failure whose hint suggests what to do `instead`.
pub(crate) fn guard(reveal: bool, instead: &str) -> Result<(), Failure> {
    let Some(agent) = Agent::running().filter(|_| !reveal) else {
        return Ok(());
    };
    let evidence = agent.evidence();
    Err(
        Failure::new(format!("{evidence} and would read what it prints"))
            .with_hint(instead)
            .with_hint("--reveal prints it anyway")
            .with_code(exit_code::DECLINED),
    )
}
