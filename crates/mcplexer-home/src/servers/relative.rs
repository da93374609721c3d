//! Commands with relative paths, which work in one directory only.

use std::path::{Path, PathBuf};

use mcplexer_clients::{Owner, owner_of};

use crate::adoption::directories;

/// Endings of the names of scripts and programs. A name with a slash and without one is more often that of a package,
/// an image or a repository.
const SCRIPTS: &[&str] = &[
    ".js", ".cjs", ".mjs", ".ts", ".py", ".sh", ".rb", ".php", ".jar", ".exe", ".wasm",
];

/// Where the servers of a client's file come from.
#[derive(Debug)]
pub(crate) struct Origin {
    owner: Owner,
    /// The directory of the file.
    directory: PathBuf,
}

impl Origin {
    pub(crate) fn of(file: &Path) -> Self {
        let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let directories = directories(|name| std::env::var_os(name));
        let owner_at = |path: &Path| owner_of(path, &directories);
        // The home may be reached through a link.
        let owner = match (owner_at(&whole), whole.canonicalize()) {
            (Owner::Project(_), Ok(real)) if owner_at(&real) == Owner::User => Owner::User,
            (owner, _) => owner,
        };
        Self {
            owner,
            directory: whole.parent().map_or_else(PathBuf::new, Path::to_owned),
        }
    }

    /// Returns the directory that a command needs: the one of its project, in a file of several or in the project's
    /// own. `None` if it works in any directory.
    ///
    /// # Errors
    /// The word that is a relative path, if it is unknown where the client starts the command.
    pub(crate) fn directory_for<'l>(
        &self,
        line: &'l [String],
        project: Option<&Path>,
    ) -> Result<Option<PathBuf>, &'l str> {
        let project = project.filter(|it| it.is_absolute());
        let root = project.or(match &self.owner {
            Owner::Project(root) => Some(root.as_path()),
            _ => None,
        });
        let beside = root.unwrap_or(&self.directory);
        let is_users = root.is_none() && self.owner == Owner::User;
        let word = relative(line)
            .or_else(|| relative_in(line, beside))
            .or_else(|| {
                line.iter()
                    .skip(1)
                    .map(String::as_str)
                    .find(|it| is_users && is_script(it))
            });
        match (word, root) {
            (None, _) => Ok(None),
            (Some(_), Some(root)) => Ok(Some(root.to_owned())),
            (Some(word), None) => Err(word),
        }
    }
}

/// Returns a word of a command that names a file or a directory relative to this one, also behind `=`.
#[must_use]
pub fn relative_in<'l>(line: &'l [String], directory: &Path) -> Option<&'l str> {
    let is_program = |at: usize, word: &str| at > 0 || word.contains('/');
    let mut words = line.iter().map(String::as_str).enumerate();
    let is_there = |word: &str| {
        let path = match word.strip_prefix('-') {
            Some(option) => option.split_once('=').map_or("", |(_, path)| path),
            None => word,
        };
        is_below(path) && directory.join(path).exists()
    };
    let found = words.find(|(at, word)| is_program(*at, word) && is_there(word));
    found.map(|(_, word)| word)
}

/// Returns a word of a command that is written as a relative path, or has one behind `=`.
fn relative(line: &[String]) -> Option<&str> {
    let is_relative = |word: &str| {
        let path = word.rsplit_once('=').map_or(word, |(_, path)| path);
        matches!(path, "." | "..") || path.starts_with("./") || path.starts_with("../")
    };
    let program = line.first().map(String::as_str);
    let program = program.filter(|it| it.contains('/') && is_below(it));
    program.or_else(|| line.iter().map(String::as_str).find(|it| is_relative(it)))
}

/// Returns whether a word is the relative path of a script: `dist/index.js`.
fn is_script(word: &str) -> bool {
    let is_path = word.contains('/') && !word.contains("://") && !word.starts_with('-');
    is_path && is_below(word) && SCRIPTS.iter().any(|it| word.ends_with(it))
}

/// Returns whether a path would be looked for below a directory.
fn is_below(path: &str) -> bool {
    !path.is_empty() && !path.starts_with(['/', '~', '$'])
}

/// Returns the directory that a server starts in: the one of its configuration, or else the user's home.
#[must_use]
pub fn working_directory(configured: Option<&Path>) -> PathBuf {
    let home = std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"));
    match configured {
        Some(path) => match path.strip_prefix("~") {
            Ok(rest) => home.join(rest),
            Err(_) => path.to_owned(),
        },
        None => home,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn line(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_command_needs_the_directory_that_has_its_files() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().canonicalize().unwrap();
        fs::create_dir_all(place.join("dist")).unwrap();
        fs::write(place.join("server.py"), "").unwrap();
        fs::write(place.join("dist/index.js"), "").unwrap();
        let of = |file: &str| Origin::of(&place.join(file));
        for text in [
            "python server.py",
            "node dist/index.js",
            "uv --directory dist run x",
            "x --root=dist",
            "./run.sh",
        ] {
            let line = line(text);
            let needed = of(".mcp.json").directory_for(&line, None);
            assert_eq!(needed, Ok(Some(place.clone())), "{text}");
            assert!(
                of("mine.json").directory_for(&line, None).is_err(),
                "{text}"
            );
        }
        for text in [
            "npx -y @acme/fs /srv a/b x=1",
            "python other.py",
            "uvx server",
        ] {
            let line = line(text);
            for file in [".mcp.json", "mine.json"] {
                assert_eq!(of(file).directory_for(&line, None), Ok(None), "{text}");
            }
        }
    }

    #[test]
    fn the_users_own_files_do_not_say_where_a_script_is() {
        let own = Origin {
            owner: Owner::User,
            directory: "/nowhere".into(),
        };
        let needed = |text| own.directory_for(&line(text), None).map_err(str::to_owned);
        assert_eq!(
            needed("node dist/index.js"),
            Err("dist/index.js".to_owned())
        );
        assert_eq!(needed("npx -y @acme/fs"), Ok(None));
        assert_eq!(needed("docker run ghcr.io/acme/server"), Ok(None));
        assert_eq!(needed("node /srv/index.js"), Ok(None));
    }
}
