//! The programs that copy, paste and clear.

use std::env;
use std::io::{self, Read, Write};
use std::process::{Command, Stdio};

use mcplexer_secrets::MAX_VALUE_LEN;
use zeroize::Zeroizing;

use super::NotCopied;
use crate::process::{find, without_own_variables};
use crate::scratch::{is_in_memory, places_in_memory};

/// A way to the clipboard of the desktop. A value goes through standard input, and is never an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// `wl-copy` and `wl-paste` of Wayland.
    WlCopy,
    /// `xclip` of X11.
    Xclip,
    /// `xsel` of X11.
    Xsel,
    /// `pbcopy` and `pbpaste` of macOS.
    Pbcopy,
}

/// A program and its arguments.
type Words = &'static [&'static str];

impl Program {
    pub(super) const ALL: [Self; 4] = [Self::WlCopy, Self::Xclip, Self::Xsel, Self::Pbcopy];

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
            return Ok(Self::Pbcopy);
        }
        if wayland {
            match find("wl-copy".as_ref()).map(|_| keeps_off_disks()) {
                Some(true) => return Ok(Self::WlCopy),
                Some(false) => missing = NotCopied::OnDisk,
                None => {
                    missing = NotCopied::NoProgram {
                        install: "wl-clipboard",
                    }
                }
            }
        }
        if x11 {
            let mut programs = [Self::Xclip, Self::Xsel].into_iter();
            match programs.find(|it| find(it.name().as_ref()).is_some()) {
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

    pub(crate) fn name(self) -> &'static str {
        self.copying().first().copied().unwrap_or_default()
    }

    fn copying(self) -> Words {
        match self {
            Self::WlCopy => &["wl-copy", "--type", "text/plain;charset=utf-8"],
            Self::Xclip => &["xclip", "-selection", "clipboard", "-in"],
            Self::Xsel => &["xsel", "--clipboard", "--input"],
            Self::Pbcopy => &["pbcopy"],
        }
    }

    fn pasting(self) -> Words {
        match self {
            Self::WlCopy => &["wl-paste", "--no-newline"],
            Self::Xclip => &["xclip", "-selection", "clipboard", "-out"],
            Self::Xsel => &["xsel", "--clipboard", "--output"],
            Self::Pbcopy => &["pbpaste"],
        }
    }

    fn clearing(self) -> Words {
        match self {
            Self::WlCopy => &["wl-copy", "--clear"],
            Self::Xsel => &["xsel", "--clipboard", "--clear"],
            // Nothing on standard input takes the place of what was there.
            Self::Xclip | Self::Pbcopy => self.copying(),
        }
    }

    /// Copies a value.
    ///
    /// # Errors
    ///
    /// `Program` if the program fails.
    pub(crate) fn copy(self, value: &[u8]) -> Result<(), NotCopied> {
        let mut command = command(self.copying());
        if self == Self::WlCopy && is_recent() {
            // Clipboard managers leave out what has the hint that comes with it.
            command.arg("--sensitive");
            if let Some(place) = places_in_memory().next() {
                command.env("TMPDIR", place);
            }
        }
        feed(&mut command, value).map_err(|how| {
            let name = self.name();
            NotCopied::Program { name, how }
        })
    }

    /// Returns what the clipboard holds, or `None` if that is longer than any value.
    pub(super) fn paste(self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let mut child = command(self.pasting())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut held = Zeroizing::new(Vec::with_capacity(MAX_VALUE_LEN + 1));
        if let Some(out) = child.stdout.take() {
            let limit = MAX_VALUE_LEN as u64 + 1;
            out.take(limit).read_to_end(&mut held)?;
        }
        // It may still have something to write, to nobody.
        let _ended = child.kill();
        child.wait()?;
        Ok((held.len() <= MAX_VALUE_LEN).then_some(held))
    }

    /// Empties the clipboard.
    pub(super) fn clear(self) -> Result<(), String> {
        feed(&mut command(self.clearing()), &[])
    }
}

/// Returns whether `wl-copy` keeps what it serves off the disks. It does so in a file: where TMPDIR says from
/// version 2.3 on, and in /tmp before that.
fn keeps_off_disks() -> bool {
    let is_memory = is_in_memory("/tmp".as_ref());
    is_memory || (is_recent() && places_in_memory().next().is_some())
}

/// Returns whether `wl-copy` is of version 2.3 or later.
fn is_recent() -> bool {
    let help = command(&["wl-copy", "--help"])
        .stdout(Stdio::piped())
        .output();
    help.is_ok_and(|it| it.stdout.windows(11).any(|part| part == b"--sensitive"))
}

/// A command without output: these programs go on in the background, and would hold it open.
fn command(words: Words) -> Command {
    let (name, arguments) = words.split_first().unwrap_or((&"", &[]));
    let mut command = Command::new(name);
    command.args(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    without_own_variables(&mut command);
    command
}

/// Runs a command to its end with these bytes on standard input. Fails with how it ended.
fn feed(command: &mut Command, input: &[u8]) -> Result<(), String> {
    let mut child = command
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(input));
    let ended = child.wait().map_err(|error| error.to_string())?;
    match (ended.success(), written) {
        (true, Some(Ok(()))) => Ok(()),
        (true, _) => Err("did not read the value".to_owned()),
        (false, _) => Err(format!("failed ({ended})")),
    }
}
