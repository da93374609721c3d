//! What a box or an `Arc` points to is as good as the thing itself.

use std::sync::Arc;

use super::{
    Backend, BackendError, Commit, CommitId, EachRecord, Limits, Range, Replacement, Snapshot,
    Table, Transaction,
};

macro_rules! pointer_to_backend {
    ($pointer:ident) => {
        impl<T: Backend + ?Sized> Backend for $pointer<T> {
            fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
                (**self).read()
            }

            fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
                (**self).write()
            }

            fn replace(&self) -> Result<Replacement<'_>, BackendError> {
                (**self).replace()
            }

            fn settle(&self, commit: &CommitId) -> Result<bool, BackendError> {
                (**self).settle(commit)
            }

            fn limits(&self) -> Limits {
                (**self).limits()
            }

            fn revision(&self) -> Result<Option<u64>, BackendError> {
                (**self).revision()
            }

            fn check(&self) -> Result<(), BackendError> {
                (**self).check()
            }
        }
    };
}

pointer_to_backend!(Arc);
pointer_to_backend!(Box);

impl<T: Snapshot + ?Sized> Snapshot for Box<T> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        (**self).get_many(places)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        (**self).scan(range, each)
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        (**self).get(table, key)
    }
}

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
