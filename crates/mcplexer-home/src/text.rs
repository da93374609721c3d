//! How names and times are written in reports.

use std::fmt::Display;

use serde::Serializer;

/// Serialises a value as the text it displays as.
pub(crate) fn as_text<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// Serialises a value as the text it displays as, or as null.
pub(crate) fn as_optional_text<S: Serializer>(
    value: &Option<impl Display>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_none(),
    }
}
