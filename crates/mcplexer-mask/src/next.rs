//! The result of reading one byte of a value.

/// What comes next in a text that is read in one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// A byte of a value.
    Byte(u8),
    /// The buffer ends before this is clear.
    End,
    /// The program says that it leaves out the rest.
    Cut,
    /// Something that the form does not allow.
    Other,
}
