//! A value to look for, as the caller passes it in.

use std::fmt;

/// Length of the shortest value that is looked for, in bytes. Shorter ones would match everywhere.
pub const MIN_MASKED_LEN: usize = 4;

/// A value to look for, and its label.
#[derive(Clone)]
pub struct Known<'a> {
    /// The text that stands for the value, such as `github/TOKEN`.
    pub label: String,
    /// The value. [`Masker`](crate::Masker) and [`Scanner`](crate::Scanner) copy it, and wipe the copy
    /// when they are dropped.
    pub value: &'a [u8],
}

/// Shows the length of the value, not the value.
impl fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known")
            .field("label", &self.label)
            .field("length", &self.value.len())
            .finish()
    }
}
