//! `mcplexer connect`

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::PathBuf;

use mcplexer_gateway::{Connect as Bridge, Start};
use mcplexer_home::{Home, harden, servers};

use crate::cli::{Connect, Global};
use crate::failure::Failure;
use crate::stderr::{say, say_hint};

pub(super) fn run(arguments: Connect, global: Global) -> Result<(), Failure> {
    // Looked up first, because a hardened process may not be able to.
    let own = own_path()?;
    // What passes may have values in it.
    harden();
    let home = Home::from_env()?;
    if let Some(name) = &arguments.server
        && let Err(error @ servers::Error::NotFound { .. }) = servers::show(&home, name)
    {
        return Err(error.into());
    }
    tell_waiting(global);
    let start = start(&home, own);
    let bridge = Bridge::new(arguments.client.map(String::from), arguments.server, start);
    // Past the buffers of the standard streams: messages are passed on whole.
    let stream = |fd: io::Result<std::os::fd::OwnedFd>| {
        fd.map(File::from)
            .map_err(|error| Failure::new(format!("cannot use the standard streams: {error}")))
    };
    let input = stream(io::stdin().as_fd().try_clone_to_owned())?;
    let output = stream(io::stdout().as_fd().try_clone_to_owned())?;
    Ok(bridge.run(input, output)?)
}

/// Says on a terminal, where no client is, what is waited for, and how a client gets there.
pub(super) fn tell_waiting(global: Global) {
    if io::stdin().is_terminal() && !global.quiet {
        say("waiting for a client on standard input; AI clients start this command themselves");
        say_hint(
            "mcplexer client install NAME --write makes an AI client start it; Ctrl-C ends it here",
        );
    }
}

/// Returns how the gateway in the background is reached, and started if needed.
pub(super) fn start(home: &Home, own: PathBuf) -> Start {
    let background = ["serve", "--background"].map(Into::into).to_vec();
    Start::new(home, own, background)
}

/// Returns the path of this program.
pub(super) fn own_path() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::new(format!("cannot find the path of mcplexer itself: {error}")))
}
