//! Where AI clients keep their configuration.

use std::path::PathBuf;

/// A configuration file of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StandardPlace {
    /// The client's name.
    pub client: &'static str,
    /// The file. It need not exist.
    pub path: PathBuf,
}

/// The directories in which clients keep their configuration. Clients of an unknown directory are
/// left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directories {
    /// The home directory.
    pub home: Option<PathBuf>,
    /// Where applications with windows keep their settings: `~/.config` (XDG Base Directory
    /// Specification), on macOS `~/Library/Application Support`.
    pub settings: Option<PathBuf>,
    /// Where other programs keep their settings: `~/.config`, on macOS too.
    pub config: Option<PathBuf>,
    /// Where Codex keeps its files: `CODEX_HOME`, by default `~/.codex`.
    pub codex: Option<PathBuf>,
    /// The project's directory. An empty path stands for the working directory.
    pub project: Option<PathBuf>,
}

/// Which of the directories a file is in.
#[derive(Clone, Copy)]
enum Base {
    Home,
    Settings,
    Config,
    Codex,
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
    ("Codex", Base::Codex, "config.toml"),
    ("Codex", Base::Project, ".codex/config.toml"),
];

/// Returns the files in which clients keep their configuration, for the user and for a project.
#[must_use]
pub fn standard_places(directories: &Directories) -> Vec<StandardPlace> {
    let places = PLACES.iter().filter_map(|&(client, base, file)| {
        let directory = match base {
            Base::Home => &directories.home,
            Base::Settings => &directories.settings,
            Base::Config => &directories.config,
            Base::Codex => &directories.codex,
            Base::Project => &directories.project,
        };
        let path = directory.as_ref()?.join(file);
        Some(StandardPlace { client, path })
    });
    places.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_in_its_directory_and_unknown_directories_are_left_out() {
        let paths = |directories: &Directories| -> Vec<String> {
            let places = standard_places(directories).into_iter();
            places.map(|it| it.path.display().to_string()).collect()
        };
        let known = paths(&Directories {
            home: Some("/h".into()),
            settings: Some("/s".into()),
            config: Some("/x".into()),
            codex: Some("/c".into()),
            project: Some(PathBuf::new()),
        });
        for expected in [
            "/s/Claude/claude_desktop_config.json",
            "/h/.claude.json",
            "/h/.cursor/mcp.json",
            "/x/zed/settings.json",
            "/c/config.toml",
            ".vscode/mcp.json",
        ] {
            assert!(known.iter().any(|it| it == expected), "{expected}");
        }
        assert_eq!(known.len(), PLACES.len());
        let none = paths(&Directories::default());
        assert_eq!(none, [""; 0]);
    }
}
