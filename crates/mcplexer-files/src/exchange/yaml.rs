//! A YAML mapping.

use zeroize::Zeroizing;

use super::entry::NULL;
use super::{Entry, Form, MOST_ENTRIES, Out, ReadError, decode, write_form};
use crate::quoted::{Language, write_quoted};
use crate::yaml::{self, Content, Node};

/// The namespace that `!!` stands for.
const CORE: &str = "tag:yaml.org,2002:";

pub(super) fn read(file: &str) -> Result<Vec<Entry>, ReadError> {
    let root = yaml::read(file).map_err(|error| ReadError::at(error.position, error.problem))?;
    let (Content::Map(members), None) = (root.content, root.tag) else {
        let problem = "expected one mapping of names and values";
        return Err(ReadError::at(root.position, problem));
    };
    // One more tells that there are too many.
    let members = members.into_iter().take(MOST_ENTRIES + 1);
    let entries = members.map(|(key, value)| {
        let name = key.scalar(file).filter(|_| is_text(key.tag.as_deref()));
        let Some(name) = name else {
            let problem = "expected a name: a scalar without a tag";
            return Err(ReadError::at(key.position, problem));
        };
        let (name, at) = (name.to_owned(), value.position);
        Ok(match bytes(value, file) {
            Ok(bytes) => Entry::new(name, bytes, key.position.line),
            Err(what) => Entry::without_value(name, at, what),
        })
    });
    entries.collect()
}

fn is_text(tag: Option<&str>) -> bool {
    tag.is_none_or(|tag| tag.strip_prefix(CORE) == Some("str"))
}

fn bytes(value: Node, file: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let tag = value.tag.as_deref();
    let Some(text) = value.scalar(file) else {
        return Err("expected a scalar value, found a sequence or a mapping");
    };
    if tag.and_then(|tag| tag.strip_prefix(CORE)) == Some("binary") {
        let mut encoded = Zeroizing::new(Vec::with_capacity(text.len()));
        encoded.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()));
        return decode(&encoded).ok_or("invalid base64 after !!binary");
    }
    match value.content {
        _ if !is_text(tag) => Err("only the tags !!str and !!binary are allowed"),
        Content::Null => Err(NULL),
        Content::Text(mut text) => Ok(Zeroizing::new(std::mem::take(&mut *text).into_bytes())),
        _ => Ok(Zeroizing::new(text.as_bytes().to_vec())),
    }
}

pub(super) fn write(items: &[(&str, Form<'_>)], out: Out<'_>) {
    if items.is_empty() {
        out(b"{}\n");
    }
    for (name, form) in items {
        // Without quotes a name might be a number, a truth value or an alias.
        write_quoted(name, Language::Yaml, out);
        out(b": ");
        write_form(*form, Language::Yaml, out);
        out(b"\n");
    }
}
