//! What comes back for a message.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use tokio::time::{sleep, timeout};

use super::back::{Answered, Body};
use super::problem::{answered, challenge, excerpt, is_json, media_type, sent_type};
use super::stream::Events;
use super::target::shown;
use super::{EVENT_STREAM, Protocol, SESSION, Shared};
use crate::error::CallError;
use crate::frame::Line;
use crate::inbox::NO_METHOD;
use crate::instance::Instance;
use crate::json::{Splices, Value};
use crate::message::{Kind, Message};

/// How often a response that was cut is resumed without anything new in it.
const MAX_RESUMES: u32 = 5;

/// The first wait before a response is resumed, if the server does not say how long. Each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_millis(100);

impl Shared {
    /// Sends a message and takes what comes back for it. `id` is 0 for a message that is not answered.
    pub(super) async fn exchange(
        self: &Arc<Self>,
        instance: &Arc<Instance>,
        id: u64,
        text: Bytes,
    ) -> Result<(), CallError> {
        let is_first = self.state().protocol == Protocol::Unknown && is_initialize(&text);
        let answer = self.post(&text).await?;
        if answer.status.is_success() {
            if is_first {
                let mut state = self.state();
                state.protocol = Protocol::Legacy;
                state.session = answer.headers.get(SESSION).cloned().map(|mut session| {
                    session.set_sensitive(true);
                    session
                });
            }
            return self.take(instance, id, answer).await;
        }
        let (uri, status, headers) = (answer.uri, answer.status, answer.headers);
        let body = match self.back.body(&headers, answer.body).await {
            Body::Whole(body) => body,
            Body::TooLong | Body::Cut(_) => Bytes::new(),
        };
        // What only HTTP+SSE of 2024-11-05 is spoken at answers like this.
        let is_other = matches!(
            status,
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
        );
        let is_modern = Refusal::of(&body).is_some_and(|it| it.is_modern());
        if is_first && is_other && !is_modern && self.open_events(instance).await? {
            let answer = self.post(&text).await?;
            if answer.status.is_success() {
                return self.take(instance, id, answer).await;
            }
        }
        let problem = answered(&uri, status);
        self.refused(instance, id, &problem, status, &headers, &body)
            .await
    }

    /// Takes an answer that is not a success.
    async fn refused(
        &self,
        instance: &Arc<Instance>,
        id: u64,
        problem: &str,
        status: StatusCode,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<(), CallError> {
        let error = Refusal::of(body);
        let scrubber = &self.back.fields.scrubber;
        let server = self.back.server.clone();
        let has_session = {
            let state = self.state();
            state.session.is_some() || matches!(state.protocol, Protocol::Events(_))
        };
        if has_session && is_about_session(status, error.as_ref()) {
            self.lose(instance);
            return Err(CallError::Unsent {
                server,
                log: format!("; {problem}: it does not know the session any more"),
            });
        }
        let wants_other = status == StatusCode::UNAUTHORIZED
            || status == StatusCode::FORBIDDEN
                && (error.is_none() || headers.contains_key(hyper::header::WWW_AUTHENTICATE));
        if wants_other {
            let challenge = challenge(headers, scrubber);
            let hint = self.back.fields.hint();
            return Err(CallError::Denied {
                server,
                problem: format!("{problem}{challenge}; {hint}"),
            });
        }
        if let Some(error) = error.filter(|_| id != 0)
            && let Some(text) = error.as_answer_to(id)
        {
            instance.take_text(text, Some(id)).await;
            return Ok(());
        }
        let excerpt = excerpt(headers, body, scrubber);
        Err(self.back.failed(format!("{problem}{excerpt}")))
    }

    /// Takes the body of a success.
    async fn take(
        self: &Arc<Self>,
        instance: &Arc<Instance>,
        id: u64,
        answer: Answered,
    ) -> Result<(), CallError> {
        let kind = media_type(&answer.headers);
        if kind == EVENT_STREAM {
            let events = Events::new(answer.body, self.back.limit);
            return match id {
                // A notification has no answer.
                0 => {
                    events.finish(instance).await;
                    Ok(())
                }
                _ => self.take_events(instance, id, events).await,
            };
        }
        let whence = || answered(&answer.uri, answer.status);
        let body = match self.back.body(&answer.headers, answer.body).await {
            Body::Whole(body) => body,
            Body::Cut(problem) => {
                return Err(self
                    .back
                    .lost(&format!("{}, and then: {problem}", whence())));
            }
            Body::TooLong => {
                return Err(CallError::TooLong {
                    server: self.back.server.clone(),
                    limit: self.back.limit,
                });
            }
        };
        // Where answers come on another stream, and for messages that have none.
        if id == 0 || matches!(self.state().protocol, Protocol::Events(_)) {
            return Ok(());
        }
        if body.trim_ascii().is_empty() {
            return Err(self.back.failed(format!("{} without a message", whence())));
        }
        if !is_json(&kind) && !kind.is_empty() {
            return Err(self.back.failed(format!(
                "{} with {}, which is no message: is the URL that of an MCP endpoint?",
                whence(),
                // As it was sent: a value in other letters is not found.
                match sent_type(&answer.headers) {
                    kind if kind.bytes().all(|byte| byte.is_ascii_graphic()) => kind,
                    _ => "something",
                }
            )));
        }
        let Ok(text) = String::from_utf8(body.into()) else {
            return Err(self
                .back
                .failed(format!("{} with what is not UTF-8", whence())));
        };
        // One revision has several messages in one body.
        match text.trim_ascii_start().starts_with('[') {
            true => {
                for message in Value::new(&text).elements().unwrap_or_default() {
                    instance
                        .take_text(message.text().to_owned(), Some(id))
                        .await;
                }
            }
            false => instance.take_text(text, Some(id)).await,
        }
        match instance.awaits(id) {
            true => Err(self.back.failed(format!(
                "{} with what is no answer to the request",
                whence()
            ))),
            false => Ok(()),
        }
    }

    /// Takes messages until the answer is among them. A response that is cut is resumed, if its events have ids.
    async fn take_events(
        &self,
        instance: &Arc<Instance>,
        id: u64,
        mut events: Events,
    ) -> Result<(), CallError> {
        let mut resumes = 0;
        let mut reached: Option<String> = None;
        loop {
            let cut = loop {
                match events.next().await {
                    Ok(Some(event)) if event.name == "message" => {
                        resumes = 0;
                        instance.take(event.data, Some(id)).await;
                        if !instance.awaits(id) {
                            events.finish(instance).await;
                            return Ok(());
                        }
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => break "the response ended without the answer".to_owned(),
                    Err(problem) => break problem,
                }
            };
            let problem = format!("{}: {cut}", shown(&self.back.target.uri));
            let last = events.parser.last_id().map(str::to_owned);
            let is_resumable = self.state().protocol == Protocol::Legacy;
            let Some(last) = last.or(reached.clone()).filter(|_| is_resumable) else {
                return Err(self.back.lost(&problem));
            };
            if reached.as_ref() != Some(&last) {
                resumes = 0;
            }
            let retry = events.parser.retry();
            events = loop {
                if resumes == MAX_RESUMES {
                    return Err(self.back.lost(&problem));
                }
                sleep(retry.unwrap_or(FIRST_WAIT * 2_u32.saturating_pow(resumes))).await;
                resumes += 1;
                match self.get(Some(&last)).await {
                    Ok(answer) if answer.status.is_success() && is_stream(&answer) => {
                        break Events::new(answer.body, self.back.limit);
                    }
                    Ok(answer) if answer.status.is_client_error() => {
                        if answer.status == StatusCode::NOT_FOUND {
                            self.lose(instance);
                        }
                        return Err(self.back.lost(&problem));
                    }
                    Ok(_) | Err(_) => {}
                }
            };
            reached = Some(last);
        }
    }

    /// Tries HTTP+SSE of 2024-11-05: the first event of a stream says where messages go. Returns whether it does.
    async fn open_events(self: &Arc<Self>, instance: &Arc<Instance>) -> Result<bool, CallError> {
        let opening = async {
            let answer = self.get(None).await.ok()?;
            if !answer.status.is_success() || !is_stream(&answer) {
                return None;
            }
            let mut events = Events::new(answer.body, self.back.limit);
            let first = events.next().await.ok().flatten()?;
            match first.data {
                Line::Text(url) if first.name == "endpoint" => Some((answer.uri, events, url)),
                _ => None,
            }
        };
        let opened = timeout(self.timeouts.connect, opening).await;
        let Some((uri, events, url)) = opened.ok().flatten() else {
            return Ok(false);
        };
        let Some(endpoint) = self.back.target.same_origin(&uri, url.trim()) else {
            return Err(self.back.failed(format!(
                "the event stream of {} sends messages to another origin, and its credentials are for this one only",
                shown(&uri)
            )));
        };
        self.state().protocol = Protocol::Events(endpoint);
        tokio::spawn(Arc::clone(self).take_all(Arc::downgrade(instance), events));
        Ok(true)
    }
}

/// The JSON-RPC error in a body.
struct Refusal {
    message: Message,
    code: Option<i64>,
    says: String,
}

impl Refusal {
    fn of(body: &Bytes) -> Option<Self> {
        let text = str::from_utf8(body).ok()?;
        let message = Message::parse(text.to_owned()).ok()?;
        if *message.kind() != Kind::Response {
            return None;
        }
        let error = Value::new(message.error()?);
        let code = error.get("code")?.text().parse().ok();
        let says = error.get("message").and_then(Value::as_str);
        let says = says.unwrap_or_default().to_lowercase();
        Some(Self {
            message,
            code,
            says,
        })
    }

    /// Whether it is one that only a server of the modern protocol answers to a message that it does not know
    /// (MCP 2026-07-28, "Backward Compatibility").
    fn is_modern(&self) -> bool {
        self.code
            .is_some_and(|it| it == NO_METHOD || (-32022..=-32020).contains(&it))
    }

    /// Returns it as the answer to a request, which it need not name.
    fn as_answer_to(&self, id: u64) -> Option<String> {
        let id = id.to_string();
        match self.message.id() {
            Some(named) if named.trim_matches('"') == id => Some(self.message.text().to_owned()),
            Some("null" | r#""""#) => Some(self.message.with_id(&id)),
            Some(_) => None,
            None => {
                let whole = self.message.value();
                let (at, comma) = whole.head();
                let mut splices = Splices::default();
                splices.insert(at, format!(r#""id":{id}{comma}"#));
                Some(splices.apply(self.message.text()))
            }
        }
    }
}

/// Whether a server that was given the id of a session refuses it. By the protocol it answers 404. Servers whose sessions
/// are gone with a restart often take a message without one for a mistake, and answer 400.
fn is_about_session(status: StatusCode, error: Option<&Refusal>) -> bool {
    match status {
        StatusCode::NOT_FOUND => error.and_then(|it| it.code) != Some(NO_METHOD),
        StatusCode::BAD_REQUEST => error
            .is_some_and(|it| it.says.contains("session") || it.says.contains("not initialized")),
        _ => false,
    }
}

/// Whether an answer is a stream of events.
pub(super) fn is_stream(answer: &Answered) -> bool {
    media_type(&answer.headers) == EVENT_STREAM
}

fn is_initialize(text: &Bytes) -> bool {
    let text = str::from_utf8(text).unwrap_or_default();
    let method = Value::new(text).get("method").and_then(Value::as_str);
    method.is_some_and(|it| it == "initialize")
}
