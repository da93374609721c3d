//! What shells read: the hook, and the code that changes their variables.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::HookShell;

/// Stands for the path of this program in a hook.
const OWN: &str = "MCPLEXER hook";

/// Returns the hook of a shell. The path of this program is in it: a `PATH` that has the working directory in it would
/// start a program of the project instead.
pub(super) fn hook(shell: HookShell, own: &Path) -> Vec<u8> {
    let script = match shell {
        HookShell::Bash => include_str!("hook.bash"),
        HookShell::Zsh => include_str!("hook.zsh"),
        HookShell::Fish | HookShell::Direnv => include_str!("hook.fish"),
    };
    let mut text = Vec::new();
    let mut parts = script.split(OWN);
    text.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        push_quoted(&mut text, shell, own.as_os_str().as_bytes());
        text.extend_from_slice(b" hook");
        text.extend_from_slice(part.as_bytes());
    }
    text
}

/// Code for a shell, which has values in it.
pub(super) struct Code {
    shell: HookShell,
    text: Zeroizing<Vec<u8>>,
}

impl Code {
    pub(super) fn new(shell: HookShell) -> Self {
        let text = Zeroizing::default();
        Self { shell, text }
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Takes the variables back that are set, says so if asked to, and remembers a state.
    pub(super) fn unload(&mut self, state: &str, is_said: bool) {
        let said = match is_said {
            true => " 'took back the variables of the project'",
            false => "",
        };
        let state = match self.shell {
            HookShell::Bash | HookShell::Zsh => {
                format!("_mcplexer_unload{said}; _mcplexer_state='{state}';\n")
            }
            HookShell::Fish => {
                format!("_mcplexer_unload{said}; set -g _mcplexer_state '{state}'\n")
            }
            // It takes back itself what a .envrc has set.
            HookShell::Direnv => String::new(),
        };
        self.text.extend_from_slice(state.as_bytes());
    }

    /// Sets variables, whose names [`is_name`] accepts. Then the shell says what it has set of the project at a path, since it
    /// may have kept variables of its own, and adds another text.
    pub(super) fn set(&mut self, variables: &[(&str, &OsStr)], said: Option<(String, String)>) {
        let mut told = Vec::new();
        if let Some((path, but)) = said {
            told.extend_from_slice(b"_mcplexer_told ");
            push_quoted(&mut told, self.shell, path.as_bytes());
            told.push(b' ');
            push_quoted(&mut told, self.shell, but.as_bytes());
            told.push(b'\n');
        }
        // It does not grow while values are in it, which would leave copies behind.
        let room = variables
            .iter()
            .map(|(name, value)| name.len() + 4 * value.len() + 32);
        let mut text = Zeroizing::new(Vec::with_capacity(
            self.text.len() + told.len() + room.sum::<usize>(),
        ));
        text.extend_from_slice(&self.text);
        for (name, value) in variables {
            let set = match self.shell {
                HookShell::Direnv => format!("export {name}="),
                _ => format!("_mcplexer_set {name} "),
            };
            text.extend_from_slice(set.as_bytes());
            push_quoted(&mut text, self.shell, value.as_bytes());
            text.push(b'\n');
        }
        text.extend_from_slice(&told);
        self.text = text;
    }
}

/// Returns whether every shell takes a name for that of a variable.
pub(super) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let is_first = |it: u8| it.is_ascii_alphabetic() || it == b'_';
    bytes.next().is_some_and(is_first) && bytes.all(|it| is_first(it) || it.is_ascii_digit())
}

/// Adds a text in single quotes, in which only the quote is special, and in fish the backslash.
fn push_quoted(text: &mut Vec<u8>, shell: HookShell, value: &[u8]) {
    text.push(b'\'');
    for &byte in value {
        match (shell, byte) {
            (HookShell::Fish, b'\'' | b'\\') => text.extend_from_slice(&[b'\\', byte]),
            (_, b'\'') => text.extend_from_slice(b"'\\''"),
            _ => text.push(byte),
        }
    }
    text.push(b'\'');
}
