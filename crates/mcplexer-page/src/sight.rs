//! What the sender of a request sees of servers: of a client, `clients` in `config.yaml` says which ones, as it does for tools.

use mcplexer_files::config::ServerName;
use mcplexer_gateway::NoServer;
use mcplexer_home::calls::Wanted;

use crate::problem::Problem;
use crate::site::App;

/// The servers that the sender of a request sees. The default is a person's: all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    is_client: bool,
    only: Option<Vec<ServerName>>,
}

impl Sight {
    /// Returns what a client sees now, or what a person sees.
    pub(crate) fn of(app: &App, client: Option<&ServerName>) -> Self {
        Self {
            is_client: client.is_some(),
            only: client.and_then(|it| app.gateway.servers_of(it)),
        }
    }

    /// Whether it is that of a client, which sees nothing that may be a credential.
    pub(crate) fn is_of_client(&self) -> bool {
        self.is_client
    }

    /// Whether some servers are left out.
    pub(crate) fn is_limited(&self) -> bool {
        self.only.is_some()
    }

    pub(crate) fn sees(&self, server: &ServerName) -> bool {
        self.only.as_ref().is_none_or(|it| it.contains(server))
    }

    /// Whether a server with this name is seen. A text that is not a name is of no server.
    pub(crate) fn sees_named(&self, server: &str) -> bool {
        let named = |only: &Vec<ServerName>| only.iter().any(|it| it.as_str() == server);
        self.only.as_ref().is_none_or(named)
    }

    /// Returns a server that is seen.
    ///
    /// # Errors
    /// As for a server that does not exist, so that nothing tells which ones do.
    pub(crate) fn seen(&self, server: ServerName) -> Result<ServerName, NoServer> {
        match self.sees(&server) {
            true => Ok(server),
            false => Err(NoServer(server)),
        }
    }

    /// Leaves those calls that go to servers that are seen.
    pub(crate) fn limit(&self, wanted: Wanted) -> Wanted {
        let names = |it: &Vec<ServerName>| it.iter().map(ToString::to_string).collect();
        Wanted {
            among: self.only.as_ref().map(names),
            ..wanted
        }
    }

    /// Returns what stands for a position in the log.
    pub(crate) fn hide(&self, app: &App, at: u64) -> u64 {
        match self.is_limited() {
            true => app.places.hide(at),
            false => at,
        }
    }

    /// Returns what stands for a session: its number says how many others there were before.
    pub(crate) fn session(&self, app: &App, number: String) -> String {
        match self.is_limited() {
            true => app.places.stand_in(&number),
            false => number,
        }
    }

    /// Returns the position in the log for which this stands; `None` if it stands for none.
    pub(crate) fn find(&self, app: &App, number: u64) -> Option<u64> {
        match self.is_limited() {
            true => app.places.find(number),
            false => Some(number),
        }
    }

    /// Refuses what is about every server.
    ///
    /// # Errors
    /// Unless every server is seen.
    pub(crate) fn of_all(&self, what: &str) -> Result<(), Problem> {
        if !self.is_limited() {
            return Ok(());
        }
        let title = format!("{what} every server, and this client may see some only");
        let hint = "in config.yaml, a client without servers sees all of them";
        Err(Problem::forbidden(title).with_hint(hint))
    }
}
