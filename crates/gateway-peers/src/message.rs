//! JSON-RPC messages, as text.

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

/// The prefix of the `_meta` members that the protocol defines.
pub const META: &str = "io.modelcontextprotocol/";

/// What goes to the other side for one request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Frame {
    /// A message that others follow.
    More(String),
    /// The answer, and the HTTP status it has if it is the only message.
    Last(String, u16),
    /// An event stream is closed here. What follows is for the one that the client opens instead.
    Cut,
}

/// Where the frames for one request go.
pub type Outlet = UnboundedSender<Frame>;

/// Why a request gets no result.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The error's code.
    pub code: i64,
    /// The error's message.
    pub message: String,
    /// The error's data.
    pub data: Option<Value>,
    /// The HTTP status that the answer has.
    pub status: u16,
}

impl Failure {
    /// An error without data.
    pub fn new(code: i64, message: impl Into<String>, status: u16) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
            status,
        }
    }

    /// The parameters are wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(-32602, message, 200)
    }

    /// There is no such method.
    #[must_use]
    pub fn no_method(method: &str) -> Self {
        Self::new(-32601, format!("there is no method {method}"), 404)
    }

    /// The same error, with data.
    #[must_use]
    pub fn with(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    /// The message that says so.
    #[must_use]
    pub fn answer(&self, id: &Value) -> String {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(data), Some(members)) = (&self.data, error.as_object_mut()) {
            members.insert("data".to_owned(), data.clone());
        }
        json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string()
    }
}

/// The answer to the request `id`, with a result that is JSON already.
#[must_use]
pub fn answer(id: &Value, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

/// A notification.
#[must_use]
pub fn notification(method: &str, params: &Value) -> String {
    if params.is_null() {
        return json!({ "jsonrpc": "2.0", "method": method }).to_string();
    }
    json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string()
}

/// A request.
#[must_use]
pub fn request(id: &Value, method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

/// A member of the request's `_meta`.
#[must_use]
pub fn meta<'a>(request: &'a Value, name: &str) -> Option<&'a Value> {
    request.get("params")?.get("_meta")?.get(name)
}

/// A member that the protocol defines of the request's `_meta`.
#[must_use]
pub fn protocol_meta<'a>(request: &'a Value, name: &str) -> Option<&'a Value> {
    meta(request, &format!("{META}{name}"))
}
