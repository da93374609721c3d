//! The user's editor: which one it is, and how it is kept from copying a value to a disk.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variables that name the editor, as git reads them.
const VARIABLES: [&str; 2] = ["VISUAL", "EDITOR"];
const DEFAULT: &str = "vi";

/// The command that opens a file and ends when the user has edited it.
pub(crate) struct Editor {
    /// The command as a shell reads it, without the file.
    command: OsString,
    habits: &'static Habits,
}

/// What programs of some names do with the text that they edit.
struct Habits {
    names: &'static [&'static str],
    /// Options that keep copies away from the disk.
    options: &'static [&'static str],
    /// What cannot be kept from it.
    keeps: Option<&'static str>,
}

const UNKNOWN: Habits = Habits {
    names: &[],
    options: &[],
    keeps: None,
};

const KNOWN: [Habits; 5] = [
    Habits {
        names: &[
            "vim",
            "nvim",
            "vim.basic",
            "vim.tiny",
            "vim.nox",
            "vim.gtk3",
        ],
        // No swap file, no registers in the file of the last session, no copies in other directories. The settings
        // of the user are read before the file is, and what is set then counts.
        options: &[
            "-n",
            "-i",
            "NONE",
            "--cmd",
            "augroup mcplexer",
            "--cmd",
            "autocmd BufReadPre,BufNewFile,BufWritePre * silent! set nobackup nowritebackup noundofile",
            "--cmd",
            "augroup END",
        ],
        keeps: None,
    },
    Habits {
        names: &["nano", "rnano"],
        // Restricted: no backups, no history.
        options: &["-R"],
        keeps: None,
    },
    Habits {
        names: &["ed", "red"],
        options: &[],
        keeps: Some("ed keeps the text that it edits in a file in /tmp until it ends"),
    },
    Habits {
        names: &["code", "code-insiders", "codium", "cursor", "windsurf"],
        options: &[],
        keeps: Some(
            "this editor copies what it saves to its local history on the disk, unless workbench.localHistory.enabled is false",
        ),
    },
    Habits {
        names: &["micro"],
        options: &["-backup", "false"],
        keeps: None,
    },
];

impl Editor {
    /// Finds the editor that the environment names; `vi` on a terminal if it names none. `None` without a terminal.
    pub(crate) fn find() -> Option<Self> {
        let named = VARIABLES.iter().filter_map(env::var_os);
        let mut named = named.filter(|it| !it.as_encoded_bytes().trim_ascii().is_empty());
        let default = || io::stdin().is_terminal().then(|| OsString::from(DEFAULT));
        let command = named.next().or_else(default)?;
        let habits = habits_of(&command);
        Some(Self { command, habits })
    }

    /// Returns which copies of a value this editor leaves on the disk, if it is known for that.
    pub(crate) fn keeps(&self) -> Option<&'static str> {
        self.habits.keeps
    }

    /// Returns the command that opens a file. Its temporary files go into `temporary`, and it gets none of
    /// mcplexer's own variables.
    pub(crate) fn command(&self, file: &Path, temporary: &Path) -> Command {
        let mut script = OsString::new();
        if is_one_command(&self.command) {
            // The editor itself gets the signals then, not a shell that waits for it.
            script.push("exec ");
        }
        script.push(&self.command);
        script.push(r#" "$@""#);
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(script)
            .arg(&self.command)
            .args(self.habits.options)
            .arg(file)
            .env("TMPDIR", temporary);
        crate::process::without_own_variables(&mut command);
        command
    }
}

/// Returns whether a shell reads it as one program with arguments.
fn is_one_command(command: &OsStr) -> bool {
    let text = command.to_string_lossy();
    let first = text.split_whitespace().next().unwrap_or_default();
    !first.contains('=') && !text.contains(['|', '&', ';', '<', '>', '(', ')', '\n'])
}

/// Looks up the program that a shell would start.
fn habits_of(command: &OsStr) -> &'static Habits {
    let word = command.to_string_lossy();
    let word = word.split_whitespace().next().unwrap_or_default();
    let name = |path: &Path| path.file_name().map(OsStr::to_os_string);
    // vi is whatever the system has chosen for it.
    let real = in_path(word).and_then(|it| it.canonicalize().ok());
    let names = [name(Path::new(word)), real.as_deref().and_then(name)];
    let is_known = |it: &&Habits| {
        let mut names = names.iter().flatten();
        names.any(|name| it.names.iter().any(|known| name == *known))
    };
    KNOWN.iter().find(is_known).unwrap_or(&UNKNOWN)
}

/// Returns the path of the program that a name stands for.
fn in_path(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(name.into());
    }
    crate::process::find(name.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_known_by_its_first_word() {
        for (command, options) in [
            ("vim", 9),
            ("  /opt/x/bin/nvim -u NONE", 9),
            ("nano -l", 1),
            ("code --wait", 0),
            ("myvim", 0),
            ("sed -i s/vim/x/", 0),
        ] {
            let habits = habits_of(command.as_ref());
            assert_eq!(habits.options.len(), options, "{command}");
        }
        assert!(habits_of("code --wait".as_ref()).keeps.is_some());
    }

    #[test]
    fn one_command_is_known_from_several() {
        for (command, one) in [
            ("vim", true),
            ("'/opt/my editor/vim' -c \"set ai\"", true),
            ("LANG=C vim", false),
            ("umask 0; vim", false),
            ("cat >", false),
        ] {
            assert_eq!(is_one_command(command.as_ref()), one, "{command}");
        }
    }
}
