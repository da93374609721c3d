//! The shells, each with nothing of its user's and with the prompt `$ `.

/// A shell.
pub(crate) struct Shell {
    /// The program, and the arguments with which it reads no files of its user.
    pub(crate) command: &'static [&'static str],
    /// A variable that sets the prompt.
    pub(crate) prompt: (&'static str, &'static str),
}

/// The shells in which the days are played.
pub(crate) const SHELLS: [Shell; 3] = [
    Shell {
        command: &["bash", "--norc", "--noprofile"],
        prompt: ("PS1", "$ "),
    },
    Shell {
        command: &["zsh", "-f", "-o", "no_prompt_sp"],
        prompt: ("PS1", "$ "),
    },
    Shell {
        command: &[
            "fish",
            "--no-config",
            "--init-command",
            "set -g fish_greeting; set -g fish_autosuggestion_enabled 0; function fish_prompt; printf '$ '; end",
        ],
        prompt: ("PS1", ""),
    },
];
