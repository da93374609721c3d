//! What a client and the gateway have said, as far as another gateway has to know it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Connect;
use crate::daemon::talk::{Hello, VERSION};
use crate::error::LOST;
use crate::message::{self, Kind, Message};

/// The ids of the bridge's own requests begin like this.
const OWN: &str = "mcplexer-connect-";

/// What has been said.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    /// The requests of the client that are not answered, by id, as they were written.
    unanswered: HashMap<String, Unanswered>,
    /// How the client has greeted, if it has a session.
    greeting: Option<String>,
    is_greeted: bool,
    /// What the client has said about its session: by what it is about.
    settings: BTreeMap<String, String>,
    /// The questions to the client that it has not answered, by id.
    questions: HashSet<u64>,
    /// Those of gateways that are gone.
    stale: HashSet<u64>,
    next_question: u64,
    next_own: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unanswered {
    Greeting,
    Other,
}

/// What a message of the client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FromClient {
    /// A message to pass on.
    Message,
    /// A request of this id.
    Request(String),
    /// A greeting, which every gateway gets.
    Greeting,
    /// An answer to a gateway that is gone.
    Stale,
}

/// What a message of the gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FromGateway {
    /// A message to pass on.
    Message,
    /// An answer that the client does not wait for: to the bridge itself, or a late one.
    Own,
}

impl Conversation {
    /// Notes what the client says.
    pub(super) fn of_client(&mut self, line: &[u8]) -> FromClient {
        let Some(message) = parsed(line) else {
            return FromClient::Message;
        };
        let id = message.id().map(str::to_owned);
        match (message.kind().clone(), id) {
            (Kind::Request(method), Some(id)) => {
                let is_greeting = method == "initialize";
                let unanswered = match is_greeting {
                    true => Unanswered::Greeting,
                    false => Unanswered::Other,
                };
                self.unanswered.insert(id.clone(), unanswered);
                if is_greeting {
                    self.greeting = Some(message.into_text());
                    self.is_greeted = false;
                    return FromClient::Greeting;
                }
                self.note_setting(&method, message);
                return FromClient::Request(id);
            }
            (Kind::Notification(method), _) if method == "notifications/cancelled" => {
                if let Some(id) = message.param(&["requestId"]) {
                    self.unanswered.remove(id.text());
                }
            }
            (Kind::Response, Some(id)) => {
                let number = id.parse::<u64>().ok();
                if number.is_some_and(|it| self.stale.remove(&it)) {
                    return FromClient::Stale;
                }
                if let Some(number) = number {
                    self.questions.remove(&number);
                }
            }
            _ => {}
        }
        FromClient::Message
    }

    /// Whether the client has not been answered since it said this.
    pub(super) fn still_wants(&self, said: &FromClient) -> bool {
        match said {
            FromClient::Request(id) => self.unanswered.contains_key(id),
            _ => true,
        }
    }

    /// Remembers what holds until the session ends.
    fn note_setting(&mut self, method: &str, message: Message) {
        let uri = message.param(&["uri"]).map(|it| it.text().to_owned());
        match (method, uri) {
            ("logging/setLevel", _) => {
                let text = message.into_text();
                self.settings.insert("level".to_owned(), text);
            }
            ("resources/subscribe", Some(uri)) => {
                let text = message.into_text();
                self.settings.insert(format!("resource {uri}"), text);
            }
            ("resources/unsubscribe", Some(uri)) => {
                self.settings.remove(&format!("resource {uri}"));
            }
            _ => {}
        }
    }

    /// Notes what the gateway says.
    pub(super) fn of_gateway(&mut self, line: &[u8]) -> FromGateway {
        let Some(message) = parsed(line) else {
            return FromGateway::Message;
        };
        match (message.kind(), message.id()) {
            (Kind::Response, Some(id)) => {
                if id.trim_start_matches('"').starts_with(OWN) {
                    return FromGateway::Own;
                }
                match self.unanswered.remove(id) {
                    Some(Unanswered::Greeting) => self.is_greeted = message.error().is_none(),
                    // What was no message has no id.
                    None if id != "null" => return FromGateway::Own,
                    _ => {}
                }
            }
            (Kind::Request(_), Some(id)) => {
                if let Ok(number) = id.parse::<u64>() {
                    self.questions.insert(number);
                    self.next_question = self.next_question.max(number + 1);
                }
            }
            (Kind::Notification(method), _) if method == "notifications/cancelled" => {
                let id = message.param(&["requestId"]);
                if let Some(number) = id.and_then(|it| it.text().parse().ok()) {
                    self.questions.remove(&number);
                }
            }
            _ => {}
        }
        FromGateway::Message
    }

    /// Returns what a gateway gets first.
    pub(super) fn hello(&self, connect: &Connect) -> Hello {
        Hello {
            mcplexer: VERSION,
            ask: None,
            client: connect.client.clone(),
            server: connect.server.clone(),
            first_question: (self.next_question > 0).then_some(self.next_question),
        }
    }

    /// Returns what another gateway gets, so that the client's session goes on: lines.
    pub(super) fn again(&mut self) -> String {
        let Some(greeting) = self.greeting.clone() else {
            return String::new();
        };
        if !self.is_greeted {
            // The client still waits for the answer.
            let waits = |it: &Unanswered| *it == Unanswered::Greeting;
            return match self.unanswered.values().any(waits) {
                true => greeting + "\n",
                false => String::new(),
            };
        }
        let mut lines = self.own(&greeting);
        lines.push_str(&message::notification("notifications/initialized", None));
        lines.push('\n');
        for setting in self.settings.clone().into_values() {
            lines.push_str(&self.own(&setting));
        }
        lines
    }

    /// Returns a request of the client as one of the bridge's own.
    fn own(&mut self, request: &str) -> String {
        self.next_own += 1;
        let id = format!("\"{OWN}{}\"", self.next_own);
        match Message::parse(request.to_owned()) {
            Ok(message) => message.with_id(&id) + "\n",
            Err(_) => String::new(),
        }
    }

    /// Takes it that the gateway is gone. Returns what the client gets: lines.
    pub(super) fn lost(&mut self) -> String {
        let mut lines = String::new();
        let text = "the gateway ended before it answered, so the outcome is unknown";
        let (greetings, others): (HashMap<_, _>, HashMap<_, _>) =
            std::mem::take(&mut self.unanswered)
                .into_iter()
                .partition(|(_, it)| *it == Unanswered::Greeting);
        self.unanswered = greetings;
        let mut ids: Vec<_> = others.into_keys().collect();
        ids.sort();
        for id in ids {
            lines.push_str(&message::error(&id, LOST, text));
            lines.push('\n');
        }
        let mut questions: Vec<_> = self.questions.drain().collect();
        questions.sort_unstable();
        for number in questions {
            let params = format!(r#"{{"requestId":{number}}}"#);
            lines.push_str(&message::notification(
                "notifications/cancelled",
                Some(&params),
            ));
            lines.push('\n');
            self.stale.insert(number);
        }
        lines
    }
}

fn parsed(line: &[u8]) -> Option<Message> {
    let text = str::from_utf8(line).ok()?;
    Message::parse(text.trim_ascii().to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Start;
    use crate::json::Value;

    fn id_of(text: &str) -> Option<&str> {
        Value::new(text).get("id").map(Value::text)
    }

    const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"x":1}}"#;

    fn request(id: u32, method: &str, params: &str) -> String {
        message::request(&id.to_string(), method, params)
    }

    fn greeted() -> Conversation {
        let mut conversation = Conversation::default();
        let said = conversation.of_client(INITIALIZE.as_bytes());
        assert_eq!(said, FromClient::Greeting);
        conversation.of_gateway(br#"{"jsonrpc":"2.0","id":0,"result":{}}"#);
        conversation
    }

    #[test]
    fn what_is_not_answered_has_an_unknown_outcome() {
        let mut conversation = greeted();
        for id in [1, 2, 3] {
            conversation.of_client(request(id, "tools/call", "{}").as_bytes());
        }
        conversation.of_gateway(br#"{"jsonrpc":"2.0","id":2,"result":{}}"#);
        let cancelled =
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#;
        conversation.of_client(cancelled.as_bytes());
        let lost = conversation.lost();
        let lines: Vec<_> = lines(&lost);
        assert_eq!(lines.len(), 1);
        assert_eq!(id_of(lines[0]), Some("1"));
        assert!(lines[0].contains("1004") && lines[0].contains("unknown"));
        assert_eq!(conversation.lost(), "");
    }

    fn lines(text: &str) -> Vec<&str> {
        text.lines().collect()
    }

    #[test]
    fn another_gateway_is_told_what_holds_for_the_session() {
        let mut conversation = greeted();
        for (id, method, params) in [
            (1, "logging/setLevel", r#"{"level":"debug"}"#),
            (2, "logging/setLevel", r#"{"level":"info"}"#),
            (3, "resources/subscribe", r#"{"uri":"a:1"}"#),
            (4, "resources/subscribe", r#"{"uri":"a:2"}"#),
            (5, "resources/unsubscribe", r#"{"uri":"a:1"}"#),
            (6, "tools/call", r#"{"name":"x"}"#),
        ] {
            conversation.of_client(request(id, method, params).as_bytes());
        }
        let again = conversation.again();
        let again = lines(&again);
        assert_eq!(again.len(), 4, "{again:?}");
        assert!(again[0].contains("initialize") && again[0].contains(r#""params":{"x":1}"#));
        assert!(again[1].contains("notifications/initialized"));
        assert!(again[2].contains(r#""level":"info""#) && again[3].contains("a:2"));
        for line in [again[0], again[2], again[3]] {
            let answer = format!(
                r#"{{"jsonrpc":"2.0","id":{},"result":{{}}}}"#,
                id_of(line).unwrap()
            );
            let said = conversation.of_gateway(answer.as_bytes());
            assert_eq!(said, FromGateway::Own);
        }
    }

    #[test]
    fn a_greeting_without_an_answer_is_said_again_as_it_was() {
        let mut conversation = Conversation::default();
        assert_eq!(conversation.again(), "");
        conversation.of_client(INITIALIZE.as_bytes());
        assert_eq!(conversation.lost(), "");
        assert_eq!(conversation.again(), format!("{INITIALIZE}\n"));
        let refused = r#"{"jsonrpc":"2.0","id":0,"error":{"code":1,"message":"x"}}"#;
        conversation.of_gateway(refused.as_bytes());
        assert_eq!(conversation.again(), "");
    }

    #[test]
    fn an_answer_to_a_gateway_that_is_gone_goes_nowhere() {
        let mut conversation = greeted();
        for id in [1, 2] {
            conversation.of_gateway(request(id, "roots/list", "{}").as_bytes());
        }
        let answer = |id: u32| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
        let said = conversation.of_client(answer(1).as_bytes());
        assert_eq!(said, FromClient::Message);
        let lost = conversation.lost();
        assert!(lost.contains("notifications/cancelled") && lost.contains(r#""requestId":2"#));
        assert_eq!(lines(&lost).len(), 1);
        let connect = Connect::new(None, None, Start::never("/nowhere".into()));
        assert_eq!(conversation.hello(&connect).first_question, Some(3));
        let said = conversation.of_client(answer(2).as_bytes());
        assert_eq!(said, FromClient::Stale);
        let said = conversation.of_client(answer(2).as_bytes());
        assert_eq!(said, FromClient::Message);
    }
}
