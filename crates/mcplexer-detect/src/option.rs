//! Options whose names say little, but whose values are often credentials.

use crate::credential::login;
use crate::reason::Reason;

/// Options that take a user and a password.
const LOGINS: [&str; 6] = [
    "-u",
    "-U",
    "--user",
    "--proxy-user",
    "--userpwd",
    "--http-user",
];
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

/// Returns whether an option such as `-u` takes a user and a password.
#[must_use]
pub fn takes_login(option: &str) -> bool {
    LOGINS.contains(&option)
}

/// Returns the part of a word of a command line that looks like a credential, by the option `before` it or by the `-p`
/// at its beginning, and why.
///
/// ```
/// use mcplexer_detect::{Reason, find_by_option};
/// assert_eq!(find_by_option("-u", "me:Hunter2"), Some((Reason::Name, "Hunter2")));
/// assert_eq!(find_by_option("mysql", "-phunter2"), Some((Reason::Name, "hunter2")));
/// assert_eq!(find_by_option("-p", "8080:80"), None);
/// ```
#[must_use]
pub fn find_by_option<'t>(before: &str, word: &'t str) -> Option<(Reason, &'t str)> {
    if takes_login(before) {
        let (_, password) = word.split_once(':')?;
        return login(word).map(|reason| (reason, password));
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
