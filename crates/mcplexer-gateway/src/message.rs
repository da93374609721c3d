//! JSON-RPC 2.0 messages: what kind they are, and their parts as they are written.

use mcplexer_files::config::ServerName;
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use crate::json::{NotJson, Splices, Value};
use crate::length::{at_length, is_long};

/// A message as it was received.
#[derive(Clone)]
pub(crate) struct Message {
    text: String,
    kind: Kind,
    /// Where its parts are: of each name the last one, but all of the ids.
    ids: Vec<Range<usize>>,
    params: Option<Range<usize>>,
    result: Option<Range<usize>>,
    error: Option<Range<usize>>,
    /// The members of the parameters, once one is looked for: the parameters can be long.
    members: OnceLock<Box<[Member]>>,
}

/// A member's name, and where its value is.
type Member = (Box<str>, Range<usize>);

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It asks for an answer.
    Request(String),
    /// It asks for none.
    Notification(String),
    /// It answers.
    Response,
}

/// What was sent as one text.
#[derive(Debug)]
pub(crate) enum Sent {
    /// A message.
    One(Message),
    /// Several messages (JSON-RPC 2.0, section 6).
    Several(Vec<Message>),
}

/// Why a text is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoMessage {
    /// It is not JSON.
    NotJson,
    /// It is JSON, and not a message of JSON-RPC.
    NotRpc,
    /// It is several messages, which only one revision of the protocol allows.
    Batch,
    /// It is more messages than are taken at once.
    Many,
}

/// The most messages that are taken at once: one that says little takes a hundred times its length in memory.
const MOST_AT_ONCE: usize = 1000;

impl From<NotJson> for NoMessage {
    fn from(_: NotJson) -> Self {
        Self::NotJson
    }
}

impl Sent {
    /// Reads a text of any length.
    ///
    /// # Errors
    /// Why it is no message.
    pub(crate) async fn read(text: String, may_be_several: bool) -> Result<Self, NoMessage> {
        let bytes = text.len();
        let read = move || {
            if may_be_several && text.trim_ascii_start().starts_with('[') {
                match Message::batch(&text) {
                    Ok(messages) => return Ok(Self::Several(messages)),
                    Err(NoMessage::Many) => return Err(NoMessage::Many),
                    // What it is instead is found below.
                    Err(_) => {}
                }
            }
            let message = Message::parse(text)?;
            if is_long(bytes) {
                // To look for a member of the parameters takes long only once.
                let _found = message.param(&["_meta"]);
            }
            Ok(Self::One(message))
        };
        at_length(bytes, read).await
    }
}

impl Message {
    /// Reads a message.
    pub(crate) fn parse(text: String) -> Result<Self, NoMessage> {
        let trimmed = text.trim_ascii();
        let text = match trimmed.len() == text.len() {
            true => text,
            false => trimmed.to_owned(),
        };
        if text.starts_with('[') {
            return Err(match crate::json::is_valid(&text) {
                true => NoMessage::Batch,
                false => NoMessage::NotJson,
            });
        }
        let (mut method, mut params, mut result, mut error) = (None, None, None, None);
        let mut ids = Vec::with_capacity(1);
        if !text.starts_with('{') {
            return Err(match crate::json::is_valid(&text) {
                true => NoMessage::NotRpc,
                false => NoMessage::NotJson,
            });
        }
        for (name, value) in Value::new(&text).members()? {
            match name.as_ref() {
                "id" => ids.push(value.range()),
                "method" => method = Some(value),
                "params" => params = Some(value.range()),
                "result" => result = Some(value.range()),
                "error" => error = Some(value.range()),
                _ => {}
            }
        }
        let kind = match method {
            Some(method) => {
                let method = method.as_str().ok_or(NoMessage::NotRpc)?.into_owned();
                match ids.is_empty() {
                    false => Kind::Request(method),
                    true => Kind::Notification(method),
                }
            }
            // An error about a message that could not be read has no id, or null.
            None if result.is_some() || error.is_some() => Kind::Response,
            None => return Err(NoMessage::NotRpc),
        };
        Ok(Self {
            text,
            kind,
            ids,
            params,
            result,
            error,
            members: OnceLock::new(),
        })
    }

    /// Reads several messages that were sent as one (JSON-RPC 2.0, section 6).
    pub(crate) fn batch(text: &str) -> Result<Vec<Self>, NoMessage> {
        let elements = Value::new(text.trim_ascii()).elements()?;
        if elements.is_empty() {
            return Err(NoMessage::NotRpc);
        }
        if elements.len() > MOST_AT_ONCE {
            return Err(NoMessage::Many);
        }
        let messages = elements.iter().map(|it| Self::parse(it.text().to_owned()));
        messages.collect()
    }

    /// An answer that says nothing.
    pub(crate) fn empty() -> Self {
        Self {
            text: "{}".to_owned(),
            kind: Kind::Response,
            ids: Vec::new(),
            params: None,
            result: None,
            error: None,
            members: OnceLock::new(),
        }
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Returns the whole message as a value.
    pub(crate) fn value(&self) -> Value<'_> {
        Value::new(&self.text)
    }

    /// Returns the id as it is written.
    pub(crate) fn id(&self) -> Option<&str> {
        self.text.get(self.ids.last()?.clone())
    }

    /// Returns the result as it is written.
    pub(crate) fn result(&self) -> Option<&str> {
        self.part(&self.result)
    }

    /// Returns where the result begins in the message.
    pub(crate) fn result_start(&self) -> usize {
        self.result.as_ref().map_or(0, |it| it.start)
    }

    /// Returns the error as it is written.
    pub(crate) fn error(&self) -> Option<&str> {
        self.part(&self.error)
    }

    /// Returns something in the parameters, with its place in the message.
    pub(crate) fn param(&self, path: &[&str]) -> Option<Value<'_>> {
        let params = Value::part(&self.text, self.params.clone()?)?;
        let Some((first, rest)) = path.split_first() else {
            return Some(params);
        };
        let members = self.members.get_or_init(|| {
            let members = params.members().unwrap_or_default().into_iter();
            let members = members.map(|(name, value)| (name.into(), value.range()));
            members.collect()
        });
        // The last one of a name, as everywhere.
        let mut found = members.iter().rev().filter(|(name, _)| **name == **first);
        let (_, range) = found.next()?;
        Value::part(&self.text, range.clone())?.at(rest)
    }

    /// Returns the parameters as they are written.
    pub(crate) fn params(&self) -> Option<&str> {
        self.part(&self.params)
    }

    /// Returns the message with another id, in each place where there is one.
    pub(crate) fn with_id(&self, id: &str) -> String {
        let mut splices = Splices::default();
        self.splice_id(&mut splices, id);
        splices.apply(&self.text)
    }

    /// Replaces the id, in each place where there is one: readers differ in which of two they take.
    pub(crate) fn splice_id(&self, splices: &mut Splices, id: &str) {
        for range in &self.ids {
            splices.replace_range(range.clone(), id);
        }
    }

    fn part(&self, range: &Option<Range<usize>>) -> Option<&str> {
        self.text.get(range.clone()?)
    }
}

/// Shows what kind of message it is, and nothing of what it says.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("kind", &self.kind)
            .field("len", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// Returns an answer with a result.
pub(crate) fn result(id: &str, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

/// Says why [so many messages](NoMessage::Many) are not taken.
pub(crate) fn too_many() -> String {
    format!("the batch has more than {MOST_AT_ONCE} messages: send fewer at once")
}

/// The longest text of an error, in bytes: names of any length are in it that a client or a server has chosen.
const MAX_ERROR: usize = 16 << 10;

/// Returns an answer with an error. Of a long text it has the beginning.
pub(crate) fn error(id: &str, code: i64, message: &str) -> String {
    let message = match message.len() > MAX_ERROR {
        true => {
            let mut ends = (0..=MAX_ERROR).rev();
            let end = ends.find(|it| message.is_char_boundary(*it));
            let beginning = message.get(..end.unwrap_or_default()).unwrap_or_default();
            crate::json::string(&format!("{beginning}…"))
        }
        false => crate::json::string(message),
    };
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{message}}}}}"#)
}

/// Returns the answer to a client of a server that there is not, or that it does not see.
pub(crate) fn no_server(id: &str, name: &ServerName) -> String {
    let text = format!("there is no server {name}; mcplexer server list shows them");
    error(id, -32602, &text)
}

/// Returns a notification; `params` are an object.
pub(crate) fn notification(method: &str, params: Option<&str>) -> String {
    let params = params.map_or_else(String::new, |it| format!(r#","params":{it}"#));
    format!(r#"{{"jsonrpc":"2.0","method":"{method}"{params}}}"#)
}

/// Returns a request; `params` are an object.
pub(crate) fn request(id: &str, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Result<Kind, NoMessage> {
        Message::parse(text.to_owned()).map(|it| it.kind)
    }

    #[test]
    fn an_error_repeats_the_beginning_of_what_is_long() {
        let text_of = |message: &str| {
            let error = Message::parse(error("1", -1, message)).unwrap();
            let text = Value::new(error.error().unwrap()).get("message");
            text.unwrap().as_str().unwrap().into_owned()
        };
        let short = "ü".repeat(MAX_ERROR / 2);
        assert_eq!(text_of(&short), short);
        let long = text_of(&format!("x{short}"));
        assert!(long.len() < MAX_ERROR + 4 && long.starts_with("xü") && long.ends_with("ü…"));
    }

    #[tokio::test]
    async fn a_batch_has_a_bound() {
        let batch = |count: usize| {
            let pings = vec![request("1", "ping", "{}"); count];
            Sent::read(format!("[{}]", pings.join(",")), true)
        };
        let most = batch(MOST_AT_ONCE).await;
        assert!(matches!(most, Ok(Sent::Several(them)) if them.len() == MOST_AT_ONCE));
        assert_eq!(batch(MOST_AT_ONCE + 1).await.err(), Some(NoMessage::Many));
    }

    #[test]
    fn what_a_message_is_depends_on_its_members() {
        let request = Ok(Kind::Request("a/b".to_owned()));
        assert_eq!(kind(r#" {"id":1,"method":"a/b"}"#), request);
        assert_eq!(kind(r#"{"method":"a\/b","id":null}"#), request);
        let notification = Ok(Kind::Notification("a".to_owned()));
        assert_eq!(kind(r#"{"method":"a","x":{}}"#), notification);
        assert_eq!(kind(r#"{"id":"x","result":null}"#), Ok(Kind::Response));
        assert_eq!(kind(r#"{"error":{}}"#), Ok(Kind::Response));
        for (text, why) in [
            ("", NoMessage::NotJson),
            ("banner", NoMessage::NotJson),
            ("{\"id\":1,", NoMessage::NotJson),
            ("7", NoMessage::NotRpc),
            ("{}", NoMessage::NotRpc),
            ("{\"id\":1}", NoMessage::NotRpc),
            ("{\"id\":1,\"method\":7}", NoMessage::NotRpc),
            ("[]", NoMessage::Batch),
        ] {
            assert_eq!(kind(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_batch_is_messages() {
        let batch = r#" [{"id":1,"method":"a"}, {"method":"b"}] "#;
        assert_eq!(Message::batch(batch).unwrap().len(), 2);
        for bad in ["[]", "[7]", "{}", "["] {
            assert!(Message::batch(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_is_replaced_in_each_place() {
        let text = r#"{"id":1.50,"method":"m","params":{"id":3},"id":"\u0041"}"#;
        let message = Message::parse(text.to_owned()).unwrap();
        assert_eq!(message.id(), Some(r#""\u0041""#));
        assert_eq!(
            message.with_id("7"),
            r#"{"id":7,"method":"m","params":{"id":3},"id":7}"#
        );
    }
}
