//! The opened home in one command: asking on the terminal, and telling what was done.

use std::cell::Cell;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mcplexer_home::config::ScopeToMake;
use mcplexer_home::credentials::{Opened, Wanted};
use mcplexer_home::environment::takes_over;
use mcplexer_home::{Alternatives, CoreLimit, Created, Home, OpenHome, harden};
use mcplexer_secrets::keys::{About, PassphraseRequest, Prompter};
use mcplexer_secrets::{
    Due, NewScope, Purpose, ScopeId, SecretInfo, SecretName, SecretValue, Timestamp,
};

use crate::agent::Agent;
use crate::cli::Global;
use crate::failure::{Context, Failure, follow, has_failed};
use crate::progress::make_way;
use crate::prompt::Hidden;
use crate::stderr::{say, say_hint, say_warning};
use crate::text::{Ago, date, sanitized, shortened, shown};
use crate::{input, prompt};

/// An opened home, and how to talk to the user about it.
pub(crate) struct Session {
    open: OpenHome,
    pub(crate) global: Global,
    core_limit: CoreLimit,
    /// Whether it was said that the store is read from its copy.
    is_copy_told: Cell<bool>,
}

impl Session {
    /// Opens the home that the environment names. From here on the process is hardened.
    pub(crate) fn open(global: Global) -> Result<Self, Failure> {
        let core_limit = harden();
        let session = Self {
            open: OpenHome::open(Home::from_env()?, Terminal::new(global))?,
            global,
            core_limit,
            is_copy_told: Cell::new(false),
        };
        session.check_stdout()?;
        Ok(session)
    }

    /// Ends the session before another program starts, which gets the limit on core dumps back.
    pub(crate) fn release(self) {
        self.core_limit.restore();
    }

    /// Opens the secrets that a command needs, and warns of those that have expired or were to be rotated.
    pub(crate) fn credentials(
        &self,
        wanted: &Wanted,
        purpose: Purpose<'_>,
    ) -> Result<Opened, Failure> {
        let opened = wanted.open(self.store(), purpose);
        let opened = opened.map_err(|error| self.explain(error))?;
        self.tell_copied();
        for (scope, secret) in opened.due() {
            self.warn_if_due(scope, secret);
        }
        Ok(opened)
    }

    /// Refuses to print into a file of the home: `>>` is not the option of a command, and as easily mistyped. The
    /// configuration can be printed into its own file.
    fn check_stdout(&self) -> Result<(), Failure> {
        match self.home().check_output(Path::new("/dev/stdout")) {
            Err(own) if !own.is_configuration() => Err(own.into()),
            _ => Ok(()),
        }
    }

    /// Refuses to write over a file of the home. Without a path, the output goes to standard output.
    pub(crate) fn check_output(&self, path: Option<&Path>) -> Result<(), Failure> {
        Ok(path.map_or(Ok(()), |path| self.home().check_output(path))?)
    }

    /// Tells the user what was done, unless `--quiet` is set.
    pub(crate) fn tell(&self, line: &str) {
        if !self.global.quiet {
            say(line);
        }
    }

    /// Warns the user, unless `--quiet` is set.
    pub(crate) fn warn(&self, warning: &str) {
        if !self.global.quiet {
            say_warning(warning);
        }
    }

    /// Tells the user what to do next, unless `--quiet` is set.
    pub(crate) fn hint(&self, hint: &str) {
        if !self.global.quiet {
            say_hint(hint);
        }
    }

    /// Tells the user of a file that values were written to, and what that means to a coding agent.
    pub(crate) fn tell_written(&self, path: &Path) {
        let path = shown(path);
        self.tell(&format!("wrote {path} (mode 0600)"));
        if let Some(agent) = Agent::running() {
            self.hint(&agent.hint_on_file(&path));
        }
    }

    /// Warns the user once that what was read came from a copy.
    fn tell_copied(&self) {
        if let Some(copied) = self.store().copied()
            && !self.is_copy_told.replace(true)
        {
            let at = Ago(copied.at);
            self.warn(&format!(
                "the store cannot be reached; using its copy, which was up to date {at}"
            ));
        }
    }

    /// Warns the user of a secret that has expired or was to be rotated, unless `--quiet` is set.
    pub(crate) fn warn_if_due(&self, scope: &ScopeId, secret: &SecretInfo) {
        let warning = match secret.due_by(Timestamp::now()) {
            Some(Due::Expires(at)) => format!("expired on {}", date(at)),
            Some(Due::Rotate(at)) => format!("was to be rotated by {}", date(at)),
            _ => return,
        };
        self.warn(&format!("{scope}/{} {warning}", secret.name));
    }

    /// Warns the user of secrets whose names take over a command that gets them as variables, unless `--quiet`
    /// is set.
    pub(crate) fn warn_of_takeovers<'a>(
        &self,
        scope: &ScopeId,
        names: impl IntoIterator<Item = &'a SecretName>,
    ) {
        let mut warned = false;
        for name in names {
            if let Some(does) = takes_over(name.as_str()) {
                self.warn(&format!(
                    "{scope}/{name} takes over a command that gets it: it {does}"
                ));
                warned = true;
            }
        }
        if warned {
            self.hint("if that is not its purpose, store it under another name");
        }
    }

    /// Tells the user about the key and the store that the first secret created.
    pub(crate) fn tell_created(&self) {
        for created in self.created() {
            match created {
                Created::Key(path) => {
                    self.tell(&format!(
                        "Created your key {}. Back it up: without it your secrets cannot be read.",
                        shown(&path)
                    ));
                    self.hint("mcplexer key recovery prints a recovery code to keep offline");
                }
                Created::Store(place) => {
                    self.tell(&format!("created the store {}", shortened(place)));
                }
                _ => {}
            }
        }
    }

    /// Tells the user about a scope that was created for a first secret.
    pub(crate) fn tell_scope(&self, new: &ScopeToMake) {
        let from = if new.is_named {
            ", from config.yaml"
        } else {
            ""
        };
        let NewScope { id, kind, .. } = &new.scope;
        self.tell(&format!("created scope {id} ({kind}{from})"));
    }

    /// Turns an error into a failure, and suggests another name if one was not found.
    pub(crate) fn explain(&self, error: impl Into<Failure>) -> Failure {
        // A failure says enough of the store.
        self.is_copy_told.set(true);
        // A key that was created stays, whatever failed after that.
        self.tell_created();
        let failure = error.into();
        let found = failure
            .store_error()
            .and_then(|error| Alternatives::to(error, self.store()));
        match found {
            Some(Alternatives::NoScopes { .. }) if !self.has_store() => {
                failure.with_hint(self.no_store())
            }
            Some(alternatives) => failure.with_alternatives(&alternatives),
            None => failure,
        }
    }

    /// Says that there is no store, and where it was looked for: a variable may name another home than was meant.
    pub(crate) fn no_store(&self) -> String {
        let another = match self.home().store().file() {
            Some(_) => "MCPLEXER_HOME names another directory",
            None => "MCPLEXER_STORE names it",
        };
        let place = self.place();
        format!("there is no store {place} ({another}); mcplexer secret put SCOPE KEY creates one")
    }

    /// Says where the store is: in a directory, or at a URL.
    pub(crate) fn place(&self) -> String {
        match self.home().store().file() {
            Some(_) => format!("in {}", shown(self.home().directory())),
            None => format!("at {}", shortened(self.home().store())),
        }
    }

    /// What the words of a failure depend on.
    pub(crate) fn context(&self) -> Context {
        Context::new(Some(self.home()), prompt::was_left())
    }
}

impl Deref for Session {
    type Target = OpenHome;

    fn deref(&self) -> &OpenHome {
        &self.open
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tell_copied();
        if let Some(to) = self.store().seen_moved_to()
            && !has_failed()
        {
            let place = shortened(&to);
            self.warn(&format!(
                "this store was moved to {place}: what is here may be out of date"
            ));
            self.hint(&follow(&to));
        }
        if let Some(Created::Log(path)) = self.created_log() {
            self.tell(&format!(
                "created the audit log {}, which MCPLEXER_AUDIT names",
                shown(&path)
            ));
        }
    }
}

/// Asks on the terminal, if there is one.
pub(crate) struct Terminal {
    global: Global,
    hidden: Mutex<Hidden>,
}

impl Terminal {
    pub(crate) fn new(global: Global) -> Self {
        let hidden = Mutex::default();
        Self { global, hidden }
    }

    /// Whether somebody can be asked.
    #[cfg(feature = "serve")]
    pub(crate) fn is_there() -> bool {
        input::has_terminal()
    }

    fn hidden(&self) -> MutexGuard<'_, Hidden> {
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Prompter for Terminal {
    fn passphrase(&self, request: &PassphraseRequest<'_>) -> Option<SecretValue> {
        let question = match request.about {
            About::KeyFile(path) => format!("passphrase for {}: ", shown(path)),
            About::Slot(label) => format!("passphrase of the store ({}): ", sanitized(label)),
            About::Plugin(question) => format!("{}: ", sanitized(question)),
            _ => return None,
        };
        input::passphrase(&mut self.hidden(), &question, request.retry, self.global)
    }

    fn answered(&self) {
        self.hidden().end();
    }

    fn tell(&self, message: &str) {
        make_way();
        say(&sanitized(message));
    }
}
