//! What a server offers: its tools, prompts, resources and templates, as it wrote them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::json::Value;

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ListKind {
    Tools,
    Prompts,
    Resources,
    Templates,
}

impl ListKind {
    pub(crate) const ALL: [Self; 4] =
        [Self::Tools, Self::Prompts, Self::Resources, Self::Templates];

    /// Returns the method that lists it.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
        }
    }

    pub(crate) fn of_method(method: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.method() == method)
    }

    /// Returns the member of the result that has the list.
    pub(crate) fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
        }
    }

    /// Returns the member of an item by which it is referred to.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::Templates => "uriTemplate",
        }
    }

    /// Returns the capability that a server has which offers it.
    pub(crate) fn capability(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources | Self::Templates => "resources",
        }
    }

    /// Returns the notification that says that the list is another one.
    pub(crate) fn changed(self) -> &'static str {
        match self {
            Self::Tools => "notifications/tools/list_changed",
            Self::Prompts => "notifications/prompts/list_changed",
            Self::Resources | Self::Templates => "notifications/resources/list_changed",
        }
    }

    /// Returns what a notification says to have changed.
    pub(crate) fn of_changed(method: &str) -> &'static [Self] {
        match method {
            "notifications/tools/list_changed" => &[Self::Tools],
            "notifications/prompts/list_changed" => &[Self::Prompts],
            "notifications/resources/list_changed" => &[Self::Resources, Self::Templates],
            _ => &[],
        }
    }
}

/// Whether a method of the protocol lists something. One whose name only looks like that may do anything.
pub(crate) fn is_list(method: &str) -> bool {
    method == "tasks/list" || ListKind::of_method(method).is_some()
}

/// A tool, a prompt, a resource or a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// The name or the URI by which it is referred to.
    pub(crate) key: String,
    /// The item as the server wrote it.
    pub(crate) text: String,
}

/// A whole list.
pub(crate) type Items = Arc<[Item]>;

/// Reads one page of a list. Returns the cursor of the next one. What has no name is left out.
pub(crate) fn page(kind: ListKind, result: &str, into: &mut Vec<Item>) -> Option<String> {
    let result = Value::new(result);
    let items = result.get(kind.member()).and_then(|it| it.elements().ok());
    for item in items.unwrap_or_default() {
        if let Some(key) = item.get(kind.key()).and_then(Value::as_str) {
            into.push(Item {
                key: key.into_owned(),
                text: item.text().to_owned(),
            });
        }
    }
    let cursor = result.get("nextCursor")?;
    cursor.as_str().map(|_| cursor.text().to_owned())
}

/// Whether a URI can come from a template (RFC 6570): it begins as the template does before its first expression.
pub(crate) fn fits(template: &str, uri: &str) -> bool {
    let literal = template.split('{').next().unwrap_or_default();
    !literal.is_empty() && uri.starts_with(literal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_it_is_written() {
        let mut items = Vec::new();
        let result =
            r#"{"tools":[{"name":"a","x":1.0},{"x":1},{"name":"b"}],"nextCursor":"c\u0041"}"#;
        let next = page(ListKind::Tools, result, &mut items);
        assert_eq!(next.as_deref(), Some(r#""c\u0041""#));
        assert_eq!(
            (items.len(), items[0].text.as_str()),
            (2, r#"{"name":"a","x":1.0}"#)
        );
        assert_eq!(page(ListKind::Tools, "{}", &mut items), None);
        assert_eq!(
            page(ListKind::Tools, r#"{"nextCursor":null}"#, &mut items),
            None
        );
    }

    #[test]
    fn a_template_fits_what_begins_like_it() {
        assert!(fits("file:///a/{path}", "file:///a/b"));
        assert!(!fits("file:///a/{path}", "file:///b"));
        assert!(!fits("{+uri}", "file:///b"));
    }
}
