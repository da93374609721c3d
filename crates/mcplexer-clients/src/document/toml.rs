//! TOML, which Codex uses.

use toml_edit::{Array, Document, InlineTable, Item, Key, Table, Value as TomlValue};
use zeroize::Zeroizing;

use crate::node::{Member, Node, Object, Value};

pub(super) fn parse(text: &str) -> Result<Node, (usize, String)> {
    let document = Document::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        (at, "this is not TOML".to_owned())
    })?;
    Ok(table(document.as_table()))
}

fn table(table: &Table) -> Node {
    let members = table.iter().filter_map(|(key, item)| {
        let key = table.key(key)?;
        Some(member(key, self::item(item)?))
    });
    let object = Value::Object(Object {
        members: members.collect(),
        in_braces: false,
    });
    Node::new(table.span().unwrap_or_default(), object)
}

fn inline(table: &InlineTable) -> Value {
    let members = table.iter().filter_map(|(key, value)| {
        let key = table.key(key)?;
        Some(member(key, self::value(value)))
    });
    Value::Object(Object {
        members: members.collect(),
        in_braces: !table.is_dotted(),
    })
}

fn member(key: &Key, node: Node) -> Member {
    Member {
        key: key.get().to_owned(),
        key_span: key.span().unwrap_or_default(),
        node,
    }
}

fn item(item: &Item) -> Option<Node> {
    match item {
        Item::None => None,
        Item::Value(value) => Some(self::value(value)),
        Item::Table(table) => Some(self::table(table)),
        Item::ArrayOfTables(tables) => {
            let elements = Value::Array(tables.iter().map(table).collect());
            Some(Node::new(tables.span().unwrap_or_default(), elements))
        }
    }
}

fn value(value: &TomlValue) -> Node {
    let node = match value {
        TomlValue::String(text) => Value::String(Zeroizing::new(text.value().clone())),
        TomlValue::Array(elements) => array(elements),
        TomlValue::InlineTable(table) => inline(table),
        _ => Value::Other,
    };
    Node::new(value.span().unwrap_or_default(), node)
}

fn array(array: &Array) -> Value {
    Value::Array(array.iter().map(value).collect())
}
