//! Words of values that are not credentials.

/// Names of states and choices, and words for nothing.
pub(super) const STATES: &[&str] = &[
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
/// First words of a request to fill in a value.
pub(super) const ASKS: &[&str] = &[
    "your", "insert", "enter", "replace", "put", "paste", "add", "change", "set",
];
/// What examples contain; case does not matter.
pub(super) const EXAMPLES: &[&str] = &[
    "example",
    "placeholder",
    "changeme",
    "change-me",
    "replaceme",
];
/// What blanks contain. A long random value may contain it as well.
pub(super) const BLANKS: &[&str] = &["xxxx", "****", "..."];
/// Ends of file names.
pub(super) const EXTENSIONS: &[&str] = &[
    ".json", ".txt", ".pem", ".key", ".yaml", ".yml", ".env", ".toml", ".ini", ".p12", ".pfx",
    ".crt", ".cer",
];
