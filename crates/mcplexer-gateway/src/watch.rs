//! Takes `config.yaml` again when it changes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcplexer_files::config::Config;
use mcplexer_home::config::{Error, of_home};
use mcplexer_home::{Exposed, Home};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;

use crate::gateway::Gateway;
use crate::hub::Hub;
use crate::log::Log;
use crate::server::lock;
use crate::stamp::Stamp;

/// How often to look at the file.
const PAUSE: Duration = Duration::from_secs(1);

/// What looks at the file.
#[derive(Debug)]
pub(crate) struct Watch {
    problem: Arc<Mutex<Option<String>>>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Begins to look. `config` is what the gateway has.
    pub(crate) fn begin(gateway: &Gateway, home: Home, config: Config, log: Arc<Log>) -> Self {
        let problem = Arc::<Mutex<Option<String>>>::default();
        let hub = Arc::clone(gateway.hub());
        let task = tokio::spawn(watch(hub, home, config, Arc::clone(&problem), log));
        Self { problem, task }
    }

    /// Returns why the file as it is now is not used, if so.
    pub(crate) fn problem(&self) -> Option<String> {
        lock(&self.problem).clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn watch(
    hub: Arc<Hub>,
    home: Home,
    mut config: Config,
    problem: Arc<Mutex<Option<String>>>,
    log: Arc<Log>,
) {
    let mut seen = None::<Stamp>;
    loop {
        let path = home.config();
        let stamp = Stamp::of(&path);
        if !seen.is_some_and(|it| it.is_same(&stamp)) {
            let of = home.clone();
            // Who could write the file would decide which program is started with which secret.
            let read = spawn_blocking(move || match Exposed::refused_in(&of) {
                exposed if exposed.is_empty() => of_home(&of).map_err(|error| in_words(&error)),
                exposed => Err(lines(&exposed)),
            });
            let found = match read.await {
                Ok(Ok(None)) if !config.servers.is_empty() => {
                    Some(format!("{} is missing or empty", path.display()))
                }
                Ok(Ok(new)) => {
                    let new = new.unwrap_or_default();
                    if new != config {
                        hub.configure(&new);
                        config = new;
                        log.say("config.yaml has changed");
                    }
                    None
                }
                Ok(Err(problem)) => Some(problem),
                Err(error) => Some(error.to_string()),
            };
            let before = std::mem::replace(&mut *lock(&problem), found.clone());
            if let Some(found) = found.filter(|it| before.as_ref() != Some(it)) {
                log.say(&format!("config.yaml is not used as it is now:\n{found}"));
            }
        }
        seen = Some(stamp);
        sleep(PAUSE).await;
    }
}

/// Returns everything that is wrong, a problem a line.
fn in_words(error: &Error) -> String {
    match error {
        Error::Invalid { path, problems } => {
            let problems = problems.iter().map(|it| format!("{}:{it}", path.display()));
            lines(&problems.collect::<Vec<_>>())
        }
        error => error.to_string(),
    }
}

fn lines(of: &[impl ToString]) -> String {
    let lines: Vec<_> = of.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
