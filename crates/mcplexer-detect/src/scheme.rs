//! Schemes of HTTP authentication.

use crate::{entropy, name, value};

/// Length of the shortest token after a scheme, in bytes.
const MIN_TOKEN: usize = 16;

/// The schemes, and words that are used like them.
const SCHEMES: &[&str] = &[
    "bearer",
    "token",
    "basic",
    "bot",
    "apikey",
    "api-key",
    "key",
    "digest",
    "jwt",
    "oauth",
    // Okta, Opsgenie, Splunk, GoDaddy, Zoho, Klaviyo, Kakao.
    "ssws",
    "geniekey",
    "splunk",
    "sso-key",
    "zoho-oauthtoken",
    "klaviyo-api-key",
    "kakaoak",
];

/// Returns whether a word is a scheme of HTTP authentication, such as `Bearer`. Case does not matter.
#[must_use]
pub fn is_auth_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|it| it.eq_ignore_ascii_case(word))
}

/// Returns what follows `Bearer` and the like, or else the value itself.
pub(crate) fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, rest)) if is_auth_scheme(scheme) => rest.trim(),
        _ => value,
    }
}

/// Returns whether a value is that of the field `Authorization`, by itself or by its name: `Bearer TOKEN`.
pub(crate) fn is_authorization(name: &str, value: &str) -> bool {
    let Some((scheme, token)) = value.trim().split_once(' ') else {
        return false;
    };
    let is_of_scheme = |c: char| c.is_ascii_alphabetic() || c == '-';
    let is_announced = is_auth_scheme(scheme)
        || name::is_of_authorization(name)
            && !scheme.is_empty()
            && scheme.chars().all(is_of_scheme);
    let is_token = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | ',' | '/');
    // A path is seldom made of letters of both cases and digits.
    let of_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let has = |is: fn(&char) -> bool| token.chars().any(|c| is(&c));
    let is_mixed =
        has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase) && has(char::is_ascii_digit);
    let is_base64 = token.ends_with('=') || is_mixed && token.chars().all(of_base64);
    is_announced
        && token.len() >= MIN_TOKEN
        && token.chars().all(|c| is_token(c) || is_base64 && c == '/')
        && (value::is_uuid(token) || entropy::is_noise(token))
        && !value::is_placeholder(token)
}
