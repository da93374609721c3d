//! Recognises values that are not credentials, whatever their names.

use zeroize::Zeroizing;

mod words;

use words::{ASKS, BLANKS, EXAMPLES, EXTENSIONS, STATES};

use crate::entropy;
use crate::name::Says;
use crate::reference::{stands_for_another, unquoted};
use crate::scheme::without_scheme;

/// Returns whether a value whose name says this is a credential.
pub(crate) fn fits(says: Says, value: &str) -> bool {
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

/// Returns whether a value is, or contains, something for a person or a program to fill in.
pub(crate) fn is_placeholder(value: &str) -> bool {
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
        || entropy::different(value) == 1
        || lower(first).starts_with("your")
        || ((asks || here) && !digits)
        || BLANKS.iter().any(|it| lower(value).contains(it))
        || is_example(value)
}

/// Returns whether a value, even a random one, contains what only examples contain.
pub(crate) fn is_example(value: &str) -> bool {
    let value = lower(value);
    let yours = ["your-", "your_", "my-api-key", "my_api_key"];
    EXAMPLES.iter().chain(&yours).any(|it| value.contains(it))
}

/// Returns whether a value could be a path.
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

/// Returns whether a value is a number that is not a password.
fn is_small_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    digits.len() < 8
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        || digits.split('.').count() == 2 && digits.parse::<f64>().is_ok()
}

/// Returns whether a value is three or more words without digits and symbols.
fn is_prose(value: &str) -> bool {
    let mut words = value.split_whitespace();
    words.clone().count() > 2
        && words.all(|it| it.chars().all(|c| c.is_alphabetic() || ".,'!?".contains(c)))
}

/// Returns whether a value looks like a token or a user and a password, if its name does not say much.
fn could_be_a_token(value: &str) -> bool {
    /// Length of the shortest token, in bytes.
    const LEAST: usize = 16;
    let user_and_password = value
        .split_once('@')
        .is_some_and(|(user, _)| user.contains(':'));
    let noise = value.len() >= LEAST && entropy::is_noise(value);
    !value.contains(char::is_whitespace) && (user_and_password || noise)
}

/// Returns the value in lower case, to be wiped when dropped.
pub(crate) fn lower(value: &str) -> Zeroizing<String> {
    Zeroizing::new(value.to_ascii_lowercase())
}
