//! A client without a session, and a server with one: what the server asks is given to the client as the result
//! `input_required`. The request waits, parked, until the client asks again with the answers (MCP 2026-07-28, "Multi
//! Round-Trip Requests").

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::calls::Recorded;
use crate::error::CallError;
use crate::foreign::secret_of_another;
use crate::hub::Hub;
use crate::inbox::INVALID_PARAMS;
use crate::instance::Answer;
use crate::json::{Splices, Value, string};
use crate::lists::ListKind;
use crate::message::{self, Kind, Message};
use crate::outbox::Outbox;
use crate::server::{Served, lock};
use crate::session::{Asked, Route};

/// How long a request stays parked.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// The most requests of a client that are parked.
const MOST: usize = 32;

/// What the state of a request is sealed for.
const PURPOSE: &str = "mcplexer request state 1";

/// How long to wait for further questions, once a server has asked one.
const TOGETHER: Duration = Duration::from_millis(5);

/// The parked requests, by number.
#[derive(Debug, Default)]
pub(crate) struct Parking(Mutex<HashMap<u64, Parked>>);

/// A request that waits for its client.
#[derive(Debug)]
struct Parked {
    client: Option<String>,
    until: Instant,
    call: Call,
    /// The questions, by the key that the client knows them by.
    open: Vec<(String, Asked)>,
}

/// A request on its way.
#[derive(Debug)]
struct Call {
    answer: JoinHandle<Result<Answer, CallError>>,
    questions: mpsc::UnboundedReceiver<Asked>,
    /// What the server says meanwhile.
    said: Arc<Outbox>,
    asked: usize,
    /// Dropped, the request is cancelled at the server.
    _cancel: DropGuard,
}

/// What the client keeps of a parked request.
#[derive(Serialize, Deserialize)]
struct State {
    number: u64,
    client: Option<String>,
    /// What the request asks for: it cannot become another one.
    digest: String,
}

/// Passes a request on.
pub(crate) async fn exchange(
    hub: &Arc<Hub>,
    served: Served,
    recorded: Option<Recorded>,
    route: &Route,
    message: &Message,
    splices: Splices,
) -> Result<Answer, CallError> {
    let call = begin(served, recorded, route, message, splices);
    go_on(hub, route, message, fresh_number(), call).await
}

fn begin(
    served: Served,
    recorded: Option<Recorded>,
    route: &Route,
    message: &Message,
    splices: Splices,
) -> Call {
    let (parking, questions) = mpsc::unbounded_channel();
    let said = Arc::new(Outbox::default());
    let cancel = CancellationToken::new();
    let inner = Route {
        outbox: Arc::clone(&said),
        cancel: cancel.clone(),
        parking: Some(parking),
        ..route.clone()
    };
    let message = message.clone();
    let answer = async move {
        let Served { instance, seat } = served;
        let answer = instance.request(&message, splices, Some(inner)).await;
        if let Some(recorded) = recorded {
            recorded.finish(&answer);
        }
        drop(seat);
        answer
    };
    Call {
        answer: tokio::spawn(answer),
        questions,
        said,
        asked: 0,
        _cancel: cancel.drop_guard(),
    }
}

/// Takes a parked request up again, if this is what the client asks for, and passes its answers on. A state that the gateway
/// has not sealed is that of a server.
pub(crate) async fn resume(
    hub: &Arc<Hub>,
    route: &Route,
    message: &Message,
) -> Option<Result<Answer, CallError>> {
    let state = message.param(&["requestState"]).and_then(Value::as_str)?;
    let state: State = hub.sealer().open(PURPOSE, &state)?;
    let is_its = state.client == route.session.peer.name && state.digest == digest(message);
    let Some(mut parked) = is_its.then(|| hub.parking.take(state.number)).flatten() else {
        let text =
            "the state of this request is not known, or has expired; send the request without it";
        return Some(Ok(refusal(text)));
    };
    let responses = message.param(&["inputResponses"]);
    let mut left = Vec::new();
    for (key, asked) in parked.open.drain(..) {
        let response = responses.and_then(|it| it.get(&key));
        let (Some(response), Some(from)) = (response, asked.from.upgrade()) else {
            left.push((key, asked));
            continue;
        };
        if let Some(secret) = secret_of_another(&hub.running(), &from, response.text()).await {
            // With the rest of the parked request it is cancelled at the server.
            let server = from.server.clone();
            return Some(Err(CallError::Foreign { server, secret }));
        }
        let id = asked.question.id().unwrap_or("null");
        from.pass(message::result(id, response.text())).await;
    }
    if left.is_empty() {
        return Some(go_on(hub, route, message, state.number, parked.call).await);
    }
    // What is missing is asked again.
    parked.open = left;
    Some(Ok(hub.parking.put(hub, state.number, parked, message)))
}

/// Waits for the answer, or for questions.
async fn go_on(
    hub: &Arc<Hub>,
    route: &Route,
    message: &Message,
    number: u64,
    mut call: Call,
) -> Result<Answer, CallError> {
    loop {
        tokio::select! {
            biased;
            Some(text) = call.said.next() => route.outbox.notify(text, None),
            answer = &mut call.answer => {
                while let Some(text) = call.said.try_next() {
                    route.outbox.notify(text, None);
                }
                return answer.unwrap_or(Err(CallError::Cancelled)).map(as_modern);
            }
            Some(first) = call.questions.recv() => {
                let mut open = Vec::new();
                let mut next = Some(first);
                while let Some(asked) = next {
                    call.asked += 1;
                    open.push((format!("q{}", call.asked), asked));
                    let more = tokio::time::timeout(TOGETHER, call.questions.recv()).await;
                    next = more.ok().flatten();
                }
                let client = route.session.peer.name.clone();
                let parked = Parked { client, until: Instant::now() + PATIENCE, call, open };
                return Ok(hub.parking.put(hub, number, parked, message));
            }
            () = route.cancel.cancelled() => return Err(CallError::Cancelled),
        }
    }
}

impl Parking {
    /// Parks a request. Returns the result that asks the client.
    fn put(&self, hub: &Hub, number: u64, parked: Parked, message: &Message) -> Answer {
        let state = State {
            number,
            client: parked.client.clone(),
            digest: digest(message),
        };
        let question = |(key, asked): &(String, Asked)| {
            let method = match asked.question.kind() {
                Kind::Request(method) => string(method),
                _ => "null".to_owned(),
            };
            let params = asked.question.params();
            let params = params.map_or_else(String::new, |it| format!(r#","params":{it}"#));
            format!(r#"{}:{{"method":{method}{params}}}"#, string(key))
        };
        let questions: Vec<String> = parked.open.iter().map(question).collect();
        let mut all = lock(&self.0);
        let now = Instant::now();
        all.retain(|_, it| it.until > now);
        let of_client = all.values().filter(|it| it.client == parked.client);
        if of_client.count() >= MOST {
            let text = "too many requests of this client wait for its answers";
            return refusal(text);
        }
        let Some(sealed) = hub.sealer().seal(PURPOSE, &state) else {
            return refusal("the state of the request cannot be sealed");
        };
        all.insert(number, parked);
        drop(all);
        let result = format!(
            r#"{{"resultType":"input_required","inputRequests":{{{}}},"requestState":{}}}"#,
            questions.join(","),
            string(&sealed)
        );
        own(message::result("0", &result))
    }

    fn take(&self, number: u64) -> Option<Parked> {
        let parked = lock(&self.0).remove(&number)?;
        (parked.until > Instant::now()).then_some(parked)
    }

    /// Drops what nobody came back for; it is cancelled at its server.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        lock(&self.0).retain(|_, parked| parked.until > now);
    }
}

/// Returns what a request asks for, in short.
fn digest(message: &Message) -> String {
    let mut hash = Sha256::new();
    if let Kind::Request(method) = message.kind() {
        hash.update(method.as_bytes());
    }
    for member in ["name", "uri", "arguments"] {
        let value = message.param(&[member]).map_or("", Value::text);
        hash.update([0]);
        hash.update(value.as_bytes());
    }
    let digest = hash.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn fresh_number() -> u64 {
    let mut number = [0; 8];
    // A number that is used twice would only be refused: the state is sealed for one request.
    let _zeros = getrandom::fill(&mut number);
    u64::from_ne_bytes(number)
}

fn refusal(text: &str) -> Answer {
    own(message::error("0", INVALID_PARAMS, text))
}

fn own(text: String) -> Answer {
    Answer::of_gateway(text)
}

/// Says of a result what a server without sessions says of it.
fn as_modern(answer: Answer) -> Answer {
    let Some(result) = answer
        .message
        .result()
        .map(Value::new)
        .filter(|it| it.is_object())
    else {
        return answer;
    };
    let mut more = String::new();
    if result.get("resultType").is_none() {
        more.push_str(r#""resultType":"complete","#);
    }
    // Lists, and what resources hold, say how long they may be kept (MCP 2026-07-28, "Caching").
    let lists = ListKind::ALL.map(ListKind::member);
    let is_kept = |name: &&str| result.get(name).is_some();
    if lists.iter().chain(&["contents"]).any(is_kept) && result.get("ttlMs").is_none() {
        more.push_str(r#""ttlMs":0,"cacheScope":"private","#);
    }
    let (at, comma) = result.head();
    let offset = answer.message.result_start();
    let mut splices = Splices::default();
    let more = if comma.is_empty() {
        more.trim_end_matches(',')
    } else {
        &more
    };
    splices.insert(offset + at, more);
    let text = splices.apply(answer.message.text());
    answer.with_text(text)
}

/// Returns a result with what a server without sessions adds to it.
pub(crate) fn as_modern_text(text: String) -> String {
    as_modern(own(text)).message.into_text()
}
