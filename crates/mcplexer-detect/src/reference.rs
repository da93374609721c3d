//! Recognises values that only say where another value is.

use crate::name::{Says, says};
use crate::value;

/// How references to secrets in other stores begin.
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
    "bitwarden://",
    "doppler://",
    "gopass://",
    "infisical://",
    "{env:",
    "{file:",
    "$env:",
    "$input:",
    "!secret ",
    "!vault ",
    "!env ",
    "!ENV ",
    "ref+",
    "os.environ/",
    "os.environ[",
    "os.getenv(",
    "process.env.",
];

/// Returns the default of `${NAME:-default}`, which is used if the variable is not set.
pub(crate) fn default_of(value: &str) -> Option<&str> {
    let within = value.strip_prefix("${")?.strip_suffix('}')?;
    let (name, default) = within.split_once(":-")?;
    name.chars().all(is_of_a_name).then_some(default)
}

/// Returns whether a value could be the name of a credential: `GITHUB_TOKEN`, `github-token`.
pub(crate) fn is_name_of_credential(value: &str) -> bool {
    let is_upper = is_variable_name(value);
    let is_lower = value
        .chars()
        .all(|c| c.is_ascii_lowercase() || "_-".contains(c));
    (is_upper || is_lower)
        && value.contains(['_', '-'])
        && matches!(says(value), Says::Secret | Says::Password)
}

/// Returns whether a value could be the name of an environment variable.
pub(crate) fn is_variable_name(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && value.chars().all(is_of_a_name)
        && !value.contains(char::is_lowercase)
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Returns whether a value is a reference, a variable or a command whose output is meant.
#[must_use]
pub fn stands_for_another(value: &str) -> bool {
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
        ("`", "`"),
        ("#{", "}"),
        ("#{", "}#"),
        ("@@", "@@"),
        ("%(", ")s"),
        ("<%", "%>"),
        ("((", "))"),
    ];
    let mut braced = braces
        .iter()
        .filter_map(|(open, close)| within(open, close));
    let is_of_shell = value.starts_with("${") || value.starts_with("$(");
    braced.any(|inner| !inner.contains(['"', ':']) || is_of_shell)
        || within("%", "%").is_some_and(is_word)
        || within("$", "").is_some_and(|it| is_word(it) && !it.contains(char::is_lowercase))
        || is_command(value)
        // `@keychain:name` is one as well.
        || is_reference(value.strip_prefix('@').unwrap_or(value))
}

fn is_reference(value: &str) -> bool {
    let mut known = REFERENCES.iter();
    known.any(|it| value.starts_with(it) && !value.contains('@'))
}

/// Returns whether a value is a command whose output is meant: `!op read …`, `!/usr/bin/get-token`.
fn is_command(value: &str) -> bool {
    let program = value.strip_prefix('!').unwrap_or_default();
    let program = program.split(' ').next().unwrap_or_default();
    let belongs = |c: char| c.is_ascii_lowercase() || "-_./~".contains(c);
    !program.is_empty() && program.chars().all(belongs)
}

/// Returns whether a value is the name of a resource: of AWS, Google, IBM or Oracle, by RFC 8141, a decentralized
/// identifier, or a public key of OpenSSH. Parts of it may be named `secret` and look random.
#[must_use]
pub fn is_resource(value: &str) -> bool {
    const SCHEMES: [&str; 6] = ["arn:", "crn:", "ocid1.", "urn:", "did:", "projects/"];
    let value = unquoted(value);
    let is_one_word = !value.contains(|c: char| c.is_whitespace() || c == '@');
    is_one_word && SCHEMES.iter().any(|it| value.starts_with(it))
        || value::is_public_key_of_ssh(value)
}

/// Removes a pair of quotes.
pub(crate) fn unquoted(value: &str) -> &str {
    let value = value.trim();
    let within = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(value)
}
