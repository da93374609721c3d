//! The arguments of `mcplexer trust` and `mcplexer hook`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::examples;

#[derive(Debug, Args)]
#[command(after_help = examples::TRUST)]
pub(crate) struct Trust {
    /// Directory of the project [default: the one above you that has a mcplexer.yaml]
    #[arg(value_name = "DIR", conflicts_with = "list")]
    pub(crate) directory: Option<PathBuf>,
    /// Show what the project gives to its commands, and trust nothing
    #[arg(long, conflicts_with_all = ["revoke", "list"])]
    pub(crate) show: bool,
    /// Trust the project no longer
    #[arg(long, conflicts_with = "list")]
    pub(crate) revoke: bool,
    /// List the projects that are trusted
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Debug, Args)]
#[command(after_help = examples::HOOK)]
pub(crate) struct Hook {
    /// Shell, or direnv
    pub(crate) shell: HookShell,
    /// Print what changes the variables of a shell in which this state is loaded
    #[arg(long, hide = true, value_name = "STATE")]
    pub(crate) loaded: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HookShell {
    /// A hook for ~/.bashrc
    Bash,
    /// A hook for ~/.zshrc
    Zsh,
    /// A hook for ~/.config/fish/config.fish
    Fish,
    /// The variables themselves, for a .envrc
    Direnv,
}

impl HookShell {
    /// Returns the name of the program.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Direnv => "direnv",
        }
    }
}
