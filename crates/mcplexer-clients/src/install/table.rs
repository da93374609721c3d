//! The table of clients: where each one keeps the servers of a user, and how.

use super::{By, InstallPlace};
use crate::places::Base;

const PLAIN: By = By::Member(&[], false);
const STDIO: By = By::Member(&[("type", "\"stdio\"")], false);
const LINE: By = By::Member(&[("type", "\"local\"")], true);
const TOML: By = By::Hand("[mcp_servers.mcplexer]\ncommand = {program}\nargs = {arguments}\n");
const GOOSE: By = By::Hand(
    "extensions:\n  mcplexer:\n    type: stdio\n    name: mcplexer\n    enabled: true\n    cmd: {program}\n    args: {arguments}\n",
);
const CONTINUE: By =
    By::Hand("mcpServers:\n  - name: mcplexer\n    command: {program}\n    args: {arguments}\n");
const LIBRECHAT: By = By::Hand(
    "mcpServers:\n  mcplexer:\n    type: stdio\n    command: {program}\n    args: {arguments}\n",
);

const fn row(
    id: &'static str,
    client: &'static str,
    place: (Base, &'static str),
    map: &'static str,
    by: By,
) -> InstallPlace {
    let (base, file) = place;
    InstallPlace {
        id,
        client,
        base,
        file,
        map,
        by,
    }
}

const SERVERS: &str = "mcpServers";

pub(super) const CLIENTS: &[InstallPlace] = &[
    row(
        "amazon-q",
        "Amazon Q",
        (Base::Home, ".aws/amazonq/mcp.json"),
        SERVERS,
        PLAIN,
    ),
    row(
        "amp",
        "Amp",
        (Base::Config, "amp/settings.json"),
        "amp.mcpServers",
        PLAIN,
    ),
    row(
        "antigravity",
        "Antigravity",
        (Base::Home, ".gemini/antigravity/mcp_config.json"),
        SERVERS,
        PLAIN,
    ),
    row(
        "claude-code",
        "Claude Code",
        (Base::Home, ".claude.json"),
        SERVERS,
        PLAIN,
    ),
    row(
        "claude-desktop",
        "Claude Desktop",
        (Base::Settings, "Claude/claude_desktop_config.json"),
        SERVERS,
        PLAIN,
    ),
    row(
        "cline",
        "Cline",
        (
            Base::Settings,
            "Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
        ),
        SERVERS,
        PLAIN,
    ),
    row(
        "codex",
        "Codex",
        (Base::Codex, "config.toml"),
        "mcp_servers",
        TOML,
    ),
    row(
        "continue",
        "Continue",
        (Base::Home, ".continue/config.yaml"),
        SERVERS,
        CONTINUE,
    ),
    row(
        "copilot-cli",
        "Copilot CLI",
        (Base::Home, ".copilot/mcp-config.json"),
        SERVERS,
        By::Member(&[("type", "\"local\""), ("tools", "[\"*\"]")], false),
    ),
    // Crush reads its JSON beside `crushrc`, and needs the `type`.
    row(
        "crush",
        "Crush",
        (Base::Config, "crush/crush.json"),
        "mcp",
        STDIO,
    ),
    row(
        "cursor",
        "Cursor",
        (Base::Home, ".cursor/mcp.json"),
        SERVERS,
        PLAIN,
    ),
    row(
        "factory",
        "Factory",
        (Base::Home, ".factory/mcp.json"),
        SERVERS,
        STDIO,
    ),
    row(
        "gemini-cli",
        "Gemini CLI",
        (Base::Home, ".gemini/settings.json"),
        SERVERS,
        PLAIN,
    ),
    row(
        "goose",
        "Goose",
        (Base::Config, "goose/config.yaml"),
        "extensions",
        GOOSE,
    ),
    row(
        "junie",
        "Junie",
        (Base::Home, ".junie/mcp/mcp.json"),
        SERVERS,
        PLAIN,
    ),
    row(
        "kilo-code",
        "Kilo Code",
        (Base::Config, "kilo/kilo.jsonc"),
        "mcp",
        LINE,
    ),
    row(
        "kiro",
        "Kiro",
        (Base::Home, ".kiro/settings/mcp.json"),
        SERVERS,
        PLAIN,
    ),
    row(
        "librechat",
        "LibreChat",
        (Base::Project, "librechat.yaml"),
        SERVERS,
        LIBRECHAT,
    ),
    row(
        "lm-studio",
        "LM Studio",
        (Base::Home, ".lmstudio/mcp.json"),
        SERVERS,
        PLAIN,
    ),
    row(
        "opencode",
        "opencode",
        (Base::Config, "opencode/opencode.json"),
        "mcp",
        LINE,
    ),
    row(
        "qwen-code",
        "Qwen Code",
        (Base::Home, ".qwen/settings.json"),
        SERVERS,
        PLAIN,
    ),
    row(
        "roo-code",
        "Roo Code",
        (
            Base::Settings,
            "Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json",
        ),
        SERVERS,
        PLAIN,
    ),
    row(
        "trae",
        "Trae",
        (Base::Settings, "Trae/User/mcp.json"),
        SERVERS,
        PLAIN,
    ),
    row(
        "vscode",
        "VS Code",
        (Base::Settings, "Code/User/mcp.json"),
        "servers",
        STDIO,
    ),
    row(
        "vscode-insiders",
        "VS Code Insiders",
        (Base::Settings, "Code - Insiders/User/mcp.json"),
        "servers",
        STDIO,
    ),
    row(
        "vscodium",
        "VSCodium",
        (Base::Settings, "VSCodium/User/mcp.json"),
        "servers",
        STDIO,
    ),
    row(
        "warp",
        "Warp",
        (Base::Home, ".warp/.mcp.json"),
        SERVERS,
        PLAIN,
    ),
    row(
        "windsurf",
        "Windsurf",
        (Base::Home, ".codeium/windsurf/mcp_config.json"),
        SERVERS,
        PLAIN,
    ),
    row(
        "zed",
        "Zed",
        (Base::Config, "zed/settings.json"),
        "context_servers",
        // Zed needs no `source` any more; versions of 2025 do.
        By::Member(&[("source", "\"custom\"")], false),
    ),
];
