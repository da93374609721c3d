//! The fields of a configuration, and those in which other programs keep values.

use mcplexer_detect::{Reason, credential};
use mcplexer_secrets::{
    Error, InvalidName, MAX_KEEP_VERSIONS, MAX_REDACTION_HINTS, NewScope, ScopeId, ScopeKind,
    SecretName,
};

/// The name of a field, and what its value must be.
pub(super) type Field = (&'static str, Shape);

/// What a node must be.
pub(super) enum Shape {
    /// A map with these fields, of which the first is required.
    Map(&'static [Field]),
    /// A list of at most so many members, and what to call them.
    List(&'static Self, &'static str, usize),
    /// Text that passes a check, which says what the text must be instead.
    Text(fn(&str) -> Result<(), String>),
    /// A whole number, at most this.
    Number(u8),
}

impl Shape {
    pub(super) fn fields(&self) -> Option<&'static [Field]> {
        match self {
            Self::Map(fields) => Some(fields),
            _ => None,
        }
    }

    pub(super) fn member(&self) -> Option<&'static Self> {
        match self {
            Self::List(member, ..) => Some(member),
            _ => None,
        }
    }
}

/// Returns the names of fields, for messages.
pub(super) fn names(fields: &[Field]) -> String {
    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// The file as a whole.
pub(super) const FILE: Shape =
    Shape::Map(&[("auth_scopes", Shape::List(&SCOPE, "scopes", usize::MAX))]);

const SCOPE: Shape = Shape::Map(&[
    ("id", Shape::Text(check_name::<ScopeId>)),
    ("name", Shape::Text(check_display_name)),
    ("type", Shape::Text(check_kind)),
    (
        "redaction_hints",
        Shape::List(
            &Shape::Text(check_name::<SecretName>),
            "names",
            MAX_REDACTION_HINTS,
        ),
    ),
    ("keep_versions", Shape::Number(MAX_KEEP_VERSIONS)),
]);

fn check_name<T: std::str::FromStr<Err = InvalidName>>(text: &str) -> Result<(), String> {
    let invalid = |error: InvalidName| format!("invalid {}: it is {}", error.what(), error.rule());
    text.parse::<T>().map(drop).map_err(invalid)
}

fn check_display_name(text: &str) -> Result<(), String> {
    // The store knows the rule, and checks it as part of a scope.
    let id = "x".parse::<ScopeId>();
    let scope = id.map(|id| NewScope {
        display_name: Some(text.to_owned()),
        ..NewScope::env(id)
    });
    let checked = scope.map_err(Error::from).and_then(|scope| scope.check());
    checked.map_err(|error| error.to_string())
}

fn check_kind(text: &str) -> Result<(), String> {
    let kinds = ScopeKind::ALL.map(ScopeKind::as_str);
    match kinds.contains(&text) {
        true => Ok(()),
        false => Err(format!("invalid type: it is one of {}", kinds.join(", "))),
    }
}

/// Fields in which other programs keep values, in lower case and with `_` for `-`.
const VALUE_FIELDS: &str = "access_token api_key apikey auth authorization bearer bearer_token \
    client_id client_secret credential credentials env environment header headers key pass password \
    private_key refresh_token secret secrets token value";

/// Those of them that say nothing about what a value is called.
const GENERIC_FIELDS: &str =
    "auth credential credentials env environment header headers key secret secrets value";

/// Returns the field for a value that `text` names, as this library writes it.
pub(super) fn value_field(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase().replace('-', "_");
    VALUE_FIELDS.split(' ').find(|field| *field == text)
}

/// Whether an unknown field is named as a secret would be, such as `GITHUB_TOKEN`.
pub(super) fn names_a_value(text: &str) -> bool {
    let anything = "x9Kq2mWvT4rZ8pLc";
    let singular = text.strip_suffix('s').unwrap_or(text);
    [text, singular]
        .iter()
        .any(|name| credential(name, anything, &[]) == Some(Reason::Name))
}

/// Returns what a secret is called whose value stands in such a field: `TOKEN` for `token`.
pub(super) fn secret_name(field: &str) -> Option<SecretName> {
    match GENERIC_FIELDS.split(' ').any(|generic| generic == field) {
        true => None,
        false => field.to_ascii_uppercase().parse().ok(),
    }
}
