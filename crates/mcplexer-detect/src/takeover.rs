//! Names of variables that take over the command which gets them.
//!
//! Each makes a loader, a shell, an interpreter or a common program run code that the value names, before
//! the command does anything of its own, or trust a server of the value's choice. A secret under such a name is a mistake, or somebody's attempt.
//!
//! The base is the list of variables that sudo never passes on (`initial_badenv_table` in sudo's
//! `plugins/sudoers/env.c`), without those that only change texts and terminals. Each row adds the
//! documentation of its program. Left out is what holds credentials as a matter of course, although it can
//! lead a program elsewhere: proxies, package indexes with a password in their address (`PIP_INDEX_URL`),
//! `GIT_CONFIG_VALUE_0` with a header field, `JAVA_OPTS`. So are prefixes that tokens have (`LD_SDK_KEY`).

mod programs;
mod settings;

use programs::PROGRAMS;
use settings::SETTINGS;

/// Names that do the same, and what that is.
struct Row {
    names: &'static [&'static str],
    prefixes: &'static [&'static str],
    /// What a variable of this row does: it goes on from its name.
    does: &'static str,
}

impl Row {
    fn has(&self, variable: &str) -> bool {
        let is_name = |name: &&str| match name.starts_with("npm_config_") {
            true => variable.eq_ignore_ascii_case(name),
            false => variable == *name,
        };
        let begins =
            |prefix: &&str| variable.starts_with(*prefix) && variable != "CARGO_TARGET_DIR";
        self.names.iter().any(is_name) || self.prefixes.iter().any(begins)
    }
}

/// Returns what a variable with this name does to a command that gets it, if that takes the command over:
/// `names code that Python loads`. The words go on from the name.
#[must_use]
pub fn takes_over(variable: &str) -> Option<&'static str> {
    let row = PROGRAMS.iter().find(|row| row.has(variable));
    row.map(|row| row.does)
}

/// Returns the same for a variable of a file that somebody else may have written, and that a whole shell gets. Such a file
/// can come with settings of its own.
#[must_use]
pub fn takes_over_a_shell(variable: &str) -> Option<&'static str> {
    let mut rows = PROGRAMS.iter().chain(&SETTINGS);
    let row = rows.find(|row| row.has(variable));
    row.map(|row| row.does)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_over_a_command_is_known_by_name() {
        for name in [
            "PATH",
            "LD_PRELOAD",
            "LD_PRELOAD_64",
            "LD_LIBRARY_PATH",
            "DYLD_INSERT_LIBRARIES",
            "DYLD_FRAMEWORK_PATH",
            "NODE_OPTIONS",
            "NPM_CONFIG_SCRIPT_SHELL",
            "PYTHONSTARTUP",
            "BASH_ENV",
            "BASH_FUNC_ls%%",
            "GIT_SSH_COMMAND",
            "GIT_CONFIG_KEY_0",
            "LUA_INIT_5_4",
            "CORECLR_PROFILER_PATH_64",
            "MAVEN_OPTS",
            "CARGO_BUILD_RUSTC_WRAPPER",
            "NODE_TLS_REJECT_UNAUTHORIZED",
            "SSL_CERT_FILE",
            "DOCKER_HOST",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
            "GIT_DIR",
            "INPUTRC",
            "RUSTFLAGS",
            "DIRENV_CONFIG",
            "STARSHIP_CONFIG",
            "FZF_DEFAULT_COMMAND",
            "FZF_DEFAULT_OPTS",
            "PSQLRC",
            "LESSKEYIN",
            "LESSKEY_CONTENT",
            "LESSEDIT",
            "MYVIMRC",
        ] {
            assert!(takes_over(name).is_some(), "{name}");
        }
    }

    #[test]
    fn names_of_credentials_take_nothing_over() {
        for name in [
            "API_KEY",
            "LD_SDK_KEY",
            "LD_ACCESS_TOKEN",
            "GIT_TOKEN",
            "GIT_CONFIG_VALUE_0",
            "NODE_AUTH_TOKEN",
            "NPM_CONFIG_TOKEN",
            "PYTHON_API_KEY",
            "HTTPS_PROXY",
            "PIP_INDEX_URL",
            "path",
            "DATABASE_PATH",
            "CARGO_REGISTRY_TOKEN",
            "CARGO_TARGET_DIR",
            "KUBECONFIG",
            "DOCKER_AUTH_CONFIG",
            "SSL_CERT_PASSWORD",
            "SSH_PRIVATE_KEY",
        ] {
            assert_eq!(takes_over(name), None, "{name}");
        }
    }

    #[test]
    fn settings_of_somebody_else_take_a_shell_over() {
        for name in [
            "KUBECONFIG",
            "AWS_CONFIG_FILE",
            "CARGO_HOME",
            "RUSTUP_HOME",
            "NPM_CONFIG_REGISTRY",
            "PIP_CONFIG_FILE",
            "TERMINFO",
            "TERMINFO_DIRS",
            "CC",
            "CXX",
            "LD",
            "TMUX",
            "SSH_AUTH_SOCK",
            "XDG_RUNTIME_DIR",
            "TMPDIR",
        ] {
            assert!(takes_over_a_shell(name).is_some(), "{name}");
            assert_eq!(takes_over(name), None, "{name}");
        }
        assert!(takes_over_a_shell("PATH").is_some());
        for name in [
            "AWS_REGION",
            "APP_CONFIG",
            "APP_HOME",
            "FZF_API_KEY",
            "LD_SDK_KEY",
            "CARGO_REGISTRY_TOKEN",
            "NPM_CONFIG_TOKEN",
            "PIP_INDEX_URL",
            "CCAPI_KEY",
            "PORT",
        ] {
            assert_eq!(takes_over_a_shell(name), None, "{name}");
        }
    }

    #[test]
    fn no_name_is_listed_twice() {
        let all = PROGRAMS
            .iter()
            .chain(&SETTINGS)
            .flat_map(|row| row.names.iter().chain(row.prefixes));
        let mut names: Vec<_> = all.collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
