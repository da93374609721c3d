//! Characters that nobody sees, or that reorder what people see. On a page they are shown as on a terminal, wherever the text is
//! from: the name of a tool, what a server says of it, a line of a log.

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Whether a character could show a text as another one: control characters, and those that reorder text or separate lines.
fn steers(character: char) -> bool {
    let reorders = matches!(
        character,
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    );
    reorders || (character.is_control() && !matches!(character, '\n' | '\t'))
}

/// Writes such characters of an answer as escapes. The pages themselves have none.
pub(super) async fn visible(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    // It is in memory already.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let steered = str::from_utf8(&bytes).ok().filter(|it| it.contains(steers));
    let body = match steered {
        None => Body::from(bytes),
        Some(text) => {
            parts.headers.remove("content-length");
            Body::from(escaped(text))
        }
    };
    Response::from_parts(parts, body)
}

fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match steers(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;

    async fn shown(text: &str) -> String {
        let page = html! { p title=(text) { (text) } };
        let response = visible(page.into_response()).await;
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_reorders_text_is_shown() {
        for (text, expected) in [
            ("\u{202e}gnp.exe", r"\u{202e}gnp.exe"),
            ("a\u{2066}b\u{2069}", r"a\u{2066}b\u{2069}"),
            ("a\u{2028}b\u{2029}c", r"a\u{2028}b\u{2029}c"),
            ("a\u{1b}[31m\0\r\u{85}", r"a\u{1b}[31m\u{0}\r\u{85}"),
            ("one\n\ttwo, ünïted 😀", "one\n\ttwo, ünïted 😀"),
        ] {
            let page = format!("<p title=\"{expected}\">{expected}</p>");
            assert_eq!(shown(text).await, page);
        }
    }
}
