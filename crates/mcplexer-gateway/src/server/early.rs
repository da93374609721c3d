//! Starting a server before it is needed.

use std::sync::Arc;

use mcplexer_files::config::Start;

use super::Server;
use super::starting::Starting;
use crate::error::CallError;
use crate::lists::ListKind;
use crate::session::{Endpoint, Peer, Route, Session};

impl Server {
    /// Starts it in the background, if it is configured to start before it is needed: for a client that has come, or else as
    /// the gateway greets it for itself.
    pub(crate) fn start_if_eager(self: &Arc<Self>, client: Option<&Route>) {
        if self.definition.start != Start::Eager {
            return;
        }
        let (server, client) = (Arc::clone(self), client.cloned());
        tokio::spawn(async move {
            let started = match &client {
                Some(route) => server.instance(route).await,
                None => {
                    let route = server.nobody();
                    let started = server.instance(&route).await;
                    route.session.close();
                    started
                }
            };
            // That it does not start is in the log already.
            if let Err(error @ CallError::NoCredential { .. }) = started {
                server
                    .context
                    .log
                    .of_server(&server.name, &error.to_string());
            }
        });
    }

    /// Starts it now, as the gateway greets it for itself, and asks for its tools if they are not known. All of it goes on when
    /// nobody waits for it any more.
    pub(crate) async fn start_now(self: &Arc<Self>) -> Result<(), CallError> {
        let server = Arc::clone(self);
        let starting = tokio::spawn(async move {
            // Its status is "starting" until its tools are known.
            let _starting = Starting::of(&server.starting);
            server.forget_failures();
            let route = server.nobody();
            let started = match server.instance(&route).await {
                Ok(_) => server.list(ListKind::Tools, &route).await.map(|_| ()),
                Err(error) => Err(error),
            };
            route.session.close();
            started
        });
        match starting.await {
            Ok(started) => started,
            Err(error) => Err(self.not_started(error.to_string())),
        }
    }

    /// The way to it for no client.
    fn nobody(&self) -> Route {
        let endpoint = Endpoint::One(self.name.clone());
        Route::of(Session::new(0, endpoint, Peer::named(None)))
    }
}
