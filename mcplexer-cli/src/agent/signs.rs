//! The variables that coding agents set for the commands they run.
//!
//! A row needs a source that shows it: the agent's code, its documentation, or a report of somebody who
//! looked. Variables that a person's own shell may have do not count: those of an editor's terminal
//! (`TERM_PROGRAM`, `CURSOR_TRACE_ID`), of a machine in the cloud (`REPL_ID`, the `EDITOR` of Devin), and the settings that
//! people give an agent (`AIDER_MODEL`, `FACTORY_API_KEY`). `docs/use.md` has the same table.

/// What shows that an agent is running this command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sign {
    pub(super) variable: &'static str,
    /// Its value. `None`: any but an empty one, `0` and `false`.
    pub(super) value: Option<&'static str>,
    pub(super) agent: &'static str,
}

const fn any(agent: &'static str, variable: &'static str) -> Sign {
    Sign {
        variable,
        value: None,
        agent,
    }
}

const fn exactly(agent: &'static str, variable: &'static str, value: &'static str) -> Sign {
    Sign {
        variable,
        value: Some(value),
        agent,
    }
}

/// Rows without a comment are from `packages/detect-agent/src/index.ts` of github.com/vercel/vercel, or
/// from `src/agents.ts` of github.com/unjs/std-env.
pub(super) const SIGNS: [Sign; 29] = [
    any("a coding agent", "AI_AGENT"),
    exactly("Amp", "AGENT", "amp"),
    // npm @sourcegraph/amp sets it for each command, as `src/providers.ts` of github.com/ascorbic/am-i-vibing
    // and PHPStan's AgentDetector say.
    any("Amp", "AMP_CURRENT_THREAD_ID"),
    any("Antigravity", "ANTIGRAVITY_AGENT"),
    any("Auggie", "AUGMENT_AGENT"),
    any("Claude Code", "CLAUDECODE"),
    any("Claude Code", "CLAUDE_CODE"),
    any("Cline", "CLINE_ACTIVE"),
    any("Codex", "CODEX_CI"),
    any("Codex", "CODEX_SANDBOX"),
    // github.com/openai/codex, codex-rs/core/src/spawn.rs: the sandbox of a command on Linux.
    any("Codex", "CODEX_SANDBOX_NETWORK_DISABLED"),
    // github.com/openai/codex, codex-rs/protocol/src/shell_environment.rs.
    any("Codex", "CODEX_THREAD_ID"),
    any("Copilot", "COPILOT_AGENT"),
    any("Copilot", "COPILOT_CLI"),
    // github.com/charmbracelet/crush/pull/2484.
    exactly("Crush", "AGENT", "crush"),
    any("Crush", "CRUSH"),
    any("Cursor", "CURSOR_AGENT"),
    exactly("Cursor", "CURSOR_EXTENSION_HOST_ROLE", "agent-exec"),
    // github.com/google-gemini/gemini-cli, packages/core/src/services/shellExecutionService.ts. Its
    // tool servers get it as well.
    any("Gemini CLI", "GEMINI_CLI"),
    exactly("Goose", "AGENT", "goose"),
    any("Goose", "GOOSE_TERMINAL"),
    any("Junie", "JUNIE_DATA"),
    any("Junie", "JUNIE_SHIM_PATH"),
    // github.com/dynatrace-oss/dtctl/issues/282: what kiro-cli 2.6.1 sets, also with --no-interactive.
    any("Kiro", "KIRO_SESSION_ID"),
    any("opencode", "OPENCODE"),
    any("opencode", "OPENCODE_CLIENT"),
    // github.com/earendil-works/pi, packages/coding-agent/src/cli.ts.
    any("Pi", "PI_CODING_AGENT"),
    any("Qwen Code", "QWEN_CODE"),
    // github.com/warpdotdev/warp, crates/warp_cli/src/lib.rs.
    any("Warp", "OZ_RUN_ID"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_lists_the_same_signs() {
        let document = include_str!("../../../docs/use.md");
        let (_, document) = document.split_once("| agent | variable |").unwrap();
        let listed: Vec<_> = document.lines().filter(|it| it.ends_with("` |")).collect();
        let rows = SIGNS.iter().map(|sign| {
            let value = sign.value.map(|value| format!("={value}"));
            let (variable, value) = (sign.variable, value.unwrap_or_default());
            format!("| {} | `{variable}{value}` |", sign.agent)
        });
        assert_eq!(listed, rows.collect::<Vec<_>>());
    }
}
