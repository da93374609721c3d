//! Puts a value on the clipboard instead of printing it.

use mcplexer_secrets::SecretValue;

use crate::cli::{Clip, Get};
use crate::clipboard::{Clearing, NotCopied, Program, copy_by_terminal};
use crate::exit_code;
use crate::failure::Failure;
use crate::session::Session;

/// Seconds after which the clipboard is cleared.
const CLEAR_AFTER: u32 = 45;

/// Where a value is copied to, found before the store is opened.
pub(super) enum Target {
    Desktop(Program, std::io::Result<std::path::PathBuf>),
    Terminal,
}

impl Target {
    pub(super) fn find(clip: Clip, get: &Get) -> Result<Self, Failure> {
        // The path is looked up first, because a hardened process may not be able to.
        let own = std::env::current_exe();
        match clip {
            Clip::Desktop => Ok(Self::Desktop(Program::find()?, own)),
            Clip::Terminal if get.clear_after.is_some() => Err(Failure::new(
                "--clear-after is for the clipboard of the desktop",
            )
            .with_hint("leave it out: a terminal does not say what it holds, and is not cleared")
            .with_code(exit_code::USAGE)),
            Clip::Terminal => Ok(Self::Terminal),
        }
    }

    /// Copies the value, and tells how long it stays.
    pub(super) fn copy(
        self,
        get: &Get,
        value: &SecretValue,
        session: &Session,
    ) -> Result<(), Failure> {
        let secret = get.key.first();
        let secret = secret.map_or_else(String::new, |key| format!("{}/{key}", get.scope));
        if str::from_utf8(value.expose()).is_err() {
            return Err(
                Failure::new(format!("{secret} is not text, and a clipboard takes text"))
                    .with_hint(format!("mcplexer secret get {secret} > FILE"))
                    .with_code(exit_code::USAGE),
            );
        }
        let (program, own) = match self {
            Self::Terminal => {
                copy_by_terminal(value.expose())?;
                session.tell(&format!("asked the terminal to copy {secret}"));
                session.hint("it does not answer, and is not cleared: copy something else when you have pasted it");
                return Ok(());
            }
            Self::Desktop(program, own) => (program, own),
        };
        program.copy(value.expose())?;
        let seconds = get.clear_after.unwrap_or(CLEAR_AFTER);
        if seconds == 0 {
            Clearing::new(program, seconds).end_earlier();
            session.tell(&format!("copied {secret} to the clipboard"));
            return Ok(());
        }
        let clearing = Clearing::new(program, seconds);
        let started = own.and_then(|own| clearing.start(&own, value.expose()));
        started.map_err(|error| {
            Failure::new(format!(
                "copied {secret} to the clipboard, which is not cleared: {error}"
            ))
            .with_hint("copy something else when you have pasted it")
        })?;
        session.tell(&format!(
            "copied {secret} to the clipboard; it is cleared in {seconds} s"
        ));
        Ok(())
    }
}

impl From<NotCopied> for Failure {
    fn from(error: NotCopied) -> Self {
        let by_terminal = "--clip=terminal asks the terminal to copy it";
        match error {
            NotCopied::NoDesktop => {
                Self::new("there is no clipboard: neither WAYLAND_DISPLAY nor DISPLAY is set")
                    .with_hint(by_terminal)
            }
            NotCopied::NoProgram { install } => {
                Self::new("there is no program for the clipboard of this desktop")
                    .with_hint(format!("install {install}"))
                    .with_hint(by_terminal)
            }
            NotCopied::OnDisk => {
                Self::new("this wl-copy would keep the value in a file in /tmp, which is on a disk")
                    .with_hint(
                        "install wl-clipboard 2.3 or later; or xclip or xsel, if DISPLAY is set",
                    )
                    .with_hint(by_terminal)
            }
            NotCopied::Program { name, how } => {
                Self::new(format!("nothing was copied: {name} {how}"))
                    .with_hint("WAYLAND_DISPLAY or DISPLAY must name a desktop that runs")
            }
            NotCopied::NoTerminal(error) => Self::new(format!("there is no terminal: {error}"))
                .with_hint("run it in a terminal"),
            NotCopied::TooLong => {
                Self::new("the value is longer than the 74,994 bytes that terminals copy")
                    .with_hint("mcplexer secret get prints it")
            }
        }
    }
}
