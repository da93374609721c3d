//! Variables that belong to an interactive shell.
//!
//! Setting one changes the shell itself: it takes another user's rights, runs code that the value contains, or ends with an
//! error. A command that gets it is another process, so `mcplexer run` passes it.
//!
//! The names are those of bash(1), "Shell Variables"; zshparam(1), "Parameters Set By The Shell" and "Parameters Used By
//! The Shell"; and fish, "Special variables". Left out is what `.env` files set for other programs and a shell only reads,
//! such as `HOST`, `LANG` and `TZ`.

const NAMES: &str = "\
    _ ARGC BASH BASHOPTS BASHPID BAUD CDPATH CHILD_MAX CMD_DURATION COLUMNS COMPREPLY COPROC CPUTYPE DIRSTACK DIRSTACKSIZE EGID \
    EMACS EPOCHREALTIME EPOCHSECONDS ERRNO EUID EXECIGNORE FCEDIT FIGNORE FISH_VERSION FUNCNAME FUNCNEST GID GLOBIGNORE \
    GLOBSORT GROUPS HISTCHARS HISTCMD HISTCONTROL HISTFILE HISTFILESIZE HISTIGNORE HISTSIZE HISTTIMEFORMAT HOSTFILE \
    HOSTTYPE IGNOREEOF INSIDE_EMACS KEYBOARD_HACK KEYTIMEOUT LINENO LINES LISTMAX LOGCHECK LOGNAME MACHTYPE MAIL MAILCHECK \
    MAILPATH MANPATH MAPFILE MBEGIN MEND MATCH MODULE_PATH OLDPWD OPTARG OPTERR OPTIND OSTYPE PIPESTATUS POSIXLY_CORRECT \
    POSTEDIT PPID PS0 PS1 PS2 PS3 PSVAR PWD RANDOM REPLY REPORTMEMORY REPORTTIME RPS1 RPS2 SAVEHIST SECONDS SHLVL SPROMPT \
    SRANDOM STTY TIMEFMT TIMEFORMAT TMOUT TMPPREFIX TMPSUFFIX TRY_BLOCK_ERROR TRY_BLOCK_INTERRUPT TTY TTYIDLE UID USERNAME \
    VENDOR WATCH WATCHFMT WORDCHARS argv auto_resume cdpath fignore fpath histchars history hostname ignoreeof last_pid \
    mailpath manpath mbegin mend match module_path path pipestatus prompt psvar reply signals status umask version watch";

/// `MCPLEXER_HOME` would lead the hook to another list of trusted projects.
const PREFIXES: [&str; 12] = [
    "BASH_",
    "COMP_",
    "MCPLEXER_",
    "PROMPT",
    "READLINE_",
    "RPROMPT",
    "ZLE_",
    "ZSH_",
    "__fish_",
    "_mcplexer_",
    "fish_",
    "zsh_",
];

/// Returns whether a variable is a shell's own.
pub(in crate::commands) fn is_special(name: &str) -> bool {
    let mut names = NAMES.split_ascii_whitespace();
    names.any(|it| it == name) || PREFIXES.iter().any(|it| name.starts_with(it))
}
