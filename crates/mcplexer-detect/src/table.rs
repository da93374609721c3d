//! Known kinds of tokens.
//!
//! What follows a prefix is demanded as narrowly as the issuer documents it, and a little wider where
//! formats have grown before. Within a file, the more particular shape stands first.

use super::shapes::Part::{self, Basic, Lit, Pem, Random, Run};
use super::shapes::Set::{Any, Url};
use super::shapes::Shape;

mod clouds;
mod code;
mod models;
mod work;

/// All of them; what belongs to no issuer comes last.
pub(super) const TABLE: &[&[Shape]] = &[
    code::SHAPES,
    models::SHAPES,
    clouds::SHAPES,
    work::SHAPES,
    WHATEVER,
];

const fn shape(
    kind: &'static str,
    prefixes: &'static [&'static str],
    body: &'static [Part],
) -> Shape {
    Shape {
        kind,
        prefixes,
        body,
    }
}

const WHATEVER: &[Shape] = &[
    shape(
        "JSON Web Token",
        &["eyJ"],
        &[
            Run(Url, 10, 4000),
            Lit(".eyJ"),
            Run(Url, 5, 8000),
            Lit("."),
            Run(Url, 20, 2000),
        ],
    ),
    shape(
        "JSON Web Token",
        &["eyJ"],
        &[
            Run(Url, 10, 4000),
            Lit(".."),
            Run(Url, 10, 100),
            Lit("."),
            Run(Url, 10, 8000),
            Lit("."),
            Run(Url, 20, 100),
        ],
    ),
    shape(
        "private key",
        &[
            "-----BEGIN PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----",
            "-----BEGIN EC PRIVATE KEY-----",
            "-----BEGIN DSA PRIVATE KEY-----",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----",
        ],
        &[Pem],
    ),
    shape(
        "SSH private key",
        &["-----BEGIN OPENSSH PRIVATE KEY-----"],
        &[Pem],
    ),
    shape(
        "PGP private key",
        &["-----BEGIN PGP PRIVATE KEY BLOCK-----"],
        &[Pem],
    ),
];

/// What follows a scheme of HTTP authentication (RFC 9110, section 11.4).
pub(super) const AFTER_SCHEMES: &[(&str, Shape)] = &[
    (
        "bearer ",
        shape("bearer token", &[""], &[Random(Any, 20, 4000)]),
    ),
    ("basic ", shape("user and password", &[""], &[Basic])),
];
