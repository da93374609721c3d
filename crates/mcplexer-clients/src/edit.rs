//! Changing a text in places, and nowhere else.

use std::ops::Range;

use zeroize::Zeroizing;

/// What takes the place of some bytes of a text.
pub(super) struct Edit {
    pub(super) span: Range<usize>,
    pub(super) text: Zeroizing<String>,
}

impl Edit {
    pub(super) fn replace(span: Range<usize>, text: impl Into<String>) -> Self {
        Self {
            span,
            text: Zeroizing::new(text.into()),
        }
    }

    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::replace(at..at, text)
    }

    pub(super) fn remove(span: Range<usize>) -> Self {
        Self::replace(span, "")
    }
}

/// The text with these edits, of which no two overlap.
pub(super) fn apply(text: &str, mut edits: Vec<Edit>) -> Zeroizing<String> {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
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
