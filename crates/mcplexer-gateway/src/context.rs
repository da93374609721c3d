//! What all servers share.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use mcplexer_files::config::ServerName;
use mcplexer_home::OpenHome;
use mcplexer_secrets::backend::CachedBackend;
use tokio::process::Command;
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::calls::Calls;
use crate::http_back::Tls;
use crate::hub::Hub;
use crate::instance::Instance;
use crate::launcher::Spawner;
use crate::lists::ListKind;
use crate::log::Log;
use crate::message::Message;
use crate::options::Options;
use crate::run_file::RunFiles;
use crate::server::{Server, lock};
use crate::stamp::Stamp;

/// How many servers start at the same time.
const STARTS: usize = 4;

/// Limits of what the gateway passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest message in either direction, in bytes.
    pub message: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message: 16 << 20 }
    }
}

/// What all servers share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) home: Arc<OpenHome>,
    pub(crate) limits: Limits,
    pub(crate) calls: Calls,
    pub(crate) starts: Semaphore,
    pub(crate) tls: Tls,
    pub(crate) spawner: Spawner,
    /// How long a child has to end by itself.
    pub(crate) patience: Duration,
    pub(crate) probe: Duration,
    pub(crate) log: Arc<Log>,
    /// Whether the log says that the store is read from its copy.
    is_away: AtomicBool,
    hub: OnceLock<Weak<Hub>>,
    /// Every instance that may run: also one that has not greeted, or that only answers what it was asked before.
    instances: Mutex<Vec<Weak<Instance>>>,
    login_path: OnceCell<Option<OsString>>,
}

impl Context {
    pub(crate) fn new(home: Arc<OpenHome>, options: &Options) -> Self {
        let directory = options.run_directory.clone();
        let run_files = directory.and_then(|it| RunFiles::in_directory(it.join("children")));
        let log = Arc::clone(&options.log);
        Self {
            calls: Calls::new(Arc::clone(&home)),
            home,
            limits: options.limits,
            starts: Semaphore::new(STARTS),
            tls: Tls::default(),
            spawner: Spawner::new(
                options.launcher.clone(),
                run_files,
                options.patience,
                Arc::clone(&log),
            ),
            patience: options.patience,
            probe: options.probe,
            log,
            is_away: AtomicBool::new(false),
            hub: OnceLock::new(),
            instances: Mutex::default(),
            login_path: OnceCell::new(),
        }
    }

    /// Returns the directory of what is known of servers.
    pub(crate) fn cache(&self) -> PathBuf {
        self.home.home().directory().join("cache")
    }

    /// Tells whether the store has changed. A server may have to be asked.
    pub(crate) async fn stamp(&self) -> Stamp {
        if let Some(file) = self.home.home().store().file() {
            return Stamp::of(file);
        }
        let (home, misses) = (Arc::clone(&self.home), self.misses());
        let revision = spawn_blocking(move || home.revision()).await;
        Stamp::of_revision(revision.ok().flatten(), misses)
    }

    /// The stamp to keep with what was read since: a copy may be older.
    pub(crate) fn stamp_of_read(&self, stamp: Stamp) -> Stamp {
        match self.home.home().store().file() {
            Some(_) => stamp,
            None => stamp.of_what_was_read(self.misses()),
        }
    }

    fn misses(&self) -> u64 {
        self.home.cache().map_or(0, CachedBackend::misses)
    }

    /// Says why the store is read from its copy, if it was when it was read last.
    pub(crate) fn store_problem(&self) -> Option<String> {
        let copied = self.home.store().copied()?;
        let at = copied.at.to_string();
        let at = at.get(..19).unwrap_or(&at).replace('T', " ");
        let why = copied.why;
        Some(format!(
            "{why}; using its copy, which was up to date at {at} UTC"
        ))
    }

    /// Says in the log when the store is read from its copy, and when it is read itself again.
    pub(crate) fn tell_copied(&self) {
        let problem = self.store_problem();
        if self.is_away.swap(problem.is_some(), Ordering::AcqRel) != problem.is_some() {
            let reached = "the store can be reached again";
            self.log.say(problem.as_deref().unwrap_or(reached));
        }
    }

    pub(crate) fn set_hub(&self, hub: Weak<Hub>) {
        let _only_once = self.hub.set(hub);
    }

    /// Remembers an instance, for the end.
    pub(crate) fn started(&self, instance: &Arc<Instance>) {
        let mut instances = lock(&self.instances);
        instances.retain(|it| it.strong_count() > 0);
        instances.push(Arc::downgrade(instance));
    }

    /// Takes every instance that runs.
    pub(crate) fn take_running(&self) -> Vec<Arc<Instance>> {
        let instances = std::mem::take(&mut *lock(&self.instances));
        instances.iter().filter_map(Weak::upgrade).collect()
    }

    /// Forgets what was made of lists: one is known that was not.
    pub(crate) fn listed(&self) {
        if let Some(hub) = self.hub() {
            hub.merged.forget();
        }
    }

    /// Tells clients that a list of a server is another one.
    pub(crate) fn changed(&self, server: &ServerName, kind: ListKind) {
        if let Some(hub) = self.hub() {
            hub.changed(server, kind);
        }
    }

    /// Passes on what a server says to its clients.
    pub(crate) fn notified(
        &self,
        server: &Arc<Server>,
        from: &Arc<Instance>,
        method: &str,
        message: Message,
        within: Option<u64>,
    ) {
        if let Some(hub) = self.hub() {
            hub.notified(server, from, method, message, within);
        }
    }

    fn hub(&self) -> Option<Arc<Hub>> {
        self.hub.get()?.upgrade()
    }

    /// Returns the `PATH` of the user's login shell, which is asked once.
    pub(crate) async fn login_path(&self) -> Option<OsString> {
        self.login_path.get_or_init(ask_login_shell).await.clone()
    }
}

/// Asks the login shell for `PATH`. What its start-up files print comes before the last line.
async fn ask_login_shell() -> Option<OsString> {
    let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
    let asked = Command::new(shell)
        .args(["-l", "-c", "echo; printenv PATH"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(Duration::from_secs(5), asked).await.ok()?.ok()?;
    let mut lines = output.stdout.split(|&byte| byte == b'\n');
    let path = lines.rfind(|line| !line.is_empty())?;
    Some(OsString::from_vec(path.to_vec()))
}
