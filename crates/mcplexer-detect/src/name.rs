//! What the name of a variable, header field or parameter says about its value.

mod identifiers;
mod words;

use identifiers::IDENTIFIERS;
use words::{
    COUNTED, ENDS_IN_PASS, KEYS, LOGINS, NAMED_SECRETS, OF_SEEDS, PASSWORDS, PERHAPS,
    PUBLIC_HASHES, PUBLIC_KEYS, QUALIFIERS, SECRET_HASHES, SECRET_IDS, SECRETS, SEEDS,
    SHORT_PASSWORDS, SHORT_SECRETS,
};

/// What a name says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// It is a password, which people choose.
    Password,
    /// It is a token or a key.
    Secret,
    /// It may be several tokens or keys.
    Several,
    /// It may be a token or a key.
    Perhaps,
    /// It may be a token that its issuer calls a hash.
    Hash,
    /// It may be a number that people type in place of a password.
    Pin,
    /// It may be the words of a seed.
    Phrase,
    /// The same, and nothing else is words.
    Seed,
    /// It may be a user and a password.
    Login,
    /// It may be the token of a session, or its number.
    Session,
    /// Nothing.
    Nothing,
    /// It may look random, but is public: an identifier, a digest, a public key.
    Public,
}

/// Judges a name by its words.
pub(crate) fn says(name: &str) -> Says {
    let mut words = words(name);
    while words.len() > 1 && is_qualified(&words) {
        words.pop();
    }
    let mut from_last = words.iter().rev().map(|word| trimmed(word));
    let (last, before) = (
        from_last.next().unwrap_or(""),
        from_last.next().unwrap_or(""),
    );
    let ends_with = |ends: &[&str]| ends.iter().any(|end| last.ends_with(end));
    let is_secret = |word: &str| {
        SECRETS.iter().any(|end| word.ends_with(end))
            || SHORT_SECRETS.contains(&word)
            || (word == "key" && KEYS.contains(&before))
    };
    let is_password = |word: &str| {
        PASSWORDS.iter().any(|end| word.ends_with(end))
            || SHORT_PASSWORDS.contains(&word)
            || (word.ends_with("pass") && !ENDS_IN_PASS.contains(&word))
    };
    let is_secret_hash = last == "hash" && (SECRET_HASHES.contains(&before) || is_password(before));
    let one = last.strip_suffix('s').unwrap_or_default();
    if matches!(last, "key" | "keys") && PUBLIC_KEYS.contains(&before) || ends_with(&["publickey"])
    {
        Says::Public
    } else if is_password(last) || (last == "phrase" && before == "pass") {
        Says::Password
    } else if last == "secret" && NAMED_SECRETS.contains(&before) {
        Says::Perhaps
    } else if is_secret(last) || is_secret_hash {
        Says::Secret
    } else if last == "hash" && !PUBLIC_HASHES.contains(&before) {
        Says::Hash
    } else if (is_secret(one) || is_password(one)) && !COUNTED.contains(&before) {
        Says::Several
    } else if SEEDS.contains(&last) || (last == "phrase" && OF_SEEDS.contains(&before)) {
        Says::Seed
    } else if last == "phrase" {
        Says::Phrase
    } else if LOGINS.contains(&last) {
        Says::Login
    } else if last == "pin" || last == "code" && before == "pin" {
        Says::Pin
    } else if is_id_of_secrets(&words) {
        Says::Secret
    } else if last == "id" && before == "session" || last == "sessionid" {
        Says::Session
    } else if PERHAPS.contains(&last) {
        Says::Perhaps
    } else if IDENTIFIERS.contains(&last) {
        Says::Public
    } else {
        Says::Nothing
    }
}

/// Returns whether a service calls its key an id: `WOLFRAM_APP_ID`.
fn is_id_of_secrets(words: &[String]) -> bool {
    let last = words.last().map_or("", String::as_str);
    let begins = |word: &str| words.iter().rev().take(2).any(|it| it.starts_with(word));
    let is_it = |(service, id): &(&str, &str)| words.iter().any(|it| it == service) && begins(id);
    last.ends_with("id") && SECRET_IDS.iter().any(is_it)
}

/// Returns whether a name says that its value is the name of an environment variable.
pub(crate) fn is_of_a_variable(name: &str) -> bool {
    let words = words(name);
    let last = words.last().map_or("", String::as_str);
    words.len() > 1 && ["env", "var", "envvar", "variable"].contains(&last)
}

/// Returns whether a name says that its value may be that of the field `Authorization`.
pub(crate) fn is_of_authorization(name: &str) -> bool {
    let last = words(name).pop().unwrap_or_default();
    ["header", "auth", "authz", "authorization", "authentication"].contains(&last.as_str())
}

/// Returns whether a name is that of a key of PGP.
pub(crate) fn is_of_pgp(name: &str) -> bool {
    words(name)
        .iter()
        .any(|word| word == "gpg" || word == "pgp")
}

/// Returns whether a name says that its value has names of its own: header fields, parameters.
pub(crate) fn is_of_fields(name: &str) -> bool {
    let last = words(name).pop().unwrap_or_default();
    [
        "header", "headers", "params", "query", "cookies", "metadata",
    ]
    .contains(&last.as_str())
}

/// Returns whether the last word follows the one that counts, as in `TOKEN_PROD`, `TOKEN_2` and `TOKEN_V2`.
fn is_qualified(words: &[String]) -> bool {
    let mut from_last = words.iter().rev().map(String::as_str);
    let (last, before) = (from_last.next().unwrap_or(""), from_last.next());
    let number = last.strip_prefix('v').unwrap_or(last);
    // Rails signs with `SECRET_KEY_BASE`.
    let is_base_of_key = last == "base" && before == Some("key");
    QUALIFIERS.contains(&last) || is_base_of_key || number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Removes the digits of `token2`, but not of `sha256`.
fn trimmed(word: &str) -> &str {
    if IDENTIFIERS.contains(&word) {
        return word;
    }
    word.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// Splits a name into words, from `SNAKE_CASE`, `kebab-case` or `camelCase`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let characters: Vec<char> = name.chars().collect();
    for (at, &c) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| characters.get(at));
        let after = characters.get(at + 1);
        let begins = c.is_ascii_uppercase()
            && (before.is_some_and(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
                || before.is_some_and(char::is_ascii_uppercase)
                    && after.is_some_and(char::is_ascii_lowercase));
        if begins || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
