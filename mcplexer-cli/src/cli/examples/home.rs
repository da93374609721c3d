//! The end of the help of the commands about a home, and of those about the command line.

use super::sections::{completions, man, store};

pub(in crate::cli) const INIT: &str = concat!(
    "\
Examples:
  mcplexer init
  MCPLEXER_HOME=/srv/tools mcplexer init",
    store!()
);

pub(in crate::cli) const DOCTOR: &str = concat!(
    "\
Examples:
  mcplexer doctor
  mcplexer doctor --fix
  mcplexer doctor --strict                # in a script: fails for warnings as well",
    store!()
);

pub(in crate::cli) const COMPACT: &str = concat!(
    "\
Examples:
  mcplexer compact
  mcplexer -q compact",
    store!()
);

pub(in crate::cli) const COMPLETIONS: &str = concat!(
    "\
In bash, zsh and fish, Tab also completes scopes, keys, servers and backups. The script runs mcplexer for them; it needs no \
key and reads no value.

Examples:
  mcplexer completions bash > ~/.local/share/bash-completion/completions/mcplexer
  mcplexer completions fish > ~/.config/fish/completions/mcplexer.fish
  mcplexer completions zsh > ~/.zfunc/_mcplexer    # and fpath+=~/.zfunc before compinit in ~/.zshrc",
    completions!()
);

pub(in crate::cli) const MAN: &str = concat!(
    "\
Examples:
  mcplexer man | man -l -
  mcplexer man secret put | man -l -
  mcplexer man > ~/.local/share/man/man1/mcplexer.1",
    man!()
);
