//! A list of arguments, and where in the text it is.

use std::ops::Range;

use crate::edit::Edit;
use crate::layout::Layout;
use crate::node::Node;

pub(crate) struct List {
    span: Range<usize>,
    /// Each with its text, if it is a string.
    elements: Vec<(Range<usize>, Option<String>)>,
    /// What each line of a list of YAML without brackets begins with, after the end of another line.
    before_dash: Option<String>,
}

impl List {
    /// Returns a node as a list. `None` if the node is not a list, or if nothing can be inserted at its beginning.
    pub(super) fn of(node: &Node, text: &str, layout: &Layout) -> Option<Self> {
        let elements = node.elements().filter(|_| !node.is_shared)?;
        let first = elements.first();
        let before_dash = match first {
            Some(first) if !text.get(node.span.clone())?.starts_with('[') => {
                let start = layout.line_start(first.span.start).unwrap_or(0);
                let before = text.get(start..first.span.start)?;
                // Else it is in the line of another list, or has an anchor or a tag.
                if before.trim() != "-" {
                    return None;
                }
                Some(format!("{}{before}", layout.line_ending(first.span.start)))
            }
            _ => None,
        };
        Some(Self {
            span: node.span.clone(),
            elements: elements
                .iter()
                .map(|it| (it.span.clone(), super::text_of(it)))
                .collect(),
            before_dash,
        })
    }

    pub(super) fn is_flow(&self) -> bool {
        self.before_dash.is_none()
    }

    /// Returns where the first element of an empty list would be.
    pub(super) fn begin(&self) -> usize {
        self.span.start + 1
    }

    pub(super) fn end(&self) -> usize {
        self.span.end
    }

    /// Returns every element: a string, or else what is written there.
    pub(super) fn words<'t>(&'t self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let elements = self.elements.iter();
        elements.map(|(span, string)| match string {
            Some(string) => string.as_str(),
            None => text.get(span.clone()).unwrap_or_default(),
        })
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.elements.iter().filter_map(|(_, it)| it.as_deref())
    }

    pub(super) fn text(&self, at: usize) -> Option<&str> {
        let (_, text) = self.elements.get(at)?;
        text.as_deref()
    }

    pub(super) fn span(&self, at: usize) -> Option<Range<usize>> {
        self.elements.get(at).map(|(span, _)| span.clone())
    }

    /// Returns the edit that puts literals before an element, in the way in which the others are
    /// separated: on lines of their own, or side by side. `None` if there is no such element.
    pub(super) fn insert(&self, at: usize, text: &str, literals: &[&str]) -> Option<Edit> {
        let first = self.span(0)?.start;
        let separator = match (&self.before_dash, text.get(self.begin()..first)) {
            (Some(before), _) => before.clone(),
            (None, Some(before)) if before.contains('\n') && before.trim().is_empty() => {
                format!(",{before}")
            }
            _ => ", ".to_owned(),
        };
        let literals = literals.iter().map(|it| format!("{it}{separator}"));
        Some(Edit::insert(
            self.span(at)?.start,
            literals.collect::<String>(),
        ))
    }
}
