//! `mcplexer ui`

use mcplexer_gateway::Control;
use mcplexer_home::{Home, harden};

use super::connect::{own_path, start};
use super::serve::not_ended;
use crate::cli::{Global, Ui};
use crate::failure::Failure;
use crate::output::print;
use crate::stderr::{say, say_hint};
use crate::text::count;

pub(super) fn run(arguments: &Ui, global: Global) -> Result<(), Failure> {
    let own = own_path()?;
    harden();
    let home = Home::from_env()?;
    let control = Control::of(&home);
    if arguments.stop {
        let ended = control.end_sessions().map_err(not_ended)?;
        if !global.quiet {
            say(&format!("ended {}", count(ended as u64, "session")));
        }
        return Ok(());
    }
    start(&home, own).begin()?;
    let address = control.page()?;
    if arguments.no_browser || !has_browser() || open::that_detached(&address).is_err() {
        return print(&format!("{address}\n"));
    }
    if !global.quiet {
        say("opened the page in the browser");
        say_hint("if none came up: mcplexer ui --no-browser prints the address");
    }
    Ok(())
}

/// Whether a browser can be shown. On Linux it needs a display; in the subsystem of Windows, that of Windows opens.
fn has_browser() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|it| !it.is_empty());
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"]
            .into_iter()
            .any(is_set)
}
