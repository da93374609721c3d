//! Where AI clients keep their configuration.

use std::ffi::OsString;
use std::path::PathBuf;

/// A configuration file of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StandardPlace {
    /// The client.
    pub client: &'static str,
    /// The file, which need not exist.
    pub path: PathBuf,
}

/// A directory that a file lies in.
#[derive(Clone, Copy)]
enum Base {
    /// The home directory.
    Home,
    /// Where programs with a window keep their settings: `~/.config` (XDG Base Directory
    /// Specification), on macOS `~/Library/Application Support`.
    Settings,
    /// `~/.config`, on macOS as well.
    Config,
    /// What this variable names, else this directory of the home directory.
    Variable(&'static str, &'static str),
    /// The project at hand: the working directory.
    Project,
}

const PLACES: [(&str, Base, &str); 17] = [
    (
        "Claude Desktop",
        Base::Settings,
        "Claude/claude_desktop_config.json",
    ),
    ("Claude Code", Base::Home, ".claude.json"),
    ("Claude Code", Base::Project, ".mcp.json"),
    ("Cursor", Base::Home, ".cursor/mcp.json"),
    ("Cursor", Base::Project, ".cursor/mcp.json"),
    ("Windsurf", Base::Home, ".codeium/windsurf/mcp_config.json"),
    ("VS Code", Base::Settings, "Code/User/mcp.json"),
    ("VS Code", Base::Settings, "Code/User/settings.json"),
    (
        "VS Code Insiders",
        Base::Settings,
        "Code - Insiders/User/mcp.json",
    ),
    ("VSCodium", Base::Settings, "VSCodium/User/mcp.json"),
    ("VS Code", Base::Project, ".vscode/mcp.json"),
    ("Zed", Base::Config, "zed/settings.json"),
    ("Zed", Base::Project, ".zed/settings.json"),
    ("Gemini CLI", Base::Home, ".gemini/settings.json"),
    ("Gemini CLI", Base::Project, ".gemini/settings.json"),
    (
        "Codex",
        Base::Variable("CODEX_HOME", ".codex"),
        "config.toml",
    ),
    ("Codex", Base::Project, ".codex/config.toml"),
];

/// Where clients keep their configuration on this operating system, for the user and for the
/// project in the working directory. `variable` reads the environment.
pub fn standard_places(variable: impl Fn(&str) -> Option<OsString>) -> Vec<StandardPlace> {
    let path = |name: &str| {
        variable(name)
            .filter(|it| !it.is_empty())
            .map(PathBuf::from)
    };
    let home = path("HOME");
    let at_home = |directory: &str| home.as_ref().map(|home| home.join(directory));
    let config = || path("XDG_CONFIG_HOME").or_else(|| at_home(".config"));
    let base = |base| match base {
        Base::Home => home.clone(),
        Base::Settings if cfg!(target_os = "macos") => at_home("Library/Application Support"),
        Base::Settings | Base::Config => config(),
        Base::Variable(name, directory) => path(name).or_else(|| at_home(directory)),
        Base::Project => Some(PathBuf::new()),
    };
    let places = PLACES.iter().filter_map(|&(client, of, file)| {
        let path = base(of)?.join(file);
        Some(StandardPlace { client, path })
    });
    places.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_environment_says_where_settings_are() {
        let paths = |variables: &[(&str, &str)]| -> Vec<String> {
            let places = standard_places(|name| {
                let found = variables.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| value.into())
            });
            places
                .iter()
                .map(|it| it.path.display().to_string())
                .collect()
        };
        let plain = paths(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "")]);
        for expected in [
            "/h/.config/Claude/claude_desktop_config.json",
            "/h/.claude.json",
            "/h/.codex/config.toml",
            ".vscode/mcp.json",
        ] {
            assert!(plain.iter().any(|it| it == expected), "{expected}");
        }
        let moved = paths(&[
            ("HOME", "/h"),
            ("XDG_CONFIG_HOME", "/x"),
            ("CODEX_HOME", "/c"),
        ]);
        for expected in [
            "/x/zed/settings.json",
            "/c/config.toml",
            "/h/.cursor/mcp.json",
        ] {
            assert!(moved.iter().any(|it| it == expected), "{expected}");
        }
        assert!(paths(&[]).iter().all(|it| !it.starts_with('/')));
    }
}
