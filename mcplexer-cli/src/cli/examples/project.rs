//! The end of the help of the commands about projects.

use super::sections::project;

pub(in crate::cli) const TRUST: &str = concat!(
    "\
A mcplexer.yaml counts once you trust it: mcplexer run and the hook refuse it until then, and again when it or a .env file \
that it names was changed. A coding agent cannot trust one for you.

Examples:
  mcplexer trust --show
  mcplexer trust ~/code/shop
  mcplexer trust --revoke ~/code/shop",
    project!()
);

pub(in crate::cli) const HOOK: &str = concat!(
    "\
When you enter the directory of a trusted project, the hook sets the variables that its mcplexer.yaml names. When you \
leave it, they are what they were before. Everything that you start meanwhile gets them; mcplexer run gives them to one \
command only. The variables are set anew when the project or the profile changes, not when a secret does.

Examples:
  eval \"$(mcplexer hook bash)\"            # in ~/.bashrc; the same with zsh in ~/.zshrc
  mcplexer hook fish | source             # in ~/.config/fish/config.fish
  eval \"$(mcplexer hook direnv)\"          # in .envrc",
    project!()
);
