//! How names and times are written in reports.

use std::fmt::Display;

use serde::Serializer;

/// Serialises a value as the text it displays as.
pub(crate) fn as_text<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}
