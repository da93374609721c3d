//! YAML as a tree in which every node knows its place.

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span};

/// How deep a configuration may be nested; deeper than any that is right.
const MAX_DEPTH: usize = 16;

/// A place in the file: the line and the column in it, in characters, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    /// The last line on which something of it stands.
    pub(super) last_line: usize,
    /// Whether it has an anchor or a tag.
    pub(super) decorated: bool,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    /// Text, its escapes resolved, and whether it stands without quotes.
    Scalar(String, bool),
    List(Vec<Node>),
    /// Keys and values, in the order of the file.
    Map(Vec<(Node, Node)>),
    /// A repetition of another node. It is not followed: a few of them can make a file endless.
    Alias,
}

/// What is wrong with the YAML, and where.
pub(super) struct NotYaml(pub(super) Place, pub(super) String);

impl Node {
    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// Whether a plain scalar is null, a boolean or a number: YAML 1.2.2, section 10.3.2, "core
    /// schema".
    pub(super) fn is_no_text(&self) -> bool {
        let Content::Scalar(text, true) = &self.content else {
            return false;
        };
        let word = ["", "~", "null", "true", "false"];
        let word = word.contains(&text.to_ascii_lowercase().as_str());
        let digits = |prefix, radix| {
            let tail = text.strip_prefix(prefix).filter(|tail| !tail.is_empty());
            tail.is_some_and(|tail| tail.chars().all(|c| c.is_digit(radix)))
        };
        let unsigned = text.trim_start_matches(['+', '-']);
        let special = [".inf", ".nan"].contains(&unsigned.to_ascii_lowercase().as_str());
        let decimal = text.contains(|c: char| c.is_ascii_digit()) && text.parse::<f64>().is_ok();
        word || special || decimal || digits("0x", 16) || digits("0o", 8)
    }
}

/// Reads one document; `None` if there is nothing in it.
pub(super) fn read(text: &str) -> Result<Option<Node>, NotYaml> {
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| {
            let (mark, kind) = (error.marker(), error.kind());
            let place = Place {
                line: mark.line(),
                column: mark.col() + 1,
            };
            let message = match kind {
                // The others name none of the file's characters but brackets.
                ErrorKind::UnexpectedCharacter { .. } => {
                    "not YAML: unexpected character".to_owned()
                }
                kind => format!("not YAML: {kind}"),
            };
            NotYaml(place, message)
        })?;
        builder.take(event, span)?;
    }
    Ok(builder.root)
}

/// The nodes that are not whole yet, the outermost first.
#[derive(Default)]
struct Builder {
    root: Option<Node>,
    open: Vec<Node>,
    /// Keys whose values are still to come, one for each open map that has one.
    keys: Vec<Option<Node>>,
    documents: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), NotYaml> {
        let place = Place {
            line: span.start.line(),
            column: span.start.col() + 1,
        };
        let node = |content, decorated| Node {
            place,
            last_line: span.end.line().max(place.line),
            decorated,
            content,
        };
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a second document has no place here";
                    return Err(NotYaml(place, message.to_owned()));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let content = Content::Scalar(text.into_owned(), plain);
                let mut node = node(content, anchor != 0 || tag.is_some());
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    // It ends where the next line begins.
                    node.last_line = place.line.max(node.last_line.saturating_sub(1));
                }
                self.close(node);
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => self.close(node(Content::Alias, false)),
            Event::SequenceStart(_, anchor, tag) => {
                let content = Content::List(Vec::new());
                self.open(node(content, anchor != 0 || tag.is_some()));
            }
            Event::MappingStart(_, anchor, tag) => {
                let content = Content::Map(Vec::new());
                self.open(node(content, anchor != 0 || tag.is_some()));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.keys.pop();
                if let Some(node) = self.open.pop() {
                    self.close(node);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, mut node: Node) {
        // Where a collection ends shows when its last member does.
        node.last_line = node.place.line;
        self.open.push(node);
        self.keys.push(None);
    }

    /// Puts a node that is whole into the one it belongs to.
    fn close(&mut self, node: Node) {
        let (Some(parent), Some(key)) = (self.open.last_mut(), self.keys.last_mut()) else {
            self.root = Some(node);
            return;
        };
        parent.last_line = parent.last_line.max(node.last_line);
        match &mut parent.content {
            Content::List(members) => members.push(node),
            Content::Map(members) => match key.take() {
                Some(key) => members.push((key, node)),
                None => *key = Some(node),
            },
            Content::Scalar(..) | Content::Alias => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_what_the_core_schema_says() {
        let is_no_text = |text: &str| {
            let node = read(&format!("- {text}\n")).ok().flatten().unwrap();
            match &node.content {
                Content::List(members) => members[0].is_no_text(),
                other => panic!("{other:?}"),
            }
        };
        for other in [
            "", "~", "null", "NULL", "true", "False", "0", "-1", "+12", "0x1f", "0o17", "1.", ".5",
            "1e3", "-1.5E-3", ".inf", "-.INF", ".NaN",
        ] {
            assert!(is_no_text(other), "{other}");
        }
        for text in [
            "a", "yes", "nil", "inf", "nan", "1a", "0x", "0o8", "1_0", "1.2.3", "'1'", "\"null\"",
            "''",
        ] {
            assert!(!is_no_text(text), "{text}");
        }
    }
}
