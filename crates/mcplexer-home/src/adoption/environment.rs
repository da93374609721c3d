//! What the environment says about clients: where their files are, and how they start this program.

use std::ffi::OsString;
use std::path::PathBuf;

use mcplexer_clients::Directories;

/// Returns the directories in which clients keep their configuration. `variable` reads the
/// environment.
#[must_use]
pub fn directories(variable: impl Fn(&str) -> Option<OsString>) -> Directories {
    let path = |name: &str| {
        variable(name)
            .filter(|it| !it.is_empty())
            .map(PathBuf::from)
    };
    let home = path("HOME");
    let at_home = |directory: &str| home.as_ref().map(|home| home.join(directory));
    let config = path("XDG_CONFIG_HOME").or_else(|| at_home(".config"));
    Directories {
        settings: match cfg!(target_os = "macos") {
            true => at_home("Library/Application Support"),
            false => config.clone(),
        },
        config,
        codex: path("CODEX_HOME").or_else(|| at_home(".codex")),
        // Relative paths are shown as they are: to the working directory.
        project: Some(PathBuf::new()),
        home,
    }
}

/// Returns how a client is to start this program: by the path in `PATH`, so that an update is found
/// as well. The path is absolute, because clients with windows have another `PATH`.
#[must_use]
pub fn own_program() -> String {
    let own = std::env::current_exe().unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_own = |found: &PathBuf| {
        found
            .canonicalize()
            .is_ok_and(|it| own.canonicalize().is_ok_and(|own| own == it))
    };
    let in_path = std::env::split_paths(&path)
        .filter(|it| it.is_absolute())
        .map(|it| it.join("mcplexer"))
        .find(is_own);
    let program = in_path.or_else(|| (own.file_name()? == "mcplexer").then_some(own));
    program
        .and_then(|program| program.into_os_string().into_string().ok())
        .unwrap_or_else(|| "mcplexer".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_environment_says_where_settings_are() {
        let directories = |variables: &[(&str, &str)]| {
            directories(|name| {
                let found = variables.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| value.into())
            })
        };
        let plain = directories(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "")]);
        assert_eq!(plain.home, Some("/h".into()));
        assert_eq!(plain.settings, Some("/h/.config".into()));
        assert_eq!(plain.config, Some("/h/.config".into()));
        assert_eq!(plain.codex, Some("/h/.codex".into()));
        let moved = directories(&[
            ("HOME", "/h"),
            ("XDG_CONFIG_HOME", "/x"),
            ("CODEX_HOME", "/c"),
        ]);
        assert_eq!(moved.settings, Some("/x".into()));
        assert_eq!(moved.codex, Some("/c".into()));
        let project = Some(PathBuf::new());
        let unknown = Directories {
            project,
            ..Directories::default()
        };
        assert_eq!(directories(&[]), unknown);
    }
}
