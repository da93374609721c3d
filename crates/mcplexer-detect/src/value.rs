//! Values that are no credentials, whatever their names are.

use super::entropy;
use super::name::Says;

/// Schemes of HTTP authentication, and words that are used as such.
const SCHEMES: &[&str] = &[
    "bearer", "token", "basic", "bot", "apikey", "api-key", "key", "digest",
];
/// Schemes of references to secrets that are elsewhere.
const REFERENCES: &[&str] = &[
    "mcplexer://",
    "op://",
    "vault://",
    "secret://",
    "keychain://",
    "keyring://",
    "env://",
    "file://",
    "aws-sm://",
    "awssm://",
    "gcp-sm://",
    "gcpsm://",
    "azurekv://",
    "bws://",
    "pass://",
    "env:",
    "file:",
    "keychain:",
    "vault:",
    "arn:",
    "!secret ",
    "ref+",
];
/// States, choices and blanks.
const STATES: &[&str] = &[
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "none",
    "null",
    "nil",
    "undefined",
    "enabled",
    "disabled",
    "enable",
    "disable",
    "auto",
    "default",
    "required",
    "optional",
    "never",
    "always",
    "header",
    "query",
    "cookie",
    "env",
    "unset",
    "empty",
    "n/a",
    "bearer",
    "basic",
    "token",
    "apikey",
    "oauth",
    "oauth2",
    "jwt",
    "lax",
    "strict",
    "dummy",
    "fake",
    "test",
    "demo",
    "dev",
    "anonymous",
    "public",
    "todo",
    "tbd",
    "fixme",
    "redacted",
];
/// First words of what asks for a value.
const ASKS: &[&str] = &[
    "your", "insert", "enter", "replace", "put", "paste", "add", "change", "set",
];
/// What is in examples, without case.
const EXAMPLES: &[&str] = &[
    "example",
    "placeholder",
    "changeme",
    "change-me",
    "replaceme",
];
/// Words of examples that a long random value may have in it as well.
const BLANKS: &[&str] = &["xxxx", "****", "..."];
const EXTENSIONS: &[&str] = &[
    ".json", ".txt", ".pem", ".key", ".yaml", ".yml", ".env", ".toml", ".ini", ".p12", ".pfx",
    ".crt", ".cer",
];

/// Whether a value that has such a name is a credential.
pub(super) fn fits(says: Says, value: &str) -> bool {
    let value = without_scheme(unquoted(value));
    if says == Says::Password {
        let state =
            STATES.contains(&lower(value).as_str()) && !["test", "demo", "dev"].contains(&value);
        return !state && !is_placeholder(value) && !is_path(value);
    }
    let plain = STATES.contains(&lower(value).as_str()) || is_small_number(value);
    if plain || is_placeholder(value) || is_path(value) || value.contains("://") {
        return false;
    }
    match says {
        Says::Secret => !is_prose(value),
        Says::Perhaps => could_be_a_token(value),
        Says::Password | Says::Nothing | Says::Public => false,
    }
}

/// What follows `Bearer` and the like.
pub(super) fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, rest)) if is_scheme(scheme) => rest.trim(),
        _ => value,
    }
}

pub(super) fn is_scheme(word: &str) -> bool {
    SCHEMES.contains(&lower(word).as_str())
}

/// What a variable is replaced with if it is not set: `${NAME:-default}`.
pub(super) fn default_of(value: &str) -> Option<&str> {
    let within = value.strip_prefix("${")?.strip_suffix('}')?;
    let (name, default) = within.split_once(":-")?;
    name.chars().all(is_of_a_name).then_some(default)
}

/// Whether a value has the form of an environment variable's name.
pub(super) fn is_variable_name(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && value.chars().all(is_of_a_name)
        && !value.contains(char::is_lowercase)
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether a value says where another is: a reference or a variable.
pub(super) fn stands_for_another(value: &str) -> bool {
    let value = unquoted(value);
    let is_word =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let within = |open: &str, close: &str| {
        value
            .strip_prefix(open)
            .and_then(|it| it.strip_suffix(close))
    };
    let braces = [
        ("${", "}"),
        ("$(", ")"),
        ("{{", "}}"),
        ("{", "}"),
        ("<", ">"),
        ("[", "]"),
        ("__", "__"),
    ];
    let mut braced = braces
        .iter()
        .filter_map(|(open, close)| within(open, close));
    braced.any(|inner| !inner.contains(['"', ':']) || value.starts_with("${"))
        || within("%", "%").is_some_and(is_word)
        || within("$", "").is_some_and(|it| is_word(it) && !it.contains(char::is_lowercase))
        || REFERENCES
            .iter()
            .any(|it| value.starts_with(it) && !value.contains('@'))
}

/// Whether a value is, or is made of, something that a person or a program is to fill in.
pub(super) fn is_placeholder(value: &str) -> bool {
    let filled_in = |open: &str, close: &str| {
        value
            .split_once(open)
            .is_some_and(|(_, rest)| rest.contains(close))
    };
    let first = value
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or("");
    let asks = ASKS.contains(&lower(first).as_str()) && first.len() < value.len();
    let here = lower(value).ends_with("here") && value.contains(['-', '_', ' ']);
    let digits = value.contains(|c: char| c.is_ascii_digit());
    value.is_empty()
        || stands_for_another(value)
        || filled_in("${", "}")
        || filled_in("{{", "}}")
        || value.contains("mcplexer://")
        || value.contains('…')
        || super::shapes::different(value) == 1
        || lower(first).starts_with("your")
        || ((asks || here) && !digits)
        || BLANKS.iter().any(|it| lower(value).contains(it))
        || is_example(value)
}

/// Whether a value, even a random one, has in it what only examples have.
pub(super) fn is_example(value: &str) -> bool {
    let value = lower(value);
    let yours = ["your-", "your_", "my-api-key", "my_api_key"];
    EXAMPLES.iter().chain(&yours).any(|it| value.contains(it))
}

/// Whether a value has the form of a path.
fn is_path(value: &str) -> bool {
    let begins = ["/", "~/", "./", "../", "\\\\", "~\\"]
        .iter()
        .any(|it| value.starts_with(it));
    let mut characters = value.chars();
    let drive = characters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && characters.next() == Some(':')
        && characters.next().is_some_and(|c| c == '\\' || c == '/');
    let file = EXTENSIONS.iter().any(|end| value.ends_with(end));
    (begins && !entropy::looks_random(value)) || drive || file
}

/// Whether a value is a number that is no password.
fn is_small_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    digits.len() < 8
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        || digits.split('.').count() == 2 && digits.parse::<f64>().is_ok()
}

/// Three words or more, without digits and signs.
fn is_prose(value: &str) -> bool {
    let mut words = value.split_whitespace();
    words.clone().count() > 2
        && words.all(|it| it.chars().all(|c| c.is_alphabetic() || ".,'!?".contains(c)))
}

fn could_be_a_token(value: &str) -> bool {
    /// Shortest value, in bytes, that is taken for a token by a name that does not say much.
    const LEAST: usize = 16;
    let user_and_password = value
        .split_once('@')
        .is_some_and(|(user, _)| user.contains(':'));
    let noise = value.len() >= LEAST && entropy::is_noise(value);
    !value.contains(char::is_whitespace) && (user_and_password || noise)
}

fn unquoted(value: &str) -> &str {
    let value = value.trim();
    let within = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

/// In lower case; wiped when dropped.
fn lower(value: &str) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(value.to_ascii_lowercase())
}
