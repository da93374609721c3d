//! Stands for the processes that are to clear a clipboard, where no system call names a process for good.

/// There is no such process.
pub(super) enum Earlier {}

impl Earlier {
    pub(super) fn find(_: impl Fn(&[&[u8]]) -> bool) -> Vec<Self> {
        Vec::new()
    }

    pub(super) fn end(&self) {
        match *self {}
    }
}
