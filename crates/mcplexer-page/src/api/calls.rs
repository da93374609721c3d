//! Calls of clients to servers. They are read from the end of the audit log, a limited number of lines at a time.

use std::collections::{HashMap, HashSet};

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use mcplexer_home::calls::{self, Page, PageError, Placed, Wanted};
use mcplexer_secrets::audit::AuditOutcome;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::parsed;
use crate::access::Reader;
use crate::asked::Asked;
use crate::problem::Problem;
use crate::sight::Sight;
use crate::site::App;

pub(crate) mod stream;
pub(crate) mod summary;

/// How many calls a page has.
const PAGE: usize = 50;

/// How many lines of the log are read for one answer.
const LINES: usize = 10_000;

/// Which calls are wanted.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CallFilter {
    /// Those to this server.
    pub(crate) server: Option<String>,
    /// Those of clients that have this in their name, in any case.
    pub(crate) client: Option<String>,
    /// Those that ended like this: an outcome of the log, such as `ok`, `tool-error` or `timed-out`; `problem` for any but
    /// `ok`; `open` for those without an end.
    pub(crate) outcome: Option<String>,
    /// Those of tools, prompts or resources that have this in their name, in any case.
    pub(crate) tool: Option<String>,
    /// Those before the page that had this as `older`. Not for a stream.
    pub(crate) before: Option<u64>,
    /// How many, from 1 to 500. If it is missing, a page has 50, and a stream begins with the next call.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<usize>,
}

impl CallFilter {
    /// Reads the filter. An empty field of a form counts as absent.
    pub(crate) fn wanted(&self) -> Result<Wanted, Problem> {
        let text = |it: &Option<String>| it.clone().filter(|it| !it.is_empty());
        let ending = text(&self.outcome).map(|it| parsed(&it)).transpose()?;
        Ok(Wanted {
            server: text(&self.server),
            client: text(&self.client),
            object: text(&self.tool),
            ending,
            is_part: true,
            ..Wanted::default()
        })
    }

    fn most(&self) -> Result<usize, Problem> {
        match self.limit.unwrap_or(PAGE) {
            most @ 1..=500 => Ok(most),
            _ => Err(Problem::invalid("limit has to be from 1 to 500")),
        }
    }
}

/// A page of calls.
#[derive(Serialize, ToSchema)]
pub(crate) struct Calls {
    /// The calls, newest first.
    pub(crate) calls: Vec<Call>,
    /// What `before` has to be for the next page. Missing if nothing is older.
    pub(crate) older: Option<u64>,
    /// Whether the page ends because many lines were read for it, and not because it is full: go on with `older`.
    pub(crate) is_cut: bool,
    /// How many lines of the log were read for it. Missing for a client that may see some servers only.
    pub(crate) lines: Option<usize>,
    /// The time of the oldest line that was read (RFC 3339). Missing for a client that may see some servers only.
    pub(crate) reached: Option<String>,
    /// Where they come from.
    pub(crate) source: Source,
}

/// Where calls come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// From the audit log.
    Log,
    /// From the memory of the gateway, which has the last 1,000: the audit log is turned off.
    Memory,
}

/// A call of a client to a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Call {
    /// Tells it from others, in 16 hexadecimal digits.
    pub(crate) id: String,
    /// Where it is in the log: with it, the call is found at once. A position in bytes; for a client that may see some servers
    /// only, a number that is good until the gateway ends.
    pub(crate) at: Option<u64>,
    /// When it went out (RFC 3339).
    pub(crate) time: String,
    /// The client, if it has a name.
    pub(crate) client: Option<String>,
    /// The session of the client. To a client that sees some servers only, another name stands for its number.
    pub(crate) session: Option<String>,
    /// The user of the client.
    pub(crate) uid: u32,
    /// The process of the client.
    pub(crate) pid: u32,
    /// The file name of its program; empty if it is not known.
    pub(crate) program: String,
    /// The server; empty if the call was to none that there is.
    pub(crate) server: String,
    /// The method of the protocol.
    pub(crate) method: String,
    /// The tool, the prompt or the resource.
    pub(crate) tool: Option<String>,
    /// The secrets that the server was given, as `scope/KEY@3`.
    pub(crate) secrets: Vec<String>,
    /// The SHA-256 of the arguments, in hexadecimal digits.
    pub(crate) digest: Option<String>,
    /// The length of the arguments in bytes.
    pub(crate) bytes: u64,
    /// Whether it goes on.
    pub(crate) is_running: bool,
    /// How it ended, as the audit log has it. Missing while it goes on, and if no end of it was found.
    pub(crate) outcome: Option<String>,
    /// How long it took, in milliseconds.
    pub(crate) ms: Option<u64>,
    /// The length of the answer in bytes.
    pub(crate) answer_bytes: Option<u64>,
    /// How many values of secrets were replaced in the answer.
    pub(crate) scrubbed: Option<u64>,
}

impl Call {
    /// Describes a call to somebody who sees so much.
    pub(crate) fn new(
        call: calls::Call,
        at: Option<u64>,
        is_running: bool,
        app: &App,
        sight: &Sight,
    ) -> Self {
        Self {
            id: call.id,
            at,
            time: call.time,
            client: call.client,
            session: call.session.map(|it| sight.session(app, it)),
            uid: call.uid,
            pid: call.pid,
            program: call.program,
            server: call.server,
            method: call.method,
            tool: call.object,
            secrets: call.secrets,
            digest: call.digest,
            bytes: call.bytes,
            is_running,
            outcome: call.outcome.map(word),
            ms: call.ms,
            answer_bytes: call.answer_bytes,
            scrubbed: call.scrubbed,
        }
    }

    /// A call out of the memory of the gateway, which knows whether it goes on.
    pub(crate) fn recent(call: calls::Call, app: &App, sight: &Sight) -> Self {
        let is_running = call.outcome.is_none();
        Self::new(call, None, is_running, app, sight)
    }
}

/// Returns the name of an outcome in the log.
pub(crate) fn word(outcome: AuditOutcome) -> String {
    match serde_json::to_value(outcome) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Returns a page of calls.
pub(crate) async fn page(app: &App, filter: &CallFilter, sight: &Sight) -> Result<Calls, Problem> {
    let (wanted, most) = (sight.limit(filter.wanted()?), filter.most()?);
    let before = filter
        .before
        .map(|it| sight.find(app, it).ok_or(PageError::OtherLog));
    let before = before.transpose()?;
    let Found {
        page,
        source,
        running,
    } = read(app, wanted, before, most, LINES).await?;
    let calls = page.calls.into_iter().map(|it| {
        let is_running = running.contains(&it.call.id);
        Call::new(
            it.call,
            (source == Source::Log).then(|| sight.hide(app, it.at)),
            is_running,
            app,
            sight,
        )
    });
    Ok(Calls {
        calls: calls.collect(),
        older: page.older.map(|it| sight.hide(app, it)),
        is_cut: page.is_cut,
        lines: (!sight.is_limited()).then_some(page.lines),
        reached: page.reached.filter(|_| !sight.is_limited()),
        source,
    })
}

/// A page of calls, as it was found.
struct Found {
    page: Page,
    source: Source,
    /// The ids of those that go on.
    running: HashSet<String>,
}

/// Reads calls out of the audit log, or out of memory if that is turned off.
async fn read(
    app: &App,
    wanted: Wanted,
    before: Option<u64>,
    most: usize,
    lines: usize,
) -> Result<Found, Problem> {
    let (mut page, source) = match app.gateway.home().audit_log() {
        Ok(log) => {
            let wanted = wanted.clone();
            let page = app.in_turn(&app.reading, move |_| {
                calls::page(&log, &wanted, before, most, lines)
            });
            (page.await?, Source::Log)
        }
        Err(_) => {
            let mut recent = app.gateway.recent_calls();
            if let Some(among) = &wanted.among {
                // They are counted, and others do not count.
                recent.retain(|it| among.contains(&it.server));
            }
            let page = Page::of_recent(recent, &wanted, before, most);
            (page, Source::Memory)
        }
    };
    let mut running = HashSet::new();
    if page.calls.iter().any(|it| it.call.outcome.is_none()) {
        // How a call ended is in memory before it is in the log.
        let recent = app.gateway.recent_calls().into_iter();
        let mut recent: HashMap<_, _> = recent.map(|it| (it.id.clone(), it)).collect();
        for it in &mut page.calls {
            if it.call.outcome.is_none()
                && let Some(newer) = recent.remove(&it.call.id)
            {
                if newer.outcome.is_none() {
                    running.insert(newer.id.clone());
                }
                it.call = newer;
            }
        }
        // By now one may not be wanted any more.
        page.calls.retain(|it| wanted.has(&it.call));
    }
    Ok(Found {
        page,
        source,
        running,
    })
}

/// Returns a call to a server that is seen.
pub(crate) async fn one(
    app: &App,
    id: &str,
    at: Option<u64>,
    sight: &Sight,
) -> Result<Call, Problem> {
    let sees = |call: &calls::Call| sight.sees_named(&call.server);
    let recent = app.gateway.recent_calls();
    let recent = recent.into_iter().find(|it| it.id == id);
    if let Some(call) = recent.filter(sees) {
        return Ok(Call {
            at,
            ..Call::recent(call, app, sight)
        });
    }
    let missing = || {
        let title = format!("no call {id} among the last {LINES} lines of the audit log");
        Problem::new(StatusCode::NOT_FOUND, title)
            .with_hint("mcplexer calls --json lists all calls")
    };
    let log = app.gateway.home().audit_log().map_err(|_| missing())?;
    let wanted = id.to_owned();
    let at = at.map(|it| sight.find(app, it).ok_or_else(missing));
    let at = at.transpose()?;
    let found = app.in_turn(&app.reading, move |_| calls::find(&log, &wanted, at, LINES));
    let found = found.await?.filter(|it| sees(&it.call));
    let Placed { call, at, .. } = found.ok_or_else(missing)?;
    let at = Some(sight.hide(app, at));
    Ok(Call::new(call, at, false, app, sight))
}

/// Returns calls, newest first, a page at a time. For one page, at most 10,000 lines of the audit log are read: a filter that few
/// calls pass may return less than `limit`, and goes on with `older`.
#[utoipa::path(
    get,
    path = "/api/v1/calls",
    operation_id = "list_calls",
    tag = "calls",
    params(CallFilter),
    responses(
        (status = 200, body = Calls),
        (status = 400, body = Problem),
        (status = 409, description = "The audit log is another one than that of `before`", body = Problem),
        (status = 422, body = Problem),
    )
)]
pub(super) async fn list(
    State(app): State<App>,
    Reader { sight }: Reader,
    Asked(filter): Asked<CallFilter>,
) -> Result<Json<Calls>, Problem> {
    Ok(Json(page(&app, &filter, &sight).await?))
}

/// Where a call is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CallPlace {
    /// What the list of calls had as `at`. Without it, the last 10,000 lines of the audit log are searched.
    pub(crate) at: Option<u64>,
}

/// Returns a call.
#[utoipa::path(
    get,
    path = "/api/v1/calls/{id}",
    operation_id = "show_call",
    tag = "calls",
    params(("id" = String, Path, description = "The id of the call"), CallPlace),
    responses(
        (status = 200, body = Call),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
    )
)]
pub(super) async fn show(
    State(app): State<App>,
    Reader { sight }: Reader,
    path: Result<Path<String>, PathRejection>,
    Asked(place): Asked<CallPlace>,
) -> Result<Json<Call>, Problem> {
    let Path(id) = path?;
    Ok(Json(one(&app, &id, place.at, &sight).await?))
}
