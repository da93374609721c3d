//! Options whose names say little, but whose values are often credentials.

use mcplexer_detect::{self as detect, Reason};

use super::Found;
use crate::argument::LOGINS;

/// Options that take a password or a token, or something else.
const SHORT: [&str; 4] = ["-p", "-P", "-k", "-t"];
/// What words that begin with `-p` go on with.
const AFTER_P: [&str; 12] = [
    "ack", "age", "ar", "ath", "er", "lat", "lug", "ort", "re", "ro", "ub", "y",
];
/// Length of the shortest value of [`SHORT`] that counts, in bytes.
const LEAST: usize = 8;
/// Length of the shortest password that follows `-p` at once, in bytes.
const LEAST_AFTER_P: usize = 6;

/// Returns what of an argument looks like a credential, by the option before it or at its beginning.
pub(super) fn find<'t>(before: &str, word: &'t str) -> Option<Found<'t>> {
    if LOGINS.contains(&before) {
        let (_, password) = word.split_once(':')?;
        return detect::login(word).map(|reason| (reason, password));
    }
    if SHORT.contains(&before) && word.len() >= LEAST && is_mixed(word) {
        return Some((Reason::Name, word));
    }
    // As the clients of MySQL and others take it.
    let password = word.strip_prefix("-p").filter(|it| {
        let is_word = AFTER_P.iter().any(|end| it.starts_with(end));
        it.len() >= LEAST_AFTER_P && (!is_word || is_mixed(it))
    })?;
    is_password(password).then_some((Reason::Name, password))
}

/// Returns whether a text is one word of capitals, small letters and digits.
fn is_mixed(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.contains(|c: char| c.is_ascii_uppercase())
        && text.contains(|c: char| c.is_ascii_lowercase())
        && text.contains(|c: char| c.is_ascii_digit())
}

/// Returns whether a text has letters, and digits or symbols, and is no path, port or setting.
fn is_password(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_alphabetic())
        && text.contains(|c: char| c.is_ascii_digit() || "!@#%^&*".contains(c))
        && !text.contains(['/', ':', '=', '.', ',', '-', '$', '{'])
}
