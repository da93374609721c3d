//! `mcplexer serve`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use mcplexer_files::config::Config;
use mcplexer_gateway::{
    Control, ControlError, Daemon, DaemonError, Endpoint, HttpClients, Log, Options, Peer,
    SealingKey, log_file, run_daemon, run_stdio,
};
use mcplexer_home::{Home, OpenHome, config, harden, servers};

use super::connect::{own_path, tell_waiting};
use crate::cli::{Global, Serve};
use crate::exit_code;
use crate::failure::Failure;
use crate::process::launcher;
use crate::session::Terminal;
use crate::stderr::{say, say_hint, say_warning};

pub(super) fn run(arguments: Serve, global: Global) -> Result<(), Failure> {
    if arguments.stop {
        return stop(global);
    }
    let gateway = Parts::new()?;
    if arguments.background {
        // It outlives the client, and the terminal that the client runs in.
        let _leads_already = rustix::process::setsid();
        let log = Log::to_file(log_file(gateway.home())).map_err(|error| {
            Failure::new(format!("cannot write the log of the gateway: {error}"))
        })?;
        return daemon(gateway, None, log, silent(global));
    }
    if let Some(address) = arguments.http {
        return daemon(gateway, Some(address), Log::to_stderr(), global);
    }
    if let Some(name) = &arguments.server {
        servers::show(gateway.home(), name)?;
    }
    let endpoint = arguments.server.map_or(Endpoint::All, Endpoint::One);
    let uid = rustix::process::getuid().as_raw();
    let parent =
        rustix::process::getppid().and_then(|it| it.as_raw_nonzero().get().try_into().ok());
    let peer = Peer::process(arguments.client.map(String::from), uid, parent);
    // Standard input is the client's.
    let (home, config, options) = gateway.open(Log::to_stderr(), silent(global))?;
    tell_waiting(global);
    let served = run_stdio(home, config, endpoint, peer, options);
    served.map_err(|error| Failure::new(format!("cannot serve: {error}")))
}

/// Serves every client of the user.
fn daemon(
    gateway: Parts,
    address: Option<SocketAddr>,
    log: Log,
    global: Global,
) -> Result<(), Failure> {
    let daemon = Daemon::listen(gateway.home(), address);
    let daemon = daemon.map_err(|error| runs_already(error, gateway.home(), address))?;
    let clients = HttpClients::of(gateway.home());
    if address.is_some() && clients.list()?.is_empty() && !global.quiet {
        say_warning("no client has a token for HTTP");
        say_hint("mcplexer client add NAME makes one; mcplexer connect needs none");
    }
    let (home, config, options) = gateway.open(log, global)?;
    let served = run_daemon(daemon, home, config, clients.access(), options);
    served.map_err(|error| Failure::new(format!("cannot serve: {error}")))
}

/// Says what to do where a gateway runs that a client has started, which serves no HTTP.
fn runs_already(error: DaemonError, home: &Home, address: Option<SocketAddr>) -> Failure {
    let is_asked = address.is_some() && matches!(error, DaemonError::Runs { .. });
    let status = is_asked.then(|| Control::of(home).status().ok()).flatten();
    match status {
        Some(status) if status.http.is_none() => Failure::new(format!("{error}, without HTTP"))
            .with_hint("mcplexer serve --stop ends it; then mcplexer serve --http serves its clients as well")
            .with_code(exit_code::BUSY),
        _ => error.into(),
    }
}

fn stop(global: Global) -> Result<(), Failure> {
    let stopped = Control::of(&Home::from_env()?).stop();
    stopped.map_err(not_ended)?;
    if !global.quiet {
        say("the gateway has ended");
    }
    Ok(())
}

/// Returns the failure to end something of the gateway.
pub(super) fn not_ended(error: ControlError) -> Failure {
    match error {
        // Nothing has to be done: who ends one does not want to start one.
        ControlError::NotRunning => Failure::new(error.to_string())
            .with_hint("there is nothing to end")
            .with_code(exit_code::NOT_FOUND),
        error => error.into(),
    }
}

fn silent(global: Global) -> Global {
    Global {
        no_input: true,
        ..global
    }
}

/// What a gateway needs, besides its log.
pub(super) struct Parts {
    own: PathBuf,
    home: Home,
}

impl Parts {
    /// Finds the home, and hardens the process.
    pub(super) fn new() -> Result<Self, Failure> {
        // Looked up first, because a hardened process may not be able to.
        let own = own_path()?;
        harden();
        let home = Home::from_env()?;
        Ok(Self { own, home })
    }

    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    /// Opens the store, reads the configuration and the key for sessions. A key with a passphrase is opened now, while
    /// somebody is there to be asked; without a terminal it stays closed, and calls say so.
    pub(super) fn open(
        self,
        log: Log,
        global: Global,
    ) -> Result<(Arc<OpenHome>, Config, Options), Failure> {
        let config = config::of_home(&self.home)?.unwrap_or_default();
        let run = self.home.run_directory();
        let open = OpenHome::open(self.home, Terminal::new(global))?;
        if !global.no_input && open.has_store() && Terminal::is_there() {
            open.identities()?;
        }
        let key = SealingKey::in_file(&open.home().gateway_key())?;
        let mut options = Options::default();
        options.launcher = Some(launcher(self.own));
        options.run_directory = Some(run);
        options.sealing_key = Some(key);
        options.log = Arc::new(log);
        options.site = Some(mcplexer_page::page());
        Ok((Arc::new(open), config, options))
    }
}
