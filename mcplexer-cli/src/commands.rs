//! The commands.

mod adopt;
mod audit;
mod backup;
mod calls;
#[cfg(feature = "serve")]
mod client;
mod compact;
mod config;
#[cfg(feature = "serve")]
mod connect;
mod doctor;
mod export;
mod hook;
mod import;
mod init;
mod inject;
mod key;
mod project;
mod reference;
mod run;
mod scan;
mod scope;
mod secret;
#[cfg(feature = "serve")]
mod serve;
mod server;
#[cfg(feature = "serve")]
mod status;
mod store;
mod trust;
#[cfg(feature = "serve")]
mod ui;

use clap::CommandFactory;
use mcplexer_home::moves::References;

use crate::cli::{Cli, Command, Later};
use crate::failure::Failure;
use crate::{exit_code, output};

pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Init => init::run(cli.global),
        Command::Secret(Later(command)) => secret::run(command, cli.global),
        Command::Scope(Later(command)) => scope::run(command, cli.global),
        Command::Config(Later(command)) => config::run(command, cli.global),
        Command::Server(Later(command)) => server::run(command, cli.global),
        #[cfg(feature = "serve")]
        Command::Serve(Later(arguments)) => serve::run(arguments, cli.global),
        #[cfg(feature = "serve")]
        Command::Connect(Later(arguments)) => connect::run(arguments, cli.global),
        #[cfg(feature = "serve")]
        Command::Ui(Later(arguments)) => ui::run(&arguments, cli.global),
        #[cfg(feature = "serve")]
        Command::Status { json } => status::run(json),
        #[cfg(feature = "serve")]
        Command::Client(Later(command)) => client::run(command, cli.global),
        Command::Run(Later(arguments)) => run::run(arguments, cli.global),
        Command::Trust(Later(arguments)) => trust::run(&arguments, cli.global),
        Command::Hook(Later(arguments)) => hook::run(&arguments, cli.global),
        Command::Adopt(Later(arguments)) => adopt::run(&arguments, cli.global),
        Command::Inject(Later(arguments)) => inject::run(&arguments, cli.global),
        Command::Import(Later(arguments)) => import::run(&arguments, cli.global),
        Command::Export(Later(arguments)) => export::run(&arguments, cli.global),
        Command::Scan(Later(arguments)) => scan::run(&arguments, cli.global),
        Command::Key(Later(command)) => key::run(command, cli.global),
        Command::Backup(Later(command)) => backup::run(command, cli.global),
        Command::Store(Later(command)) => store::run(command, cli.global),
        Command::Doctor { fix, strict, json } => doctor::run(fix, strict, json, cli.global),
        Command::Compact => compact::run(cli.global),
        Command::Audit(Later(command)) => audit::run(command, cli.global),
        Command::Calls(Later(arguments)) => calls::run(&arguments, cli.global),
        Command::Completions { shell } => reference::completions(shell),
        Command::Man { command } => reference::man(&command),
        Command::Version => output::print(&Cli::command().render_version()),
        Command::ExitCodes => output::print(&format!("{}\n", exit_code::HELP)),
    }
}

/// What to do with references in config.yaml to a name that is removed.
fn references(leave: bool) -> References {
    match leave {
        true => References::Leave,
        false => References::Refuse,
    }
}
