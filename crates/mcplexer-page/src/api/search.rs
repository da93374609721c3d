//! Search over everything that has a name.

use axum::Json;
use axum::extract::State;
use mcplexer_home::OpenHome;
use mcplexer_secrets::Store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::clients;
use crate::access::Reader;
use crate::asked::Asked;
use crate::pages::{PLACES, segment};
use crate::problem::Problem;
use crate::site::App;

/// The most results.
const MOST: usize = 50;

/// What to look for.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// A part of the name, in any case. Without one, the pages are found.
    #[serde(default)]
    q: String,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Results {
    /// At most 50.
    results: Vec<Found>,
    /// Whether there may be more.
    is_full: bool,
}

/// Something that has such a name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Found {
    /// What it is: `page`, `scope`, `secret`, `server` or `client`.
    kind: &'static str,
    /// Its name.
    name: String,
    /// Where it belongs: the scope of a secret.
    detail: Option<String>,
    /// Its page.
    address: String,
}

/// Gathers what has such a name, those first that begin with it.
struct Search {
    wanted: String,
    first: Vec<Found>,
    others: Vec<Found>,
}

impl Search {
    fn new(wanted: &str) -> Self {
        Self {
            wanted: wanted.trim().to_lowercase(),
            first: Vec::new(),
            others: Vec::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.first.len() >= MOST
    }

    /// Adds it if it has such a name.
    fn offer(&mut self, kind: &'static str, name: &str, detail: Option<&str>, address: &str) {
        let list = match name.to_lowercase().find(&self.wanted) {
            Some(0) => &mut self.first,
            Some(_) => &mut self.others,
            None => return,
        };
        if list.len() < MOST {
            list.push(Found {
                kind,
                name: name.to_owned(),
                detail: detail.map(str::to_owned),
                address: address.to_owned(),
            });
        }
    }

    /// Adds scopes and secrets, which is not recorded: it goes over names only. A store that cannot be read has none.
    fn look_into(&mut self, store: &Store) {
        let scopes = store.scope_names().unwrap_or_default();
        for scope in &scopes {
            let address = format!("/secrets/{}", segment(scope.as_str()));
            self.offer("scope", scope.as_str(), None, &address);
        }
        for scope in &scopes {
            if self.is_full() {
                return;
            }
            let id = scope.as_str();
            for name in store.secret_names(scope).unwrap_or_default() {
                let key = name.as_str();
                let address = format!("/secrets/{}/{}", segment(id), segment(key));
                self.offer("secret", key, Some(id), &address);
            }
        }
    }

    fn results(self) -> Results {
        let all = self.first.into_iter().chain(self.others);
        let results: Vec<_> = all.take(MOST).collect();
        Results {
            is_full: results.len() == MOST,
            results,
        }
    }
}

/// Finds scopes, secrets, servers, clients and pages by a part of their names.
#[utoipa::path(
    get,
    path = "/api/v1/search",
    operation_id = "search",
    tag = "search",
    params(("q" = Option<String>, Query, description = "A part of the name, in any case. Without one, the pages are found")),
    responses((status = 200, body = Results), (status = 400, body = Problem))
)]
pub(super) async fn find(
    State(app): State<App>,
    Reader { sight }: Reader,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Results>, Problem> {
    let mut search = Search::new(&wanted.q);
    for (address, name, _) in PLACES {
        search.offer("page", name, None, address);
    }
    if search.wanted.is_empty() {
        return Ok(Json(search.results()));
    }
    let servers = app.gateway.status().servers.into_iter();
    for server in servers.filter(|it| sight.sees(&it.name)) {
        let name = server.name.as_str();
        let address = format!("/servers/{}", segment(name));
        search.offer("server", name, None, &address);
    }
    for client in clients::all(&app, &sight).await?.clients {
        search.offer("client", &client.name, None, "/clients");
    }
    let work = move |home: &OpenHome| {
        search.look_into(home.store());
        Ok::<_, Problem>(search)
    };
    let search = app.with_home(work).await?;
    Ok(Json(search.results()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_begin_with_it_come_first() {
        let mut search = Search::new(" Hub ");
        for name in ["github", "HUB_TOKEN", "other"] {
            search.offer("secret", name, None, "/");
        }
        let names: Vec<_> = search
            .results()
            .results
            .into_iter()
            .map(|it| it.name)
            .collect();
        assert_eq!(names, ["HUB_TOKEN", "github"]);
    }

    #[test]
    fn there_are_at_most_fifty() {
        let mut search = Search::new("a");
        for number in 0..200 {
            search.offer("secret", &format!("a{number}"), None, "/");
            search.offer("secret", &format!("ba{number}"), None, "/");
        }
        assert!(search.is_full());
        let results = search.results();
        assert_eq!((results.results.len(), results.is_full), (MOST, true));
    }
}
