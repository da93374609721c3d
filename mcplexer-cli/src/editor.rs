//! The user's editor: which one it is, and how it is kept from copying a value to a disk.

use std::borrow::Cow;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command;

mod known;
mod words;

use crate::text::shown;
use known::{Habits, KNOWN};
use words::Words;

/// The variables that name the editor, as git reads them.
const VARIABLES: [&str; 2] = ["VISUAL", "EDITOR"];
const DEFAULT: &str = "vi";
/// What begins a command and is no program, although a system may have one with its name.
const BUILT_IN: [&str; 3] = ["command", "exec", "eval"];

/// The command that opens a file and ends when the user has edited it.
pub(crate) struct Editor {
    /// The command as a shell reads it, without the file.
    command: OsString,
    /// What a shell does with it, if it is one simple command.
    words: Option<Words>,
    /// What is known of its program.
    habits: Option<&'static Habits>,
}

impl Editor {
    /// Finds the editor that the environment names; `vi` on a terminal if it names none. `None` without a terminal.
    pub(crate) fn find() -> Option<Self> {
        let named = VARIABLES.iter().filter_map(env::var_os);
        let mut named = named.filter(|it| !it.as_encoded_bytes().trim_ascii().is_empty());
        let default = || io::stdin().is_terminal().then(|| OsString::from(DEFAULT));
        let command = named.next().or_else(default)?;
        Some(Self::of(command))
    }

    fn of(command: OsString) -> Self {
        let words = command.to_str().and_then(Words::of);
        let habits = words.as_ref().and_then(Words::program).and_then(habits_of);
        Self {
            command,
            words,
            habits,
        }
    }

    /// Returns what to warn of: which copies of a value this editor leaves on the disk, or that nobody knows.
    pub(crate) fn warning(&self) -> Option<Cow<'static, str>> {
        if let Some(habits) = self.habits {
            return habits.keeps.map(Cow::from);
        }
        let program = self.words.as_ref().and_then(Words::program);
        let name = program.map_or_else(|| "this editor".into(), |it| shown(it.as_ref()));
        let unknown = format!("{name} is not known to mcplexer, and may keep copies on the disk");
        Some(unknown.into())
    }

    /// Returns the command that opens a file. Its temporary files go into `temporary`, and it gets none of
    /// mcplexer's own variables.
    pub(crate) fn command(&self, file: &Path, temporary: &Path) -> Command {
        let mut script = OsString::new();
        let first = self.words.as_ref().map(Words::first);
        let is_program = |it: &&str| !it.contains('=') && !BUILT_IN.contains(it);
        if first.filter(is_program).and_then(in_path).is_some() {
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
            .args(self.habits.map_or(&[][..], |it| it.options))
            .arg(file)
            .env("TMPDIR", temporary);
        crate::process::without_own_variables(&mut command);
        command
    }
}

/// Looks up what is known of a program.
fn habits_of(program: &str) -> Option<&'static Habits> {
    let name = |path: &Path| path.file_name().map(OsStr::to_os_string);
    // vi is whatever the system has chosen for it.
    let real = in_path(program).and_then(|it| it.canonicalize().ok());
    let names = [name(Path::new(program)), real.as_deref().and_then(name)];
    let mut names = names.iter().flatten();
    names.find_map(|name| KNOWN.iter().find(|it| it.is_of(name)))
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
    fn the_program_is_known_by_its_name() {
        let vim = habits_of("vim").unwrap().options;
        for (command, options) in [
            ("LANG=C '/opt/x y/nvim' -u NONE", Some(vim)),
            ("/opt/vim.basic", Some(vim)),
            ("nano -l", Some(&["-R"])),
            ("code --wait", Some(&[])),
            ("myvim", None),
            ("sed -i s/vim/x/", Some(&[])),
            ("umask 0; vim", None),
        ] {
            let editor = Editor::of(command.into());
            assert_eq!(editor.habits.map(|it| it.options), options, "{command}");
        }
    }

    #[test]
    fn what_is_not_known_to_keep_nothing_is_warned_of() {
        for (command, warned) in [
            ("vim", None),
            ("code --wait", Some("this editor copies what it saves")),
            ("env my\\ vi -x", Some("my vi is not known")),
            ("umask 0; vim", Some("this editor is not known")),
        ] {
            let warning = Editor::of(command.into()).warning();
            let found = warning
                .as_deref()
                .map(|it| it.starts_with(warned.unwrap_or("-")));
            assert_eq!(found, warned.map(|_| true), "{warning:?}");
        }
    }
}
