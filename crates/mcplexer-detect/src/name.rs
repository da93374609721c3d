//! What the name of a variable, header field or parameter says about its value.

mod abroad;
mod identifiers;
mod words;

use identifiers::IDENTIFIERS;
use words::{
    CODES, COUNTED, ENDS_IN_PASS, KEYS, LOGINS, NAMED_SECRETS, OF_SEEDS, PASSWORDS, PERHAPS,
    PUBLIC_HASHES, PUBLIC_KEYS, PUBLIC_TOKENS, QUALIFIERS, SECRET_HASHES, SECRET_IDS, SECRETS,
    SEEDS, SHORT_PASSWORDS, SHORT_SECRETS, TARGETS,
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
    /// It may be a key, also a short one.
    Key,
    /// It is a password, a token or a key of what the last words say, or a property of one: `PASSWORD_DB`.
    Of,
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
    /// The same, and its number is a UUID.
    SessionToken,
    /// Nothing.
    Nothing,
    /// It may look random, but is public: an identifier, a digest, a public key.
    Public,
}

/// Returns whether a name is that of something public that may look random: an identifier, a digest, a public key.
#[must_use]
pub fn is_public_name(name: &str) -> bool {
    says(name) == Says::Public
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
    let is_secret = |word: &str| is_token(word) || (word == "key" && KEYS.contains(&before));
    let is_secret_hash = last == "hash" && (SECRET_HASHES.contains(&before) || is_password(before));
    let one = last.strip_suffix('s').unwrap_or_default();
    let is_public_key = matches!(last, "key" | "keys") && PUBLIC_KEYS.contains(&before);
    let is_public_token = last == "token" && PUBLIC_TOKENS.contains(&before);
    if is_public_key || is_public_token || ends_with(&["publickey"]) {
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
    } else if LOGINS.contains(&last) || last == "users" && LOGINS.contains(&before) {
        Says::Login
    } else if last == "pin" || last == "code" && CODES.contains(&before) {
        Says::Pin
    } else if is_id_of_secrets(&words) {
        Says::Secret
    } else if last == "id" && before == "session" || last == "sessionid" {
        Says::Session
    } else if last == "session" {
        Says::SessionToken
    } else if is_of_another(&words) {
        Says::Of
    } else if last == "key" {
        Says::Key
    } else if PERHAPS.contains(&last) || abroad::KEYS.contains(&last) || is_of_a_service(&words) {
        Says::Perhaps
    } else if IDENTIFIERS.contains(&last) || words.iter().skip(1).any(|it| it == "id") {
        // `CLIENT_ID_VERCEL`
        Says::Public
    } else {
        Says::Nothing
    }
}

fn is_password(word: &str) -> bool {
    PASSWORDS.iter().any(|end| word.ends_with(end))
        || SHORT_PASSWORDS.contains(&word)
        || (word.ends_with("pass") && !ENDS_IN_PASS.contains(&word))
        || abroad::PASSWORDS.iter().any(|end| word.ends_with(end))
        || abroad::SHORT_PASSWORDS.contains(&word)
}

fn is_token(word: &str) -> bool {
    SECRETS.iter().any(|end| word.ends_with(end))
        || SHORT_SECRETS.contains(&word)
        || abroad::SECRETS.contains(&word)
}

/// Returns whether a name has a word for a password, a token or a key, and then what it is for: `PASSWORD_DB`. Many
/// languages have no other order: `SENHA_BANCO`, `CLE_API`.
fn is_of_another(words: &[String]) -> bool {
    let [before @ .., last] = words else {
        return false;
    };
    let is_target = TARGETS.contains(&last.as_str());
    let is_property = !is_target
        && (IDENTIFIERS.contains(&last.as_str()) || abroad::PROPERTIES.contains(&last.as_str()));
    let is_abroad = |word: &str| {
        let ends = |end: &&str| word.ends_with(end);
        abroad::PASSWORDS.iter().any(ends)
            || abroad::SHORT_PASSWORDS.contains(&word)
            || abroad::SECRETS.contains(&word)
    };
    let is_key = |word: &str| word == "key" || abroad::KEYS.contains(&word);
    let mut words = before.iter().map(String::as_str);
    words.any(|word| {
        is_target && (is_password(word) || is_token(word) || is_key(word))
            || !is_property && is_abroad(word)
    })
}

/// Returns whether a name has two words for a token or a key, and then the service: `CLIENT_SECRET_HEROKU`.
fn is_of_a_service(words: &[String]) -> bool {
    let [before @ .., last] = words else {
        return false;
    };
    let is_pair = |pair: &[String]| match pair {
        [first, second] => {
            KEYS.contains(&first.as_str()) && matches!(second.as_str(), "key" | "secret" | "token")
        }
        _ => false,
    };
    !IDENTIFIERS.contains(&last.as_str()) && before.windows(2).any(is_pair)
}

/// Returns whether a service calls its key an id: `WOLFRAM_APP_ID`.
fn is_id_of_secrets(words: &[String]) -> bool {
    let last = words.last().map_or("", String::as_str);
    // `app`, `appid`, `application`, `applicationid`.
    let is_word = |it: &str, word: &str| {
        let rest = it.strip_prefix(word).map(|it| it.trim_end_matches("id"));
        rest.is_some_and(|it| ["", "lication"].contains(&it))
    };
    let has = |word: &str| words.iter().rev().take(2).any(|it| is_word(it, word));
    let is_it = |(service, id): &(&str, &str)| words.iter().any(|it| it == service) && has(id);
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

/// Returns whether a name is that of an identifier: `API_KEY_SID`.
pub(crate) fn is_of_an_id(name: &str) -> bool {
    let last = words(name).pop().unwrap_or_default();
    ["id", "sid"].contains(&last.as_str())
}

/// Returns whether a name is that of the address to which a service sends its events. Who knows it can send some.
pub(crate) fn is_of_a_webhook(name: &str) -> bool {
    let ends = |word: &String| word.ends_with("hook");
    words(name).iter().any(ends)
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
