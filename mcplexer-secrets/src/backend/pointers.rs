//! What a box points to is as good as the thing itself.

use super::{BackendError, Commit, Table, Transaction};

impl<'t> Transaction for Box<dyn Transaction + 't> {
    fn is_first(&self) -> bool {
        (**self).is_first()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        (**self).put(table, key, record)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        (**self).delete(table, key)
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        (**self).delete_prefix(table, prefix)
    }

    fn commit(self: Box<Self>) -> Result<Commit, BackendError> {
        (*self).commit()
    }
}
