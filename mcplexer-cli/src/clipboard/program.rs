//! The programs that copy, paste and clear.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mcplexer_secrets::MAX_VALUE_LEN;
use zeroize::Zeroizing;

use super::NotCopied;
use super::limited::{Deadline, feed, read};
use crate::process::{find, without_own_variables};
use crate::scratch::{is_in_memory, places_in_memory};

/// A way to the clipboard of the desktop. A value goes through standard input, and is never an argument.
#[derive(Debug)]
pub(crate) struct Program {
    kind: Kind,
    /// The path of the program that copies and clears.
    copier: PathBuf,
    /// The path of the one that pastes.
    paster: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `wl-copy` and `wl-paste` of Wayland.
    WlCopy,
    /// `xclip` of X11.
    Xclip,
    /// `xsel` of X11.
    Xsel,
    /// `pbcopy` and `pbpaste` of macOS.
    Pbcopy,
}

/// More than `wl-copy --help` prints.
const MAX_HELP_LEN: usize = 1 << 16;

/// Arguments.
type Words = &'static [&'static str];

impl Kind {
    const ALL: [Self; 4] = [Self::WlCopy, Self::Xclip, Self::Xsel, Self::Pbcopy];

    /// Returns the names of the program that copies and clears, and of the one that pastes.
    fn names(self) -> [&'static str; 2] {
        match self {
            Self::WlCopy => ["wl-copy", "wl-paste"],
            Self::Xclip => ["xclip", "xclip"],
            Self::Xsel => ["xsel", "xsel"],
            Self::Pbcopy => ["pbcopy", "pbpaste"],
        }
    }

    fn copying(self) -> Words {
        match self {
            Self::WlCopy => &["--type", "text/plain;charset=utf-8"],
            Self::Xclip => &["-selection", "clipboard", "-in"],
            Self::Xsel => &["--clipboard", "--input"],
            Self::Pbcopy => &[],
        }
    }

    fn pasting(self) -> Words {
        match self {
            Self::WlCopy => &["--no-newline"],
            Self::Xclip => &["-selection", "clipboard", "-out"],
            Self::Xsel => &["--clipboard", "--output"],
            Self::Pbcopy => &[],
        }
    }

    fn clearing(self) -> Words {
        match self {
            Self::WlCopy => &["--clear"],
            Self::Xsel => &["--clipboard", "--clear"],
            // Nothing on standard input takes the place of what was there.
            Self::Xclip | Self::Pbcopy => self.copying(),
        }
    }

    /// Finds the programs, if they are installed.
    fn installed(self) -> Option<Program> {
        let [copier, paster] = self.names().map(|name| find(name.as_ref()));
        Some(Program {
            kind: self,
            copier: copier?,
            paster: paster?,
        })
    }
}

impl Program {
    /// Finds the program for the desktop of this session.
    ///
    /// # Errors
    ///
    /// `NoDesktop`, `NoProgram` or `OnDisk`.
    pub(crate) fn find() -> Result<Self, NotCopied> {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let (wayland, x11) = (is_set("WAYLAND_DISPLAY"), is_set("DISPLAY"));
        let mut missing = NotCopied::NoDesktop;
        if cfg!(target_os = "macos") {
            let install = "pbcopy and pbpaste";
            let installed = Kind::Pbcopy.installed();
            return installed.ok_or(NotCopied::NoProgram { install });
        }
        if wayland {
            match Kind::WlCopy.installed() {
                Some(program) if program.keeps_off_disks() => return Ok(program),
                Some(_) => missing = NotCopied::OnDisk,
                None => {
                    missing = NotCopied::NoProgram {
                        install: "wl-clipboard",
                    }
                }
            }
        }
        if x11 {
            let mut kinds = [Kind::Xclip, Kind::Xsel].into_iter();
            match kinds.find_map(Kind::installed) {
                Some(program) => return Ok(program),
                None if wayland => {}
                None => {
                    missing = NotCopied::NoProgram {
                        install: "xclip or xsel",
                    }
                }
            }
        }
        Err(missing)
    }

    /// Returns the program with this name and these paths, of which another process has found it.
    pub(super) fn found(name: &str, copier: PathBuf, paster: PathBuf) -> Option<Self> {
        let mut kinds = Kind::ALL.into_iter();
        let kind = kinds.find(|it| it.names()[0] == name)?;
        Some(Self {
            kind,
            copier,
            paster,
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.kind.names()[0]
    }

    /// Returns the paths with which another process finds the same program.
    pub(super) fn paths(&self) -> [&Path; 2] {
        [&self.copier, &self.paster]
    }

    /// Copies a value.
    ///
    /// # Errors
    ///
    /// `Program` if the program fails.
    pub(crate) fn copy(&self, value: &[u8]) -> Result<(), NotCopied> {
        let mut command = command(&self.copier, self.kind.copying());
        if self.kind == Kind::WlCopy && self.is_recent() {
            // Clipboard managers leave out what has the hint that comes with it.
            command.arg("--sensitive");
            if let Some(place) = places_in_memory().next() {
                command.env("TMPDIR", place);
            }
        }
        feed(&mut command, value).map_err(|how| {
            let name = self.name();
            NotCopied::Program { name, how }
        })?;
        if matches!(self.kind, Kind::Xclip | Kind::Xsel) {
            // The process that serves the value goes on in the background, perhaps before it does serve it. Another
            // program may have copied something since then; the clipboard is cleared later in any case.
            let _something_else = self.wait_until(|held| held == value);
        }
        Ok(())
    }

    /// Returns what the clipboard holds, or `None` if that is longer than any value.
    pub(super) fn paste(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let mut command = command(&self.paster, self.kind.pasting());
        let held = read(&mut command, MAX_VALUE_LEN + 1)?;
        Ok((held.len() <= MAX_VALUE_LEN).then_some(held))
    }

    /// Empties the clipboard, and waits until it no longer holds the value.
    pub(super) fn clear(&self, is_value: impl Fn(&[u8]) -> bool) -> Result<(), String> {
        feed(&mut command(&self.copier, self.kind.clearing()), &[])?;
        self.wait_until(|held| !is_value(held))
    }

    /// Waits until the clipboard holds what it should.
    fn wait_until(&self, is_so: impl Fn(&[u8]) -> bool) -> Result<(), String> {
        let deadline = Deadline::start();
        loop {
            let held = self.paste().map_err(|error| error.to_string())?;
            if held.is_some_and(|held| is_so(&held)) {
                return Ok(());
            }
            let late = |_| "has not changed the clipboard within 10 s".to_owned();
            deadline.pause().map_err(late)?;
        }
    }

    /// Returns whether `wl-copy` keeps what it serves off the disks. It does so in a file: where TMPDIR says from
    /// version 2.3 on, and in /tmp before that.
    fn keeps_off_disks(&self) -> bool {
        let is_memory = is_in_memory("/tmp".as_ref());
        is_memory || (self.is_recent() && places_in_memory().next().is_some())
    }

    /// Returns whether `wl-copy` is of version 2.3 or later.
    fn is_recent(&self) -> bool {
        let help = read(&mut command(&self.copier, &["--help"]), MAX_HELP_LEN);
        help.is_ok_and(|it| it.windows(11).any(|part| part == b"--sensitive"))
    }
}

/// A command without output: these programs go on in the background, and would hold it open.
fn command(path: &Path, arguments: Words) -> Command {
    let mut command = Command::new(path);
    command.args(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    without_own_variables(&mut command);
    command
}
