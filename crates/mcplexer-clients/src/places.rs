//! Where AI clients keep their configuration.

mod table;

use std::path::{Path, PathBuf};

use table::{EDITORS, OF_EDITORS, PLACES};

/// A configuration file of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StandardPlace {
    /// The client's name.
    pub client: &'static str,
    /// The file. It need not exist. A `*` in it stands for any name in that directory.
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
#[derive(Debug, Clone, Copy)]
pub(crate) enum Base {
    Home,
    Settings,
    Config,
    Codex,
    Project,
}

impl Directories {
    pub(crate) fn of(&self, base: Base) -> Option<&PathBuf> {
        let directory = match base {
            Base::Home => &self.home,
            Base::Settings => &self.settings,
            Base::Config => &self.config,
            Base::Codex => &self.codex,
            Base::Project => &self.project,
        };
        directory.as_ref()
    }
}

/// Returns the files in which clients keep their configuration, for the user and for a project, each
/// once.
#[must_use]
pub fn standard_places(directories: &Directories) -> Vec<StandardPlace> {
    let own = PLACES
        .iter()
        .map(|&(client, base, file)| (client, base, file.to_owned()));
    let of_editors = EDITORS.iter().flat_map(|&(editor, base, directory)| {
        OF_EDITORS.iter().map(move |&(client, file)| {
            let client = if client.is_empty() { editor } else { client };
            (client, base, format!("{directory}/User/{file}"))
        })
    });
    let mut places: Vec<StandardPlace> = Vec::new();
    for (client, base, file) in own.chain(of_editors) {
        let Some(directory) = directories.of(base) else {
            continue;
        };
        let path = directory.join(file);
        if !places.iter().any(|it| it.path == path) {
            places.push(StandardPlace { client, path });
        }
    }
    places
}

/// Returns the client that a file of this path is of, wherever the home directory or the project is.
#[must_use]
pub fn client_of(path: &Path) -> Option<&'static str> {
    let own = PLACES
        .iter()
        .map(|&(client, _, file)| (client, file.to_owned()));
    let of_editors = EDITORS.iter().flat_map(|&(editor, _, directory)| {
        OF_EDITORS.iter().map(move |&(client, file)| {
            let client = if client.is_empty() { editor } else { client };
            (client, format!("{directory}/User/{file}"))
        })
    });
    let places = own.chain(of_editors);
    let of_path = places.filter(|(_, file)| !file.contains('*') && path.ends_with(file));
    // `.warp/.mcp.json` is no `.mcp.json` of a project.
    let longest = of_path.max_by_key(|(_, file)| Path::new(file).components().count());
    longest.map(|(client, _)| client)
}

/// Whose a configuration file is, by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Owner {
    /// The user's, for every project.
    User,
    /// That of the project in this directory, where its client starts the servers.
    Project(PathBuf),
    /// Unknown.
    Unknown,
}

/// Returns whose a configuration file is. The path and the directories are absolute.
#[must_use]
pub fn owner_of(path: &Path, directories: &Directories) -> Owner {
    let of_user = Directories {
        project: None,
        ..directories.clone()
    };
    let mut of_user = standard_places(&of_user).into_iter();
    if of_user.any(|it| directory_behind(path, &it.path).is_some()) {
        return Owner::User;
    }
    let of_projects = PLACES
        .iter()
        .filter(|(_, base, _)| matches!(base, Base::Project));
    let roots = of_projects.filter_map(|(_, _, file)| directory_behind(path, Path::new(file)));
    // `.warp/.mcp.json` is no `.mcp.json` of a project.
    let root = roots.min_by_key(|it| it.components().count());
    root.map_or(Owner::Unknown, |it| Owner::Project(it.to_owned()))
}

/// Returns the directory in which a path has this file, whose name may begin with `*`.
fn directory_behind<'p>(path: &'p Path, file: &Path) -> Option<&'p Path> {
    let mut rest = path;
    for part in file.components().rev() {
        let part = part.as_os_str();
        let name = rest.file_name().unwrap_or(rest.as_os_str());
        let is_same = match part.to_str().and_then(|it| it.strip_prefix('*')) {
            Some(end) => name.to_str().is_some_and(|it| it.ends_with(end)),
            None => name == part,
        };
        if !is_same {
            return None;
        }
        rest = rest.parent().unwrap_or(Path::new(""));
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_whose_the_file_is() {
        let directories = Directories {
            home: Some("/h".into()),
            config: Some("/h/.config".into()),
            ..Directories::default()
        };
        let project = |root: &str| Owner::Project(root.into());
        for (path, owner) in [
            ("/w/.mcp.json", project("/w")),
            ("/h/w/.cursor/mcp.json", project("/h/w")),
            ("/h/.cursor/mcp.json", Owner::User),
            ("/h/.config/opencode/opencode.json", Owner::User),
            ("/w/opencode.json", project("/w")),
            ("/w/.warp/.mcp.json", project("/w")),
            ("/w/.continue/mcpServers/a.yaml", project("/w")),
            ("/h/.continue/mcpServers/a.yaml", Owner::User),
            ("/w/mcp.json", Owner::Unknown),
        ] {
            assert_eq!(owner_of(Path::new(path), &directories), owner, "{path}");
        }
    }

    fn paths(directories: &Directories) -> Vec<String> {
        let places = standard_places(directories).into_iter();
        places.map(|it| it.path.display().to_string()).collect()
    }

    #[test]
    fn each_file_is_in_its_directory_and_unknown_directories_are_left_out() {
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
            "/x/zed/settings.json",
            "/c/config.toml",
            ".vscode/mcp.json",
            "/s/Code/User/profiles/*/mcp.json",
            "/h/.var/app/com.visualstudio.code/config/Code/User/settings.json",
            "/s/Cursor/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
            "/x/goose/config.yaml",
            "librechat.yaml",
        ] {
            assert!(known.iter().any(|it| it == expected), "{expected}");
        }
        assert_eq!(known.len(), PLACES.len() + EDITORS.len() * OF_EDITORS.len());
        let none = paths(&Directories::default());
        assert_eq!(none, [""; 0]);
    }

    #[test]
    fn a_path_says_the_client() {
        for (path, client) in [
            ("/w/.mcp.json", Some("Claude Code")),
            ("/h/.cursor/mcp.json", Some("Cursor")),
            ("/s/Code/User/mcp.json", Some("VS Code")),
            ("/s/Cursor/User/settings.json", Some("Cursor")),
            ("/h/.warp/.mcp.json", Some("Warp")),
            ("/w/.warp/.mcp.json", Some("Warp")),
            ("/w/mcp.json", None),
        ] {
            assert_eq!(client_of(Path::new(path)), client, "{path}");
        }
    }

    #[test]
    fn a_file_of_two_bases_is_there_once() {
        let same = Directories {
            settings: Some("/x".into()),
            config: Some("/x".into()),
            ..Directories::default()
        };
        let mut known = paths(&same);
        let all = known.len();
        known.sort();
        known.dedup();
        assert_eq!(known.len(), all);
    }
}
