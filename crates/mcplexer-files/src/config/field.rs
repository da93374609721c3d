//! The fields of a configuration, and those that others would put a value into.

use std::fmt;

use mcplexer_detect::{Reason, credential};
use mcplexer_secrets::SecretName;

pub(super) const FILE_FIELDS: [&str; 1] = ["auth_scopes"];
pub(super) const SCOPE_FIELDS: [&str; 4] = ["id", "name", "type", "redaction_hints"];
/// Fields in which other programs keep values, in lower case and with `_` for `-`.
const VALUE_FIELDS: [&str; 24] = [
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "bearer",
    "bearer_token",
    "client_id",
    "client_secret",
    "credential",
    "credentials",
    "env",
    "environment",
    "header",
    "headers",
    "key",
    "pass",
    "password",
    "private_key",
    "refresh_token",
    "secret",
    "secrets",
    "token",
    "value",
];

/// The name of a field as this library writes it; `None` for one it does not know, which is not
/// repeated.
pub(super) fn known_field(text: &str) -> Option<&'static str> {
    let own = FILE_FIELDS.iter().chain(&SCOPE_FIELDS);
    own.copied()
        .find(|field| *field == text)
        .or_else(|| value_field(text))
}

/// The field of a value that has no place in the file, if `text` is the name of one.
pub(super) fn value_field(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase().replace('-', "_");
    VALUE_FIELDS.into_iter().find(|field| *field == text)
}

/// Whether a field that is unknown is called as a secret would be, such as `GITHUB_TOKEN`. It is not
/// repeated.
pub(super) fn names_a_value(text: &str) -> bool {
    let anything = "x9Kq2mWvT4rZ8pLc";
    let singular = text.strip_suffix('s').unwrap_or(text);
    [text, singular]
        .iter()
        .any(|name| credential(name, anything, &[]) == Some(Reason::Name))
}

/// What a secret is called whose value stands in such a field: `token` becomes `TOKEN`; `secret`
/// says nothing.
pub(super) fn secret_name(field: &str) -> Option<SecretName> {
    match field {
        "auth" | "credential" | "credentials" | "env" | "environment" | "header" | "headers"
        | "key" | "secret" | "secrets" | "value" => None,
        field => field.to_ascii_uppercase().parse().ok(),
    }
}

/// The way to a field: `auth_scopes[0].name`.
#[derive(Debug, Clone, Default)]
pub(super) struct Path(String);

impl Path {
    pub(super) fn field(&self, name: &'static str) -> Self {
        match self.0.as_str() {
            "" => Self(name.to_owned()),
            path => Self(format!("{path}.{name}")),
        }
    }

    pub(super) fn member(&self, at: usize) -> Self {
        Self(format!("{}[{at}]", self.0))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
