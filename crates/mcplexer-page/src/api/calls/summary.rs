//! How many calls there were, and how many of them failed: by server, over time.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use mcplexer_home::calls::{Page, Wanted};
use mcplexer_secrets::Timestamp;
use mcplexer_secrets::audit::AuditOutcome;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Found, Source, read};
use crate::access::Reader;
use crate::asked::Asked;
use crate::problem::Problem;
use crate::site::App;

/// How many lines of the log are read for it.
const LINES: usize = 10_000;

/// How many parts the time has.
const PARTS: u64 = 30;

/// How far back to look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Span {
    /// An hour, in parts of 2 minutes.
    #[default]
    Hour,
    /// A day, in parts of 48 minutes.
    Day,
}

impl Span {
    fn seconds(self) -> u64 {
        match self {
            Self::Hour => 3600,
            Self::Day => 86_400,
        }
    }
}

/// How far back to look.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SummaryOf {
    /// The last hour, if it is missing.
    #[serde(default)]
    #[param(inline)]
    pub(crate) last: Span,
}

/// How many calls there were, and how many of them failed.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Summary {
    /// How far back it looks.
    pub(crate) last: Span,
    /// When the first part begins (RFC 3339).
    pub(crate) from: String,
    /// How long a part is, in seconds.
    pub(crate) part_seconds: u64,
    /// How many parts there are.
    pub(crate) parts: u64,
    /// Since when calls are counted (RFC 3339), if that is later: there are more calls than are read for this.
    pub(crate) counted_since: Option<String>,
    /// Where they come from.
    pub(crate) source: Source,
    /// The servers, by name.
    pub(crate) servers: Vec<ServerCalls>,
}

/// The calls to a server.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ServerCalls {
    /// The name of the server; empty for calls to none that there is.
    pub(crate) server: String,
    /// How many calls began in each part.
    pub(crate) calls: Vec<u64>,
    /// How many of these ended with another outcome than `ok`.
    pub(crate) errors: Vec<u64>,
}

impl Summary {
    /// Counts calls. `since` is the time from which on all are in the page.
    fn of(page: &Page, now: Timestamp, last: Span, source: Source, since: Option<String>) -> Self {
        let part = last.seconds() / PARTS;
        let from = now.as_micros().saturating_sub(last.seconds() * 1_000_000);
        let mut servers: BTreeMap<&str, ServerCalls> = BTreeMap::new();
        for it in &page.calls {
            let Ok(time) = it.call.time.parse::<Timestamp>() else {
                continue;
            };
            let Some(after) = time.as_micros().checked_sub(from) else {
                continue;
            };
            // A call may begin while this is counted.
            let index = (after / (part * 1_000_000)).min(PARTS - 1);
            let none = || vec![0; usize::try_from(PARTS).unwrap_or_default()];
            let server = servers
                .entry(&it.call.server)
                .or_insert_with(|| ServerCalls {
                    server: it.call.server.clone(),
                    calls: none(),
                    errors: none(),
                });
            let is_error = it.call.outcome.is_some_and(|it| it != AuditOutcome::Ok);
            let index = usize::try_from(index).unwrap_or_default();
            if let Some(calls) = server.calls.get_mut(index) {
                *calls += 1;
            }
            if let Some(errors) = server.errors.get_mut(index).filter(|_| is_error) {
                *errors += 1;
            }
        }
        Self {
            last,
            from: Timestamp::from_micros(from).to_string(),
            part_seconds: part,
            parts: PARTS,
            counted_since: since.filter(|_| page.is_cut),
            source,
            servers: servers.into_values().collect(),
        }
    }
}

/// Counts those calls of the last hour or day that are wanted.
pub(crate) async fn of(app: &App, last: Span, wanted: Wanted) -> Result<Summary, Problem> {
    let now = Timestamp::now();
    let since = now.as_micros().saturating_sub(last.seconds() * 1_000_000);
    let wanted = Wanted {
        since: Some(Timestamp::from_micros(since)),
        ..wanted
    };
    let is_limited = wanted.among.is_some();
    let Found { page, source, .. } = read(app, wanted, None, usize::MAX, LINES).await?;
    let since = match is_limited {
        // How far a number of lines reaches tells how many calls there are to servers that are not seen.
        true => {
            let oldest = page.calls.last().map(|it| it.call.time.clone());
            oldest.or_else(|| Some(now.to_string()))
        }
        false => page.reached.clone(),
    };
    Ok(Summary::of(&page, now, last, source, since))
}

/// Counts calls and errors by server, over the last hour or day. At most 10,000 lines of the audit log are read: `counted_since`
/// says how far that reached, if it is not all of the time.
#[utoipa::path(
    get,
    path = "/api/v1/calls/summary",
    operation_id = "count_calls",
    tag = "calls",
    params(SummaryOf),
    responses(
        (status = 200, body = Summary),
        (status = 400, body = Problem),
    )
)]
pub(in crate::api) async fn summary(
    State(app): State<App>,
    Reader { sight }: Reader,
    Asked(SummaryOf { last }): Asked<SummaryOf>,
) -> Result<Json<Summary>, Problem> {
    Ok(Json(of(&app, last, sight.limit(Wanted::default())).await?))
}
