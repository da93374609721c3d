//! What a request asks for in its address.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use mcplexer_files::config::ServerName;
use serde::de::DeserializeOwned;

use crate::access::{Reader, Writer};
use crate::api::parsed;
use crate::problem::Problem;
use crate::sight::Sight;
use crate::site::App;

/// A query.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

/// A server of which the sender may read.
#[derive(Debug)]
pub(crate) struct ReadServer {
    pub(crate) name: ServerName,
    pub(crate) sight: Sight,
}

/// A server that the sender may start and stop.
#[derive(Debug)]
pub(crate) struct RunServer {
    pub(crate) name: ServerName,
    pub(crate) sight: Sight,
}

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Query(query) = Query::from_request_parts(parts, app).await?;
        Ok(Self(query))
    }
}

impl FromRequestParts<App> for ReadServer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Reader { sight } = Reader::from_request_parts(parts, app).await?;
        let name = server(parts, app, &sight).await?;
        Ok(Self { name, sight })
    }
}

impl FromRequestParts<App> for RunServer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Writer { sight, .. } = Writer::from_request_parts(parts, app).await?;
        let name = server(parts, app, &sight).await?;
        Ok(Self { name, sight })
    }
}

/// Returns the server that the address names, if it is seen.
async fn server(parts: &mut Parts, app: &App, sight: &Sight) -> Result<ServerName, Problem> {
    let path: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, app).await;
    let Path(name) = path?;
    Ok(sight.seen(parsed(&name)?)?)
}
