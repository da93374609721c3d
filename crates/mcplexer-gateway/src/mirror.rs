//! Arguments of tools that are repeated in header fields (MCP 2026-07-28, "Custom Headers from Tool Parameters").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::json::Value;

/// The member of a property's schema that names the header field.
const ANNOTATION: &str = "x-mcp-header";

/// The beginning of a header field's name.
const PREFIX: &str = "mcp-param-";

/// How a value is written that is no plain text: base64 (RFC 4648, section 4) between these.
const ENCODED: (&str, &str) = ("=?base64?", "?=");

/// An argument that is repeated in a header field.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mirrored {
    /// The name of the header field, in lower case.
    pub(crate) field: String,
    /// The names that lead to the argument.
    pub(crate) path: Vec<String>,
}

/// Finds the arguments of a tool that are repeated in header fields. `tool` is how a server describes it.
pub(crate) fn mirrored(tool: &str) -> Vec<Mirrored> {
    let mut found = Vec::new();
    if tool.contains(ANNOTATION)
        && let Some(schema) = Value::new(tool).get("inputSchema")
    {
        find(schema, &mut Vec::new(), &mut found);
    }
    found
}

fn find(schema: Value<'_>, path: &mut Vec<String>, found: &mut Vec<Mirrored>) {
    let properties = schema.get("properties").and_then(|it| it.members().ok());
    for (name, property) in properties.unwrap_or_default() {
        path.push(name.into_owned());
        if let Some(field) = property.get(ANNOTATION).and_then(Value::as_str) {
            found.push(Mirrored {
                field: format!("{PREFIX}{}", field.to_ascii_lowercase()),
                path: path.clone(),
            });
        }
        find(property, path, found);
        path.pop();
    }
}

/// Returns how an argument is written in a header field: a string as it is, a number or a boolean as in JSON; `None` for
/// anything else.
pub(crate) fn argument(arguments: Option<Value<'_>>, path: &[String]) -> Option<String> {
    let start = arguments?;
    let value = path.iter().try_fold(start, |value, name| value.get(name))?;
    match value.text().bytes().next() {
        Some(b'"') => value.as_str().map(|it| it.into_owned()),
        Some(b'{' | b'[' | b'n') | None => None,
        Some(_) => Some(value.text().to_owned()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_found_through_properties_alone() {
        let tool = r#"{"name":"t","inputSchema":{"properties":{
            "a":{"type":"string","x-mcp-header":"Region"},
            "b":{"type":"object","properties":{"c":{"type":"integer","x-mcp-header":"No"}}},
            "d":{"type":"array","items":{"type":"string","x-mcp-header":"Bad"}}}}}"#;
        let found = mirrored(tool);
        let names: Vec<_> = found.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(names, ["mcp-param-region", "mcp-param-no"]);
        let arguments = Some(Value::new(r#"{"a":"ü","b":{"c":42}}"#));
        let value = |at: usize| argument(arguments, &found[at].path);
        assert_eq!(
            (value(0).as_deref(), value(1).as_deref()),
            (Some("ü"), Some("42"))
        );
        assert_eq!(
            argument(Some(Value::new(r#"{"a":null}"#)), &found[0].path),
            None
        );
        assert_eq!(argument(None, &found[0].path), None);
    }

    #[test]
    fn what_is_no_plain_text_is_encoded() {
        for plain in ["a b", "", "=?base64", "x?="] {
            assert_eq!(encoded(plain), plain);
        }
        for odd in ["ü", " a", "a\n", "=?base64?YQ==?="] {
            let field = encoded(odd);
            assert!(field.is_ascii() && field.starts_with("=?base64?"));
            assert_eq!(decoded(&field).as_deref(), Some(odd));
        }
        assert_eq!(decoded("=?base64?!?="), None);
        assert_eq!(decoded("=?base64?YQ=="), Some("=?base64?YQ==".to_owned()));
    }
}
