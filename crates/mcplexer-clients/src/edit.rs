//! Replacing ranges of a text.

use std::ops::Range;

use zeroize::Zeroizing;

/// A range of a text, and its replacement.
pub(crate) struct Edit {
    pub(crate) span: Range<usize>,
    pub(crate) text: Zeroizing<String>,
}

impl Edit {
    pub(crate) fn replace(span: Range<usize>, text: impl Into<String>) -> Self {
        Self {
            span,
            text: Zeroizing::new(text.into()),
        }
    }

    pub(crate) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::replace(at..at, text)
    }

    pub(crate) fn remove(span: Range<usize>) -> Self {
        Self::replace(span, "")
    }
}

/// Applies edits to a text. No two of them may overlap.
pub(crate) fn apply(text: &str, mut edits: Vec<Edit>) -> Zeroizing<String> {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    // A string that grows leaves copies behind.
    let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut edited = Zeroizing::new(String::with_capacity(text.len() + added));
    let mut from = 0;
    for edit in &edits {
        edited.push_str(text.get(from..edit.span.start).unwrap_or_default());
        edited.push_str(&edit.text);
        from = edit.span.end;
    }
    edited.push_str(text.get(from..).unwrap_or_default());
    edited
}
