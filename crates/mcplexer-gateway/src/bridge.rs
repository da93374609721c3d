//! A client with a session, and a server without: the gateway says for the client what each request has to say, asks it
//! what the server wants to know, and asks the server again (MCP 2026-07-28, "Multi Round-Trip Requests").

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::dialect::{
    CLIENT_CAPABILITIES, CLIENT_INFO, Dialect, LEGACY, LOG_LEVEL, MODERN, PROTOCOL_VERSION,
};
use crate::error::CallError;
use crate::foreign::secret_of_another;
use crate::hub::Hub;
use crate::instance::{Answer, Instance};
use crate::json::{Splices, Value, string};
use crate::message::{self, Message};
use crate::session::{Question, Route};

/// The most rounds of one request.
const MAX_ROUNDS: usize = 16;

/// Returns what `_meta` says of a client.
pub(crate) fn meta_of(dialect: &Dialect, log_level: Option<&str>) -> String {
    let level = log_level.map_or_else(String::new, |it| format!(r#","{LOG_LEVEL}":{it}"#));
    format!(
        r#""{PROTOCOL_VERSION}":"{}","{CLIENT_INFO}":{},"{CLIENT_CAPABILITIES}":{}{level}"#,
        MODERN[0], dialect.info, dialect.capabilities
    )
}

/// Passes a request on, and the questions that come back.
pub(crate) async fn exchange(
    hub: &Hub,
    instance: &Arc<Instance>,
    route: &Route,
    message: &Message,
    splices: &impl Fn() -> Splices,
) -> Result<Answer, CallError> {
    let dialect = route
        .dialect
        .as_deref()
        .cloned()
        .unwrap_or_else(Dialect::own);
    let level = route.session.log_level();
    let meta = meta_of(&dialect, level.as_deref());
    let mut more = String::new();
    for _ in 0..MAX_ROUNDS {
        let mut spliced = splices();
        add_params(&mut spliced, message, &meta, &more);
        let answer = instance
            .request(message, spliced, Some(route.clone()))
            .await?;
        let Some(wanted) = answer.message.result().filter(|it| is_input_required(it)) else {
            return Ok(answer);
        };
        let wanted = Value::new(wanted);
        let mut responses = Vec::new();
        for (key, question) in wanted
            .get("inputRequests")
            .and_then(|it| it.members().ok())
            .unwrap_or_default()
        {
            let response = ask(route, question).await?;
            if let Some(secret) = secret_of_another(&hub.running(), instance, &response).await {
                let server = instance.server.clone();
                return Err(CallError::Foreign { server, secret });
            }
            responses.push(format!("{}:{response}", string(&key)));
        }
        more = format!(r#""inputResponses":{{{}}},"#, responses.join(","));
        if let Some(state) = wanted.get("requestState") {
            more = format!(r#"{more}"requestState":{},"#, state.text());
        }
    }
    Err(CallError::NoEnd {
        server: instance.server.clone(),
        rounds: MAX_ROUNDS,
    })
}

/// Whether a result asks the client for something.
pub(crate) fn is_input_required(result: &str) -> bool {
    let kind = Value::new(result).get("resultType");
    kind.and_then(Value::as_str).as_deref() == Some("input_required")
}

/// Asks the client what a server wants to know. Returns its answer as JSON.
async fn ask(route: &Route, question: Value<'_>) -> Result<String, CallError> {
    let (answer, answered) = oneshot::channel();
    let number = route.session.ask(Question::Gateway(answer));
    let mut splices = Splices::default();
    let (at, comma) = question.head();
    let offset = question.range().start;
    splices.insert(
        at - offset,
        format!(r#""jsonrpc":"2.0","id":{number}{comma}"#),
    );
    route.outbox.push(splices.apply(question.text()));
    let answer = tokio::select! {
        answer = answered => answer.map_err(|_| CallError::Cancelled)?,
        () = route.cancel.cancelled() => return Err(CallError::Cancelled),
    };
    match answer.result() {
        Some(result) => Ok(result.to_owned()),
        // There is no answer that says that a client failed; it did not accept, in any case.
        None => Ok(r#"{"action":"cancel"}"#.to_owned()),
    }
}

/// Adds members to `_meta`, and to the parameters, of a request.
fn add_params(splices: &mut Splices, message: &Message, meta: &str, more: &str) {
    let whole = message.value();
    match message.param(&[]).filter(|it| it.is_object()) {
        None => {
            let (at, comma) = whole.head();
            let params = more.trim_end_matches(',');
            let params = match params.is_empty() {
                true => String::new(),
                false => format!(",{params}"),
            };
            splices.insert(
                at,
                format!(r#""params":{{"_meta":{{{meta}}}{params}}}{comma}"#),
            );
        }
        Some(params) => {
            let (at, comma) = params.head();
            match params.get("_meta").filter(|it| it.is_object()) {
                None => splices.insert(at, format!(r#"{more}"_meta":{{{meta}}}{comma}"#)),
                Some(own) => {
                    splices.insert(at, more);
                    let (at, comma) = own.head();
                    splices.insert(at, format!("{meta}{comma}"));
                }
            }
        }
    }
}

/// Returns the answer to `initialize` for a server that was only asked what it is.
pub(crate) fn as_hello(discovered: &str, version: &str) -> String {
    let discovered = Value::new(discovered);
    let text = |path: &[&str], or: &str| {
        let value = discovered.at(path);
        value.map_or_else(|| or.to_owned(), |it| it.text().to_owned())
    };
    let capabilities = text(&["capabilities"], "{}");
    let unnamed = r#"{"name":"unknown","version":"0"}"#;
    let info = text(&["_meta", "io.modelcontextprotocol/serverInfo"], unnamed);
    let instructions = discovered.get("instructions");
    let instructions = instructions.map_or_else(String::new, |it| {
        format!(r#","instructions":{}"#, it.text())
    });
    format!(
        r#"{{"protocolVersion":{},"capabilities":{capabilities},"serverInfo":{info}{instructions}}}"#,
        string(version)
    )
}

/// The server does not speak the revision that was asked for (MCP 2026-07-28, "Protocol Version Negotiation").
const UNSUPPORTED_VERSION: i64 = -32022;

/// Errors that only a server without sessions answers with: the header fields differ from the body, it wants a
/// capability that the client lacks, it does not speak the revision.
const MODERN_ERRORS: std::ops::RangeInclusive<i64> = UNSUPPORTED_VERSION..=-32020;

/// What a server says to the question what it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Discovered {
    /// Its answer.
    Is(String),
    /// It does not know the question, or would rather have a session.
    HasSessions,
    /// It knows the question, and does not answer it.
    Refuses(String),
}

/// Asks a server what it is. One that only wants another revision is asked again.
pub(crate) async fn discover(
    instance: &Arc<Instance>,
    dialect: &Dialect,
) -> Result<Discovered, CallError> {
    let params = format!(r#"{{"_meta":{{{}}}}}"#, meta_of(dialect, None));
    let mut answer = instance.ask("server/discover", &params).await?;
    if let Some(supported) = supported(&answer)
        && supported.iter().any(|it| it == MODERN[0])
    {
        answer = instance.ask("server/discover", &params).await?;
    }
    Ok(match answer.message.result() {
        Some(result) => Discovered::Is(result.to_owned()),
        None => refusal(&answer),
    })
}

/// Returns the revisions that a server speaks, if it refuses the one that was asked for.
fn supported(answer: &Answer) -> Option<Vec<String>> {
    let error = Value::new(answer.message.error()?);
    let code: i64 = error.get("code")?.text().parse().ok()?;
    let supported = error.at(&["data", "supported"])?.elements().ok()?;
    let supported = supported.into_iter().filter_map(Value::as_str);
    (code == UNSUPPORTED_VERSION).then(|| supported.map(Into::into).collect())
}

/// Returns what it means that a server answers with an error.
fn refusal(answer: &Answer) -> Discovered {
    let error = answer.message.error().unwrap_or_default();
    let code = Value::new(error).get("code");
    let code: Option<i64> = code.and_then(|it| it.text().parse().ok());
    if !code.is_some_and(|it| MODERN_ERRORS.contains(&it)) {
        return Discovered::HasSessions;
    }
    match supported(answer) {
        Some(it) if it.iter().any(|it| LEGACY.contains(&it.as_str())) => Discovered::HasSessions,
        Some(it) if !it.is_empty() && !it.iter().any(|it| it == MODERN[0]) => {
            let supported = it.join(", ");
            Discovered::Refuses(format!(
                "it speaks {supported} only, and this version of mcplexer does not"
            ))
        }
        _ => Discovered::Refuses(format!("it answers server/discover with an error: {error}")),
    }
}

/// Tells a server without sessions what a client with one wants to hear of: changes of these resources, or else of lists.
/// Ends only with the server.
pub(crate) async fn listen(instance: &Arc<Instance>, dialect: &Dialect, uris: &[String]) {
    let filter = match uris {
        [] => r#""toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true"#
            .to_owned(),
        uris => {
            let uris: Vec<String> = uris.iter().map(|it| string(it)).collect();
            format!(r#""resourceSubscriptions":[{}]"#, uris.join(","))
        }
    };
    let params = format!(
        r#"{{"_meta":{{{}}},"notifications":{{{filter}}}}}"#,
        meta_of(dialect, None)
    );
    let _ended = instance.ask(crate::instance::LISTEN, &params).await;
}

/// Returns the answer to a request that only concerns the session.
pub(crate) fn own_answer(
    instance: &Arc<Instance>,
    route: &Route,
    method: &str,
    message: &Message,
) -> Option<String> {
    let id = message.id().unwrap_or("null");
    let uri = || Some(message.param(&["uri"])?.as_str()?.into_owned());
    match method {
        "logging/setLevel" => {
            let level = message.param(&["level"]).map(|it| it.text().to_owned());
            route.session.set_log_level(level);
        }
        "resources/subscribe" => {
            let uri = uri()?;
            let ended = route.session.watch(&uri);
            let instance = Arc::clone(instance);
            let dialect = route
                .dialect
                .as_deref()
                .cloned()
                .unwrap_or_else(Dialect::own);
            let uris = [uri];
            tokio::spawn(async move {
                tokio::select! {
                    () = listen(&instance, &dialect, &uris) => {}
                    () = ended.cancelled() => {}
                }
            });
        }
        "resources/unsubscribe" => route.session.subscribe(&uri()?, false),
        _ => return None,
    }
    Some(message::result(id, "{}"))
}
