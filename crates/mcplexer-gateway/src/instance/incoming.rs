//! What a server sends: answers, notifications, and questions to its clients.

use std::sync::Arc;

use super::{Answer, Instance, SUBSCRIPTION_ID, Waiting};
use crate::error::CallError;
use crate::frame::{Ends, Line};
use crate::json::Splices;
use crate::length::{at_length, search_len};
use crate::link::Link;
use crate::message::{self, Kind, Message};
use crate::session::{Asked, Question};

impl Instance {
    /// Takes a line from the server. `within` is the id of the request to whose answer it belongs, where the transport
    /// says so. Who reads lines waits for the end of one before the next: they stay in their order.
    pub(crate) async fn take(self: &Arc<Self>, line: Line, within: Option<u64>) {
        match line {
            Line::Text(text) => self.take_text(text, within).await,
            Line::NotText(ends) => {
                let problem = "its answer is not UTF-8 text".to_owned();
                let error = CallError::Failed {
                    server: self.server.clone(),
                    problem,
                };
                self.take_skipped(&ends, error);
                self.say_nonsense("a message that is not UTF-8");
            }
            Line::TooLong(ends) => {
                let error = CallError::TooLong {
                    server: self.server.clone(),
                    limit: self.limit,
                };
                self.take_skipped(&ends, error);
                self.log.add("(a message that is too long)", None);
            }
        }
    }

    /// Takes a message from the server, as [`take`](Self::take) does.
    pub(crate) async fn take_text(self: &Arc<Self>, text: String, within: Option<u64>) {
        let (bytes, scrubber) = (search_len(&text), Arc::clone(&self.scrubber));
        let read = move || {
            let (text, scrubbed) = scrubber.json(text);
            (Message::parse(text), scrubbed)
        };
        let (message, scrubbed) = at_length(bytes, read).await;
        let Ok(message) = message else {
            return self.say_nonsense("a line that is no message");
        };
        match message.kind().clone() {
            Kind::Response => self.take_answer(Answer { message, scrubbed }),
            Kind::Notification(method) => self.take_notification(&method, message, within),
            Kind::Request(method) => self.take_question(&method, &message, within),
        }
    }

    pub(super) fn take_answer(&self, answer: Answer) {
        let id = answer.message.id().and_then(|id| {
            // Some servers answer with the text of a number.
            id.trim_matches('"').parse::<u64>().ok()
        });
        let pending = id.and_then(|id| self.state().pending.remove(&id));
        if let Some(pending) = pending {
            let _nobody_waits = pending.answer.send(Ok(answer));
        }
    }

    /// Fails the request to which a message that was skipped is the answer.
    fn take_skipped(&self, Ends { head, tail }: &Ends, error: CallError) {
        let mut state = self.state();
        let ids = ids_in(head).chain(ids_in(tail));
        let found: Vec<u64> = ids.filter(|id| state.pending.contains_key(id)).collect();
        if let Some(pending) = found.first().and_then(|id| state.pending.remove(id)) {
            let _nobody_waits = pending.answer.send(Err(error));
        }
    }

    pub(super) fn take_notification(
        self: &Arc<Self>,
        method: &str,
        message: Message,
        within: Option<u64>,
    ) {
        if self.take_of_subscription(method, &message) {
            return;
        }
        match method {
            "notifications/progress" => self.take_progress(&message),
            "notifications/cancelled" => self.take_withdrawal(&message),
            // It is the gateway's own subscription.
            "notifications/subscriptions/acknowledged" => {}
            "notifications/message" => {
                let route = self.route_for(within);
                if let Some(route) = route.filter(|it| it.wants_log) {
                    route.outbox.notify(message.into_text(), None);
                }
            }
            _ => {
                if let Some(events) = self.events.upgrade() {
                    events.notified(self, method, message, within);
                }
            }
        }
    }

    /// Passes on what a client has subscribed to, under the client's id. Returns whether it is that.
    pub(super) fn take_of_subscription(&self, method: &str, message: &Message) -> bool {
        let Some(tag) = message.param(&["_meta", SUBSCRIPTION_ID]) else {
            return false;
        };
        let Ok(id) = tag.text().trim_matches('"').parse::<u64>() else {
            return false;
        };
        let state = self.state();
        let Some(Waiting { of, .. }) = state.pending.get(&id) else {
            return false;
        };
        let (Some(route), Some(client_id)) = (&of.route, &of.client_id) else {
            return false;
        };
        let mut splices = Splices::default();
        splices.replace(tag, client_id.as_str());
        let about = format!("{method} {client_id}");
        let text = splices.apply(message.text());
        match method {
            // Each resource changes by itself.
            "notifications/resources/updated" => route.outbox.notify(text, None),
            _ => route.outbox.notify(text, Some(about)),
        }
        true
    }

    /// Passes progress on, under the client's token.
    pub(super) fn take_progress(&self, message: &Message) {
        let Some(token) = message.param(&["progressToken"]) else {
            return;
        };
        let Ok(id) = token.text().trim_matches('"').parse::<u64>() else {
            return;
        };
        let state = self.state();
        let Some(pending) = state.pending.get(&id) else {
            return;
        };
        pending.progressed.notify_one();
        if let (Some(route), Some(clients)) = (&pending.of.route, &pending.of.progress_token) {
            let mut splices = Splices::default();
            splices.replace(token, clients.as_str());
            let text = splices.apply(message.text());
            let about = format!("progress {clients}");
            route.outbox.notify(text, Some(about));
        }
    }

    /// Passes on that the server does not want an answer any more.
    pub(super) fn take_withdrawal(self: &Arc<Self>, message: &Message) {
        let Some(id) = message.param(&["requestId"]) else {
            return;
        };
        for session in self.sessions() {
            if let Some(number) = session.withdraw(self, id.text()) {
                let mut splices = Splices::default();
                splices.replace(id, number.to_string());
                session.outbox.notify(splices.apply(message.text()), None);
            }
        }
    }

    /// Asks the client for what the server asks, under an id of the session's own.
    pub(super) fn take_question(
        self: &Arc<Self>,
        method: &str,
        message: &Message,
        within: Option<u64>,
    ) {
        let id = message.id().unwrap_or("null");
        if method == "ping" {
            self.answer(message::result(id, "{}"));
            return;
        }
        let Some(route) = self.route_for(within) else {
            if let Some(events) = self.events.upgrade() {
                events.is_ambiguous(self);
            }
            let text =
                "it is not clear which client this is for: several use this server, or none does";
            self.answer(message::error(id, -32603, text));
            return;
        };
        if let Some(parking) = &route.parking {
            let _nobody_waits = parking.send(Asked {
                from: Arc::downgrade(self),
                question: message.clone(),
            });
            return;
        }
        let token = message.param(&["_meta", "progressToken"]);
        let number = route.session.ask(Question::Server {
            from: Arc::downgrade(self),
            id: id.to_owned(),
            progress_token: token.map(|it| it.text().to_owned()),
        });
        let mut splices = Splices::default();
        message.splice_id(&mut splices, &number.to_string());
        if let Some(token) = token {
            splices.replace(token, number.to_string());
        }
        route.outbox.push(splices.apply(message.text()));
    }

    pub(super) fn answer(&self, text: String) {
        self.link.send_later(text);
    }

    pub(super) fn say_nonsense(&self, what: &str) {
        let mut state = self.state();
        if !std::mem::replace(&mut state.has_said_nonsense, true) {
            let place = match &self.link {
                Link::Child(_) => "on standard output",
                Link::Http(_) => "in an answer",
            };
            self.log.add(&format!("(skipped {place}: {what})"), None);
        }
    }
}

/// Returns the numbers that stand where an id can, in a piece of a message.
fn ids_in(piece: &str) -> impl Iterator<Item = u64> + '_ {
    piece.match_indices("\"id\"").filter_map(move |(at, name)| {
        let rest = piece.get(at + name.len()..)?.trim_ascii_start();
        let rest = rest.strip_prefix(':')?.trim_ascii_start();
        let end = rest
            .find(|it: char| !it.is_ascii_digit())
            .unwrap_or(rest.len());
        rest.get(..end)?.parse().ok()
    })
}
