//! What is around a home: the files of AI clients, and the shell.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use mcplexer_clients::Directories;

use super::{Report, Severity, count};
use crate::adoption::{directories, own_program, plaintext};
use crate::exposed::word;
use crate::open::OpenHome;

/// Where to look besides a home.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Surroundings {
    /// Where AI clients keep their files.
    pub directories: Directories,
    /// The user's shell, as `SHELL` has it.
    pub shell: Option<PathBuf>,
}

/// Where bash-completion is, without which bash does not look for completions in a file for each command.
const BASH_COMPLETION: [&str; 4] = [
    "/usr/share/bash-completion/bash_completion",
    "/usr/local/share/bash-completion/bash_completion",
    "/opt/homebrew/etc/profile.d/bash_completion.sh",
    "/etc/bash_completion",
];

/// Where a shell looks for completions.
struct Completions {
    /// What the shell reads when it starts, from the home directory.
    settings: &'static str,
    /// The line there that loads them.
    line: &'static str,
    /// The file of a user, from the home directory.
    own: &'static str,
    /// The files of the system.
    others: &'static [&'static str],
}

impl Surroundings {
    /// Returns what is around the home of the user. `variable` reads the environment.
    #[must_use]
    pub fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let shell = variable("SHELL").filter(|it| !it.is_empty());
        Self {
            shell: shell.map(PathBuf::from),
            directories: directories(variable),
        }
    }

    /// Leaves out the project in the working directory, which says nothing about a process that runs in the background.
    #[must_use]
    pub fn without_project(mut self) -> Self {
        self.directories.project = None;
        self
    }

    /// Finds credentials that clients keep in plaintext.
    pub(super) fn examine_clients(&self, open: &OpenHome, report: &mut Report) {
        for found in plaintext(&self.directories, &own_program(), open) {
            let file = word(&found.file);
            let credentials = count(found.credentials as u64, "credential");
            let (path, client) = (found.file.display(), found.client);
            let message = format!("{path} ({client}) has {credentials} in plaintext");
            let options = match (found.is_adoptable, found.option) {
                (true, _) => " --write".to_owned(),
                (false, Some(option)) => format!(" {option} --write"),
                (false, None) => String::new(),
            };
            let fix = format!("mcplexer adopt {file}{options}");
            report.add(Severity::Warning, "plaintext", message, fix);
        }
    }

    /// Finds out whether the user's shell completes the command.
    pub(super) fn examine_shell(&self, report: &mut Report) {
        let name = self.shell.as_deref().and_then(Path::file_name);
        let name = name.and_then(|it| it.to_str()).unwrap_or_default();
        let (Some(completions), Some(home)) = (completions(name), &self.directories.home) else {
            return;
        };
        let path = home.join(completions.settings);
        // A file that cannot be read loads nothing.
        let settings = fs::read_to_string(&path).unwrap_or_default();
        if completions.are_loaded(name, home, &settings) {
            return;
        }
        let has_compinit = settings.contains("compinit") || settings.contains("oh-my-zsh");
        let before = match name {
            "zsh" if !has_compinit => "autoload -Uz compinit && compinit && ",
            _ => "",
        };
        let file = word(&path);
        let make = match path.parent().filter(|it| !it.exists()) {
            Some(directory) => format!("mkdir -p {} && ", word(directory)),
            None => String::new(),
        };
        let fix = format!("{make}echo '{before}{}' >> {file}", completions.line);
        let message = format!("Tab does not complete mcplexer in {name}");
        report.add(Severity::Note, "completions", message, fix);
    }
}

impl Completions {
    /// Returns whether the shell with this name loads them when it starts with these settings.
    fn are_loaded(&self, name: &str, home: &Path, settings: &str) -> bool {
        let command = format!("mcplexer completions {name}");
        let mut lines = settings.lines().map(str::trim_start);
        if lines.any(|it| !it.starts_with('#') && it.contains(&command)) {
            return true;
        }
        let is_searched = match name {
            "bash" => BASH_COMPLETION.iter().any(|it| Path::new(it).exists()),
            "zsh" => settings.contains(".zfunc"),
            _ => true,
        };
        let mut others = self.others.iter().map(Path::new);
        (is_searched && home.join(self.own).exists()) || others.any(Path::exists)
    }
}

/// Returns where a shell looks for completions, if it is one that completes names.
fn completions(shell: &str) -> Option<Completions> {
    Some(match shell {
        "bash" => Completions {
            settings: ".bashrc",
            line: "source <(mcplexer completions bash)",
            own: ".local/share/bash-completion/completions/mcplexer",
            others: &[
                "/usr/share/bash-completion/completions/mcplexer",
                "/usr/local/share/bash-completion/completions/mcplexer",
                "/etc/bash_completion.d/mcplexer",
            ],
        },
        "zsh" => Completions {
            settings: ".zshrc",
            line: "source <(mcplexer completions zsh)",
            own: ".zfunc/_mcplexer",
            others: &[
                "/usr/share/zsh/vendor-completions/_mcplexer",
                "/usr/share/zsh/site-functions/_mcplexer",
                "/usr/local/share/zsh/site-functions/_mcplexer",
                "/opt/homebrew/share/zsh/site-functions/_mcplexer",
            ],
        },
        "fish" => Completions {
            settings: ".config/fish/config.fish",
            line: "mcplexer completions fish | source",
            own: ".config/fish/completions/mcplexer.fish",
            others: &[
                "/usr/share/fish/vendor_completions.d/mcplexer.fish",
                "/usr/share/fish/completions/mcplexer.fish",
            ],
        },
        _ => return None,
    })
}
