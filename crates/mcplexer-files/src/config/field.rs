//! The fields of a configuration, and those in which other programs keep values.

use mcplexer_detect::{Reason, credential};
use mcplexer_secrets::{
    Error, InvalidName, MAX_KEEP_VERSIONS, MAX_REDACTION_HINTS, NewScope, ScopeId, ScopeKind,
    SecretName,
};

use super::server_fields::{CLIENTS, SERVERS};

/// The name of a field, and what its value must be.
pub(super) type Field = (&'static str, Shape);

/// What a node must be.
pub(super) enum Shape {
    /// A map with these fields.
    Map(&'static Fields),
    /// A map with names of the file's own.
    Named(&'static Named),
    /// A list.
    List(&'static List),
    /// Text that passes a check, which says what the text must be instead.
    Text(Check),
    /// `true` or `false`.
    Bool,
    /// A whole number, from the first to the last of these.
    Number(u8, u8),
}

/// Says what a text must be instead, if it is something else.
pub(super) type Check = fn(&str) -> Result<(), String>;

/// The fields of a map.
pub(super) struct Fields {
    pub(super) all: &'static [Field],
    pub(super) required: Required,
}

/// Which fields a map must have.
pub(super) enum Required {
    All(&'static [&'static str]),
    /// One of these, or several.
    Any(&'static [&'static str]),
}

/// A map with names of the file's own.
pub(super) struct Named {
    /// What the names are of, for messages.
    pub(super) of: &'static str,
    pub(super) name: Check,
    pub(super) value: Shape,
    /// Whether a name that is as it must be says where in the file a problem is. Names of variables do not: a
    /// value in the wrong place looks like one.
    pub(super) is_shown: bool,
}

/// A list.
pub(super) struct List {
    pub(super) member: Shape,
    /// What the members are, for messages.
    pub(super) of: &'static str,
    /// What to know about such a list, behind what it is of.
    pub(super) hint: &'static str,
    pub(super) least: usize,
    pub(super) most: usize,
}

impl Shape {
    pub(super) fn fields(&self) -> Option<&'static Fields> {
        match self {
            Self::Map(fields) => Some(fields),
            _ => None,
        }
    }

    pub(super) fn named(&self) -> Option<&'static Named> {
        match self {
            Self::Named(named) => Some(named),
            _ => None,
        }
    }

    pub(super) fn member(&self) -> Option<&'static Self> {
        match self {
            Self::List(list) => Some(&list.member),
            _ => None,
        }
    }
}

impl List {
    /// Returns a list of any length.
    pub(super) const fn of(member: Shape, of: &'static str) -> Self {
        Self {
            member,
            of,
            hint: "; [] is an empty list",
            least: 0,
            most: usize::MAX,
        }
    }
}

impl Fields {
    /// Returns the names, for messages.
    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self.all.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// Returns the field that was probably meant by an unknown name: one a slip or two away. The message has that, since
    /// it repeats nothing of the file.
    pub(super) fn closest(&self, name: &str) -> Option<&'static str> {
        let names = self.all.iter().map(|(field, _)| *field);
        let near = names.map(|field| (strsim::osa_distance(name, field), field));
        let near = near.filter(|(slips, field)| *slips <= (field.len() / 3).min(2));
        near.min_by_key(|(slips, _)| *slips).map(|(_, field)| field)
    }
}

impl Required {
    /// Returns what is missing, for a message, if something is.
    pub(super) fn missing(&self, has: impl Fn(&str) -> bool) -> Option<String> {
        match self {
            Self::All(names) => {
                let missing = names.iter().find(|name| !has(name));
                missing.map(|name| (*name).to_owned())
            }
            Self::Any(names) => {
                let is_there = names.iter().any(|name| has(name));
                (!is_there).then(|| names.join(" or "))
            }
        }
    }
}

/// A kind of file.
pub(super) struct Kind {
    pub(super) shape: Shape,
    /// What to say of a file without content.
    pub(super) absent: &'static str,
    /// What to add if a field of the file is missing.
    pub(super) hint: &'static str,
    pub(super) has_servers: bool,
}

/// `config.yaml`.
pub(super) static CONFIG: Kind = Kind {
    shape: Shape::Map(&Fields {
        all: &[
            ("auth_scopes", Shape::List(&List::of(SCOPE, "scopes"))),
            ("servers", Shape::Named(&SERVERS)),
            ("clients", Shape::Named(&CLIENTS)),
        ],
        required: Required::Any(&["auth_scopes", "servers"]),
    }),
    absent: "the file names no scopes; use `auth_scopes: []` for an empty list",
    hint: "; use `auth_scopes: []` for an empty list",
    has_servers: true,
};

const SCOPE: Shape = Shape::Map(&Fields {
    all: &[
        ("id", Shape::Text(check_name::<ScopeId>)),
        ("name", Shape::Text(check_display_name)),
        ("type", Shape::Text(check_kind)),
        (
            "redaction_hints",
            Shape::List(&List {
                most: MAX_REDACTION_HINTS,
                ..List::of(Shape::Text(check_name::<SecretName>), "names")
            }),
        ),
        ("keep_versions", Shape::Number(0, MAX_KEEP_VERSIONS)),
    ],
    required: Required::All(&["id"]),
});

pub(super) fn check_name<T: std::str::FromStr<Err = InvalidName>>(
    text: &str,
) -> Result<(), String> {
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
