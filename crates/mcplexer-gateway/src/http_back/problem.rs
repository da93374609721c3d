//! What is wrong with an answer over HTTP, in words. No text has a value of a secret or a token in it.

use std::error::Error;

use hyper::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use hyper::{StatusCode, Uri};

use super::target::shown;
use crate::json;
use crate::scrub::Scrubber;

/// The most characters that a message repeats of what a server sent.
const MAX_EXCERPT: usize = 200;

/// Returns which URL answered what.
pub(crate) fn answered(uri: &Uri, status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    let status = status.as_u16();
    format!("{} answered {status} {reason}", shown(uri))
        .trim_end()
        .to_owned()
}

/// Returns the cause of an error of the HTTP client.
pub(crate) fn cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Returns the beginning of an error's body, if it is text, for the end of a message.
pub(crate) fn excerpt(headers: &HeaderMap, body: &[u8], scrubber: &Scrubber) -> String {
    let kind = media_type(headers);
    let is_readable = kind == "text/plain" || is_json(&kind);
    match str::from_utf8(body) {
        Ok(text) if is_readable && !text.trim().is_empty() => {
            format!(": {}", readable(text.trim(), scrubber))
        }
        _ => String::new(),
    }
}

/// Returns what an answer says of the authentication that it wants: the scheme, the error and the scope.
pub(crate) fn challenge(headers: &HeaderMap, scrubber: &Scrubber) -> String {
    let challenge = headers.get(WWW_AUTHENTICATE).map(HeaderValue::as_bytes);
    let challenge = String::from_utf8_lossy(challenge.unwrap_or_default());
    let (scheme, parameters) = challenge.split_once(' ').unwrap_or((&challenge, ""));
    let is_token = |it: &str| {
        !it.is_empty()
            && it
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if !is_token(scheme) {
        return String::new();
    }
    let mut parts = vec![readable(scheme, scrubber)];
    for (name, value) in self::parameters(parameters) {
        if matches!(name.as_str(), "error" | "scope") {
            parts.push(format!("{name} {}", readable(&value, scrubber)));
        }
    }
    format!(" ({})", parts.join(", "))
}

/// Returns the type of a body, without parameters and in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    sent_type(headers).to_ascii_lowercase()
}

/// Returns the type of a body, without parameters and as it was sent.
pub(crate) fn sent_type(headers: &HeaderMap) -> &str {
    let kind = headers.get(hyper::header::CONTENT_TYPE);
    let kind = kind.and_then(|it| it.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim()
}

/// Whether a type is JSON (RFC 6839, section 3.1).
pub(crate) fn is_json(kind: &str) -> bool {
    kind == "application/json" || kind.ends_with("+json")
}

/// Returns the parameters of a challenge (RFC 9110, section 11.2), with names in lower case.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_start_matches([',', ' ', '\t']).trim_end();
        let after = after.trim_start();
        let mut value = String::new();
        rest = match after.strip_prefix('"') {
            Some(quoted) => {
                let mut characters = quoted.chars();
                loop {
                    match characters.next() {
                        None | Some('"') => break,
                        Some('\\') => value.extend(characters.next()),
                        Some(other) => value.push(other),
                    }
                }
                characters.as_str()
            }
            None => {
                let end = after.find([',', ' ']).unwrap_or(after.len());
                let (token, rest) = after.split_at(end);
                value.push_str(token);
                rest
            }
        };
        found.push((name.to_ascii_lowercase(), value));
    }
    found
}

/// Returns the beginning of a text of a server, without values of secrets, on one line.
fn readable(text: &str, scrubber: &Scrubber) -> String {
    // In JSON, the letters of a value can be escaped.
    let (text, _) = match json::is_valid(text) {
        true => scrubber.json(text.to_owned()),
        false => scrubber.text(text.to_owned()),
    };
    let mut short: String = text
        .chars()
        .take(MAX_EXCERPT)
        .map(|it| if it.is_control() { ' ' } else { it })
        .collect();
    if text.chars().nth(MAX_EXCERPT).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use mcplexer_mask::{Known, Masker};

    use super::*;

    fn scrubber() -> Scrubber {
        let label = "s/TOKEN".to_owned();
        let value = b"hunter2hunter2";
        Scrubber::new(Masker::new([Known { label, value }]))
    }

    #[test]
    fn a_challenge_says_what_is_wanted_and_nothing_else() {
        for (field, said) in [
            ("Bearer", " (Bearer)"),
            (
                r#"Bearer realm="x, error=y", error="invalid_token", error_description="the token abc", scope="a b""#,
                " (Bearer, error invalid_token, scope a b)",
            ),
            (
                r#"Bearer Error=insufficient_scope,scope=a, resource_metadata="https://x/?token=1""#,
                " (Bearer, error insufficient_scope, scope a)",
            ),
            (
                r#"Bearer error="hunter2hunter2\"" "#,
                r#" (Bearer, error [s/TOKEN]")"#,
            ),
            ("Basic realm=x", " (Basic)"),
            ("\"x\"", ""),
            ("", ""),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(WWW_AUTHENTICATE, field.parse().unwrap());
            assert_eq!(challenge(&headers, &scrubber()), said, "{field}");
        }
        assert_eq!(challenge(&HeaderMap::new(), &scrubber()), "");
    }

    #[test]
    fn an_excerpt_is_short_and_scrubbed() {
        let of = |kind: &str, body: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("content-type", kind.parse().unwrap());
            excerpt(&headers, body.as_bytes(), &scrubber())
        };
        assert_eq!(
            of(
                "text/plain; charset=utf-8",
                " no\u{1b}[31m\nhunter2hunter2 "
            ),
            ": no [31m [s/TOKEN]"
        );
        assert_eq!(of("application/problem+json", "{}"), ": {}");
        // `hunter2hunter2` in hex, the first digit of it as an escape.
        let escaped = r#"{"a":"\u00368756e7465723268756e74657232"}"#;
        assert_eq!(of("application/json", escaped), r#": {"a":"[s/TOKEN]"}"#);
        assert_eq!(of("text/html", "<p>no"), "");
        assert_eq!(of("text/plain", " "), "");
        assert_eq!(of("text/plain", &"ü".repeat(1000)).chars().count(), 203);
    }
}
