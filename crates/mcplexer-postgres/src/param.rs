//! The parameters of a statement.

use std::fmt;

use tokio_postgres::types::{ToSql, Type};

/// A parameter and its type.
pub(crate) struct Param(Box<dyn ToSql + Send + Sync>, Type);

impl Param {
    pub(crate) fn small(value: i16) -> Self {
        Self(Box::new(value), Type::INT2)
    }

    pub(crate) fn big(value: i64) -> Self {
        Self(Box::new(value), Type::INT8)
    }

    pub(crate) fn bytes(value: Vec<u8>) -> Self {
        Self(Box::new(value), Type::BYTEA)
    }

    pub(crate) fn smalls(values: Vec<i16>) -> Self {
        Self(Box::new(values), Type::INT2_ARRAY)
    }

    pub(crate) fn byte_strings(values: Vec<Vec<u8>>) -> Self {
        Self(Box::new(values), Type::BYTEA_ARRAY)
    }

    pub(crate) fn value(&self) -> &(dyn ToSql + Sync) {
        &*self.0
    }

    pub(crate) fn of(&self) -> Type {
        self.1.clone()
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Param({})", self.1)
    }
}
