//! JSON with comments and trailing commas, which editors and AI clients use for their settings.

use jsonc_parser::ast;
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use zeroize::Zeroizing;

use crate::node::{Member, Node, Object, Value};

const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

pub(super) fn parse(text: &str) -> Result<Node, (usize, String)> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &OPTIONS);
    let parsed = parsed.map_err(|error| (error.range().start, problem(error.kind())))?;
    Ok(parsed
        .value
        .map_or_else(|| Node::new(0..0, Value::Other), node))
}

/// Describes an error without repeating the text.
fn problem(kind: &ParseErrorKind) -> String {
    match kind {
        ParseErrorKind::String(_) => "a string that is not JSON".to_owned(),
        kind => {
            let text = kind.to_string();
            let mut characters = text.chars();
            let first = characters.next().map(|first| first.to_ascii_lowercase());
            first.into_iter().chain(characters).collect()
        }
    }
}

fn span(range: Range) -> std::ops::Range<usize> {
    range.start..range.end
}

fn node(value: ast::Value<'_>) -> Node {
    let range = span(value.range());
    let value = match value {
        ast::Value::StringLit(text) => Value::String(Zeroizing::new(text.value.into_owned())),
        ast::Value::Array(array) => Value::Array(array.elements.into_iter().map(node).collect()),
        ast::Value::Object(object) => Value::Object(Object {
            members: object.properties.into_iter().map(member).collect(),
            in_braces: true,
        }),
        ast::Value::NumberLit(_) | ast::Value::BooleanLit(_) | ast::Value::NullKeyword(_) => {
            Value::Other
        }
    };
    Node::new(range, value)
}

fn member(property: ast::ObjectProp<'_>) -> Member {
    Member {
        key_span: span(property.name.range()),
        key: property.name.into_string(),
        node: node(property.value),
    }
}
