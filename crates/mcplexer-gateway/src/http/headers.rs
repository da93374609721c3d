//! The header fields of a request without a session, which repeat what its body says (MCP 2026-07-28, "Request
//! Metadata"). The body counts; a request whose header fields say something else is refused.

use hyper::StatusCode;
use hyper::header::HeaderMap;

use super::VERSION;
use crate::dialect::{MODERN, modern_dialect};
use crate::json::{self, Value};
use crate::message::{self, Kind, Message};
use crate::mirror::{self, Mirrored};

/// A header field says something else than the body.
const HEADER_MISMATCH: i64 = -32020;
/// The client lacks a capability.
const MISSING_CAPABILITY: i64 = -32021;
/// The revision is not supported.
const UNSUPPORTED_VERSION: i64 = -32022;

/// Compares the header fields with the body.
///
/// # Errors
/// The answer to a request that is refused.
pub(crate) fn check(headers: &HeaderMap, message: &Message) -> Result<(), String> {
    let id = message.id().unwrap_or("null");
    let (Kind::Request(method) | Kind::Notification(method)) = message.kind() else {
        let text = "clients of this revision send no answers";
        return Err(message::error(id, -32600, text));
    };
    let mismatch = |what| Err(mismatch(id, what));
    let Some(dialect) = modern_dialect(message) else {
        let text = "_meta has no io.modelcontextprotocol/protocolVersion";
        return Err(message::error(id, -32602, text));
    };
    let meta = message.param(&["_meta"]);
    let capabilities = meta.and_then(|it| it.get("io.modelcontextprotocol/clientCapabilities"));
    if !capabilities.is_some_and(Value::is_object) {
        let text = "_meta has no io.modelcontextprotocol/clientCapabilities";
        return Err(message::error(id, -32602, text));
    }
    if text(headers, VERSION).as_deref() != Some(&dialect.version) {
        return mismatch("MCP-Protocol-Version");
    }
    if !MODERN.contains(&dialect.version.as_str()) {
        return Err(unsupported(id, &dialect.version));
    }
    if text(headers, "mcp-method").as_deref() != Some(method) {
        return mismatch("Mcp-Method");
    }
    let task = message.param(&["taskId"]).and_then(Value::as_str);
    if let (true, Some(task)) = (method.starts_with("tasks/"), task)
        && headers.contains_key("mcp-name")
        && text(headers, "mcp-name").as_deref() != Some(&*task)
    {
        return mismatch("Mcp-Name");
    }
    let named = match method.as_str() {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        _ => None,
    };
    if let Some(member) = named {
        let name = message.param(&[member]).and_then(Value::as_str);
        if name.is_none() || text(headers, "mcp-name").as_deref() != name.as_deref() {
            return mismatch("Mcp-Name");
        }
    }
    Ok(())
}

/// Compares the header fields that repeat arguments of a tool with the body. `tool` is how its server describes it.
///
/// # Errors
/// The answer to a request that is refused.
pub(crate) fn check_arguments(
    headers: &HeaderMap,
    message: &Message,
    tool: &str,
) -> Result<(), String> {
    // A tool that is described wrongly is the client's to leave out.
    for mirrored in Mirrored::of(tool).unwrap_or_default() {
        let name = mirrored.name();
        let is_same = match mirrored.value(message) {
            Some(value) => text(headers, name.as_str()) == Some(value),
            None => !headers.contains_key(name),
        };
        if !is_same {
            return Err(mismatch(message.id().unwrap_or("null"), name.as_str()));
        }
    }
    Ok(())
}

fn mismatch(id: &str, what: &str) -> String {
    let text = format!("header mismatch: {what} is missing, or differs from the body");
    message::error(id, HEADER_MISMATCH, &text)
}

/// Says which revisions are supported.
pub(crate) fn unsupported(id: &str, version: &str) -> String {
    let version = json::string(version);
    let supported: Vec<_> = MODERN.iter().map(|it| json::string(it)).collect();
    let supported = supported.join(",");
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{UNSUPPORTED_VERSION},"message":"Unsupported protocol version","data":{{"supported":[{supported}],"requested":{version}}}}}}}"#
    )
}

/// Returns the HTTP status of an answer.
pub(crate) fn status(answer: &str) -> StatusCode {
    match error_code(answer) {
        Some(-32601) => StatusCode::NOT_FOUND,
        Some(HEADER_MISMATCH | MISSING_CAPABILITY | UNSUPPORTED_VERSION) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

/// Returns the text of a header field, decoded if it is in base64 between `=?base64?` and `?=`.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut fields = headers.get_all(name).iter();
    let field = fields.next()?.to_str().ok()?.trim();
    if fields.next().is_some() {
        return None;
    }
    mirror::decoded(field)
}

/// Whether a text is a JSON-RPC error with one of these codes.
fn error_code(answer: &str) -> Option<i64> {
    let code = Value::new(answer).at(&["error", "code"])?;
    code.text().parse().ok()
}
