//! Tokens and keys without an issuer.

use crate::shape::Part::{Lit, Pem, Run};
use crate::shape::Set::{Crypt, Url};
use crate::shape::{Shape, shape};

pub(super) const SHAPES: &[Shape] = &[
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
    // crypt(5), and the string format of the competition for password hashes (PHC).
    shape(
        "password hash",
        &[
            "$1$",
            "$5$",
            "$6$",
            "$y$",
            "$2a$",
            "$2b$",
            "$2y$",
            "$apr1$",
            "$argon2i$",
            "$argon2id$",
            "$scrypt$",
            "$pbkdf2-sha256$",
            "$pbkdf2-sha512$",
        ],
        &[Run(Crypt, 24, 400)],
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
