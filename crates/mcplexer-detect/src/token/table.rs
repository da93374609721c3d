//! The table of known kinds of tokens.
//!
//! A shape is as narrow as the issuer documents it, and a little wider where the issuer has extended it
//! before. Within a file, the more specific shape comes first.

use super::{clouds, code, general, models, work};
use crate::shape::Part::{Basic, Random};
use crate::shape::Set::Any;
use crate::shape::{Shape, shape};

/// All shapes. Those without an issuer come last.
pub(super) const TABLE: &[&[Shape]] = &[
    code::SHAPES,
    models::SHAPES,
    clouds::SHAPES,
    work::SHAPES,
    general::SHAPES,
];

/// Shapes after a scheme of HTTP authentication (RFC 9110, section 11.4).
pub(super) const AFTER_SCHEMES: &[(&str, Shape)] = &[
    (
        "bearer ",
        shape("bearer token", &[""], &[Random(Any, 20, 4000)]),
    ),
    ("basic ", shape("user and password", &[""], &[Basic])),
];
