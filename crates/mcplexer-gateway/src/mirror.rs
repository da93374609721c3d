//! Parts of a message that a modern server wants to have in header fields as well
//! (MCP 2026-07-28, "Streamable HTTP", "Request Metadata").

use std::borrow::Cow;
use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value as Json;

use crate::dialect::PROTOCOL_VERSION;
use crate::json::Value;
use crate::message::{Kind, Message};

/// What the name of a field with a parameter of a tool begins with.
const PARAM: &str = "mcp-param-";

/// How a value is written that is no plain text: base64 (RFC 4648, section 4) between these.
const ENCODED: (&str, &str) = ("=?base64?", "?=");

/// The member of a schema that names the field for a parameter.
const ANNOTATION: &str = "x-mcp-header";

/// Keywords whose value has schemas as its members (JSON Schema 2020-12, section 10).
const MAPS: [&str; 5] = [
    "$defs",
    "definitions",
    "dependentSchemas",
    "patternProperties",
    "properties",
];

/// Keywords whose value is data, and no schema.
const DATA: [&str; 4] = ["const", "default", "enum", "examples"];

/// Returns the fields that mirror a request: the version of the protocol, the method, and the name or the URI of what
/// it is about.
pub(crate) fn modern_headers(message: &Message) -> Vec<(HeaderName, HeaderValue)> {
    let mut fields = Vec::new();
    let version = message
        .param(&["_meta", PROTOCOL_VERSION])
        .and_then(Value::as_str);
    let version = version.and_then(|it| HeaderValue::from_str(&it).ok());
    fields.extend(version.map(|it| (HeaderName::from_static("mcp-protocol-version"), it)));
    let (Kind::Request(method) | Kind::Notification(method)) = message.kind() else {
        return fields;
    };
    if method == "initialize" {
        return fields;
    }
    let value = HeaderValue::from_str(method).ok();
    fields.extend(value.map(|it| (HeaderName::from_static("mcp-method"), it)));
    let source = match method.as_str() {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        method if method.starts_with("tasks/") => "taskId",
        _ => return fields,
    };
    let name = message.param(&[source]).and_then(Value::as_str);
    let name = name.and_then(|it| HeaderValue::from_str(&encoded(&it)).ok());
    fields.extend(name.map(|it| (HeaderName::from_static("mcp-name"), it)));
    fields
}

/// Writes a value as a header field has it: encoded, if it is no plain ASCII text or would be read as encoded.
pub(crate) fn encoded(value: &str) -> String {
    let is_plain = value.bytes().all(|it| (b' '..=b'~').contains(&it))
        && value.trim_ascii().len() == value.len()
        && !value.starts_with(ENCODED.0);
    match is_plain {
        true => value.to_owned(),
        false => format!("{}{}{}", ENCODED.0, STANDARD.encode(value), ENCODED.1),
    }
}

/// Reads a value as a header field has it; `None` if it is encoded and cannot be decoded.
pub(crate) fn decoded(field: &str) -> Option<String> {
    let field = field.trim_ascii();
    let inside = field.strip_prefix(ENCODED.0);
    match inside.and_then(|it| it.strip_suffix(ENCODED.1)) {
        Some(inside) => String::from_utf8(STANDARD.decode(inside).ok()?).ok(),
        None => Some(field.to_owned()),
    }
}

/// A parameter of a tool that is mirrored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mirrored {
    field: HeaderName,
    /// The names of the properties that lead to it.
    path: Vec<String>,
}

impl Mirrored {
    /// Returns the parameters of a tool that are mirrored. `tool` is its definition.
    ///
    /// # Errors
    /// Why the definition is invalid, if it is: clients must not use such a tool.
    pub(crate) fn of(tool: &str) -> Result<Vec<Self>, String> {
        let mut found = Vec::new();
        if !tool.contains(ANNOTATION) {
            return Ok(found);
        }
        let schema = Value::new(tool).get("inputSchema");
        let Some(schema) = schema.filter(|it| it.text().contains(ANNOTATION)) else {
            return Ok(found);
        };
        let schema: Json = serde_json::from_str(schema.text())
            .map_err(|error| format!("its schema cannot be read: {error}"))?;
        collect(&schema, Some(&[]), &mut found)?;
        let mut names = HashSet::new();
        match found.iter().find(|it| !names.insert(it.field.clone())) {
            Some(twice) => Err(format!("two parameters have the field {}", twice.field)),
            None => Ok(found),
        }
    }

    /// Returns the name of the field.
    pub(crate) fn name(&self) -> &HeaderName {
        &self.field
    }

    /// Returns the value of the parameter in a call, as the field says it before it is encoded.
    pub(crate) fn value(&self, call: &Message) -> Option<String> {
        let path = ["arguments"].into_iter();
        let path: Vec<_> = path.chain(self.path.iter().map(String::as_str)).collect();
        let value = call.param(&path)?;
        match value.text() {
            text @ ("true" | "false") => Some(text.to_owned()),
            text if text.starts_with('"') => value.as_str().map(Cow::into_owned),
            text => integer(text),
        }
    }

    /// Returns the field for a call, if the call has the parameter.
    pub(crate) fn field(&self, call: &Message) -> Option<(HeaderName, HeaderValue)> {
        let value = HeaderValue::from_str(&encoded(&self.value(call)?)).ok()?;
        Some((self.field.clone(), value))
    }
}

/// Returns a number in decimal, if it is an integer that every reader knows exactly.
fn integer(text: &str) -> Option<String> {
    const MOST: f64 = 9_007_199_254_740_991.0;
    if text.parse::<i64>().is_ok() {
        return Some(text.to_owned());
    }
    let number: f64 = text.parse().ok()?;
    (number.fract() == 0.0 && number.abs() <= MOST).then(|| format!("{number:.0}"))
}

/// Collects the annotations of a schema. `path` leads to it through nothing but properties, if it does.
fn collect(
    schema: &Json,
    path: Option<&[String]>,
    found: &mut Vec<Mirrored>,
) -> Result<(), String> {
    let members = match schema {
        Json::Object(members) => members,
        Json::Array(elements) => {
            return elements.iter().try_for_each(|it| collect(it, None, found));
        }
        _ => return Ok(()),
    };
    if let Some(name) = members.get(ANNOTATION) {
        found.push(annotated(name, members.get("type"), path)?);
    }
    for (keyword, value) in members {
        match (keyword.as_str(), value) {
            (keyword, _) if DATA.contains(&keyword) => {}
            (keyword, Json::Object(schemas)) if MAPS.contains(&keyword) => {
                for (name, schema) in schemas {
                    let path = path.filter(|_| keyword == "properties");
                    let path = path.map(|path| [path, std::slice::from_ref(name)].concat());
                    collect(schema, path.as_deref(), found)?;
                }
            }
            (_, value) => collect(value, None, found)?,
        }
    }
    Ok(())
}

fn annotated(
    name: &Json,
    kind: Option<&Json>,
    path: Option<&[String]>,
) -> Result<Mirrored, String> {
    let name = name.as_str().unwrap_or_default();
    let field = HeaderName::from_bytes(format!("{PARAM}{name}").as_bytes());
    let (Ok(field), false) = (field, name.is_empty()) else {
        return Err(format!("{ANNOTATION} is not the name of a header field"));
    };
    let Some(path) = path.filter(|it| !it.is_empty()) else {
        return Err(format!(
            "{ANNOTATION} is not on a property that is always there"
        ));
    };
    let is_primitive = |it: &Json| {
        let name = it.as_str();
        name.is_some_and(|it| matches!(it, "string" | "integer" | "boolean"))
    };
    let is_fit = match kind {
        Some(Json::Array(kinds)) => {
            let mut kinds = kinds.iter().filter(|it| it.as_str() != Some("null"));
            kinds.next().is_some_and(is_primitive) && kinds.next().is_none()
        }
        Some(kind) => is_primitive(kind),
        None => false,
    };
    match is_fit {
        true => Ok(Mirrored {
            field,
            path: path.to_vec(),
        }),
        false => Err(format!(
            "{ANNOTATION} is on a parameter that is no string, integer or boolean"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message::parse(text.to_owned()).unwrap()
    }

    fn shown(fields: Vec<(HeaderName, HeaderValue)>) -> Vec<String> {
        let one = |(name, value): (HeaderName, HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        fields.into_iter().map(one).collect()
    }

    /// The examples of "Standard Request Headers".
    #[test]
    fn a_request_is_mirrored() {
        let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;
        for (method, params, expected) in [
            (
                "tools/call",
                r#""name":"get_weather","uri":"x","#,
                Some("get_weather"),
            ),
            ("prompts/get", r#""name":"a","name":"b","#, Some("b")),
            (
                "resources/read",
                r#""uri":"file:///projects/myapp/config.json","name":"x","#,
                Some("file:///projects/myapp/config.json"),
            ),
            ("tasks/get", r#""taskId":"786512e2","#, Some("786512e2")),
            ("tasks/update", r#""name":"x","taskId":"7","#, Some("7")),
            ("tasks/cancel", r#""taskId":"ü","#, Some("=?base64?w7w=?=")),
            ("resources/subscribe", r#""uri":"file:///x","#, None),
            ("tools/list", r#""name":"x","#, None),
            ("tools/call", r#""name":7,"#, None),
        ] {
            let text = format!(r#"{{"id":1,"method":"{method}","params":{{{params}{meta}}}}}"#);
            let mut fields = vec![
                "mcp-protocol-version: 2026-07-28".to_owned(),
                format!("mcp-method: {method}"),
            ];
            fields.extend(expected.map(|it| format!("mcp-name: {it}")));
            assert_eq!(shown(modern_headers(&message(&text))), fields);
        }
        assert!(modern_headers(&message(r#"{"id":1,"result":{}}"#)).is_empty());
    }

    /// The table of "Value Encoding".
    #[test]
    fn what_no_field_can_carry_is_in_base64() {
        for (value, field) in [
            ("us-west1", "us-west1"),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
            ("a\tb", "=?base64?YQli?="),
            ("a\u{7f}", "=?base64?YX8=?="),
            ("=?BASE64?x?=", "=?BASE64?x?="),
            ("", ""),
        ] {
            assert_eq!(encoded(value), field, "{value:?}");
        }
    }

    fn of(schema: &str) -> Result<Vec<Mirrored>, String> {
        Mirrored::of(&format!(r#"{{"name":"t","inputSchema":{schema}}}"#))
    }

    #[test]
    fn annotated_parameters_are_mirrored() {
        let schema = r#"{"type":"object","properties":{
            "region":{"type":"string","x-mcp-header":"Region"},
            "deep":{"type":"object","properties":{"n":{"type":["integer","null"],"x-mcp-header":"N"}}},
            "on":{"type":"boolean","x-mcp-header":"On"},
            "x-mcp-header":{"type":"object","default":{"x-mcp-header":7}},
            "query":{"type":"string"}}}"#;
        let found = of(schema).unwrap();
        let fields = |arguments: &str| {
            let text =
                format!(r#"{{"id":1,"method":"tools/call","params":{{"arguments":{arguments}}}}}"#);
            let call = message(&text);
            let mut fields = shown(found.iter().filter_map(|it| it.field(&call)).collect());
            fields.sort();
            fields
        };
        assert_eq!(
            fields(r#"{"region":"Zürich","deep":{"n":-4.2e1},"on":false,"query":"q"}"#),
            [
                "mcp-param-n: -42",
                "mcp-param-on: false",
                "mcp-param-region: =?base64?WsO8cmljaA==?="
            ]
        );
        assert_eq!(fields(r#"{"region":null,"deep":7,"on":{}}"#), [""; 0]);
        assert_eq!(
            fields(r#"{"deep":{"n":1e300},"on":1}"#),
            ["mcp-param-on: 1"]
        );
        assert_eq!(of(r#"{"type":"object"}"#), Ok(Vec::new()));
    }

    #[test]
    fn a_tool_with_an_invalid_annotation_is_not_used() {
        let property = |annotation: &str, kind: &str| {
            format!(r#"{{"properties":{{"a":{{"type":{kind},"x-mcp-header":{annotation}}}}}}}"#)
        };
        for schema in [
            property(r#""""#, r#""string""#),
            property(r#""a b""#, r#""string""#),
            property(r#""a\r\nb""#, r#""string""#),
            property("7", r#""string""#),
            property(r#""A""#, r#""number""#),
            property(r#""A""#, r#"["string","integer"]"#),
            property(r#""A""#, r#""object""#),
            property(r#""A""#, "null"),
            r#"{"type":"string","x-mcp-header":"A"}"#.to_owned(),
            format!(r#"{{"allOf":[{}]}}"#, property(r#""A""#, r#""string""#)),
            format!(r#"{{"$defs":{{"d":{}}}}}"#, property(r#""A""#, r#""string""#)),
            r#"{"properties":{"l":{"items":{"type":"string","x-mcp-header":"A"}}}}"#.to_owned(),
            r#"{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}"#.to_owned(),
        ] {
            assert!(of(&schema).is_err(), "{schema}");
        }
    }
}
