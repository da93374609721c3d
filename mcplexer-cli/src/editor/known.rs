//! What programs of some names do with the text that they edit.

use std::ffi::OsStr;

/// What is known of an editor.
#[derive(Debug)]
pub(super) struct Habits {
    names: &'static [&'static str],
    /// Options that keep copies away from the disk.
    pub(super) options: &'static [&'static str],
    /// What cannot be kept from it.
    pub(super) keeps: Option<&'static str>,
}

impl Habits {
    /// Returns whether a program with this name is one of these.
    pub(super) fn is_of(&self, name: &OsStr) -> bool {
        self.names.iter().any(|known| name == *known)
    }
}

/// Sets the options of vim and Neovim so that copies stay beside the file, and registers go to no file. A tiny vim
/// lacks some of them, and only Neovim has the last two.
macro_rules! keep_copies_in_memory {
    () => {
        "silent! set nobackup nowritebackup patchmode= backupdir=. directory=.\
         |silent! set noswapfile updatecount=0\
         |silent! set noundofile\
         |silent! set undodir=.\
         |silent! set viminfo=\
         |silent! set viminfofile=NONE\
         |silent! set shada=\
         |silent! set shadafile=NONE"
    };
}

/// The command with which vim sets them at an event, behind all commands that the user's settings have registered for
/// it so far.
macro_rules! late {
    () => {
        concat!(
            "autocmd! mcplexer_late BufReadPost,VimEnter,BufWritePre,FileWritePre,FileAppendPre,VimLeavePre * ",
            keep_copies_in_memory!()
        )
    };
}

/// Editors that keep no copies, or only some that are known.
pub(super) const KNOWN: [Habits; 6] = [
    Habits {
        names: &[
            "vim",
            "nvim",
            "vimx",
            "vim.basic",
            "vim.tiny",
            "vim.nox",
            "vim.gtk",
            "vim.gtk3",
            "vim.athena",
            "vim.motif",
        ],
        // The settings of the user override the first three. They are read before the file, whose events come then.
        options: &[
            "-n",
            "-i",
            "NONE",
            "--cmd",
            "augroup mcplexer|augroup mcplexer_late|augroup END",
            "--cmd",
            concat!(
                "autocmd mcplexer BufReadPre,BufNewFile * ",
                keep_copies_in_memory!()
            ),
            "--cmd",
            concat!("autocmd mcplexer BufReadPre,BufNewFile * ", late!()),
            "--cmd",
            // It comes after each file of settings. Older ones do not have it.
            concat!("silent! autocmd mcplexer SourcePost * ", late!()),
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
    // With its options, it writes a copy beside the file.
    Habits {
        names: &["sed"],
        options: &[],
        keeps: None,
    },
];
