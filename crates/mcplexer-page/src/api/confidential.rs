//! Bodies that hold values of secrets.

use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use zeroize::Zeroizing;

use crate::problem::Problem;

/// A body in JSON of at most so many bytes. The text of it is wiped when it has been read, and no error quotes it.
pub(super) struct Confidential<T, const MOST: usize>(pub(super) T);

impl<T: DeserializeOwned, S: Sync, const MOST: usize> FromRequest<S> for Confidential<T, MOST> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let title = "the body has to be application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, title));
        }
        let text = read(request, MOST).await?;
        let body = serde_json::from_slice(&text).map_err(|error| match error.classify() {
            Category::Data => {
                Problem::invalid("the body has not the form that the documentation gives")
            }
            _ => Problem::new(StatusCode::BAD_REQUEST, "the body is not JSON"),
        });
        body.map(Self)
    }
}

/// Reads a body. One that is too long is read to its end, so that the answer reaches who is still sending.
async fn read(request: Request, most: usize) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
    let mut text = Zeroizing::new(Vec::with_capacity(length.unwrap_or(0).min(most)));
    let mut body = request.into_body();
    let mut is_too_long = false;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            let title = "the body cannot be read, or took too long";
            Problem::new(StatusCode::BAD_REQUEST, title)
        })?;
        let Some(data) = frame.data_ref().filter(|_| !is_too_long) else {
            continue;
        };
        is_too_long = text.len().saturating_add(data.len()) > most;
        match is_too_long {
            true => text = Zeroizing::default(),
            false => append(&mut text, data),
        }
    }
    match is_too_long {
        true => Err(Problem::too_long(most)),
        false => Ok(text),
    }
}

/// Adds bytes. A vector that grows by itself would leave what it held behind.
fn append(text: &mut Zeroizing<Vec<u8>>, data: &[u8]) {
    let length = text.len().saturating_add(data.len());
    if length > text.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(length.saturating_mul(2)));
        larger.extend_from_slice(text);
        *text = larger;
    }
    text.extend_from_slice(data);
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let media = media.and_then(|it| it.split(';').next());
    media.is_some_and(|it| it.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde::Deserialize;

    use super::*;

    const VALUE: &str = "hunter2-hunter2";

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        value: String,
        #[serde(default)]
        number: u8,
    }

    async fn extract(media: &str, body: impl Into<Body>) -> Result<Example, Problem> {
        let request = Request::builder().header(CONTENT_TYPE, media);
        let request = request.body(body.into()).unwrap();
        let body = Confidential::<Example, 64>::from_request(request, &()).await;
        body.map(|it| it.0)
    }

    #[tokio::test]
    async fn what_fits_is_read() {
        for media in ["application/json", "Application/JSON; charset=utf-8"] {
            let read = extract(media, "{\"value\":\"a\",\"number\":7}").await;
            let Example { value, number } = read.unwrap();
            assert_eq!((value.as_str(), number), ("a", 7));
        }
        let most = format!("{{\"value\":\"{}\"}}", "x".repeat(64 - 12));
        assert!(extract("application/json", most.clone()).await.is_ok());
        let long = extract("application/json", format!("{most} ")).await;
        assert_eq!(long.unwrap_err().status, 413);
    }

    #[tokio::test]
    async fn no_refusal_quotes_the_body() {
        for (status, media, body) in [
            (415, "text/plain", format!("{{\"value\":\"{VALUE}\"}}")),
            (400, "application/json", format!("{{\"value\":\"{VALUE}\"")),
            (400, "application/json", VALUE.to_owned()),
            (400, "application/json", String::new()),
            (422, "application/json", format!("{{\"{VALUE}\":1}}")),
            (
                422,
                "application/json",
                format!("{{\"value\":[\"{VALUE}\"]}}"),
            ),
            (
                422,
                "application/json",
                format!("{{\"value\":\"a\",\"number\":\"{VALUE}\"}}"),
            ),
            (422, "application/json", format!("\"{VALUE}\"")),
            (413, "application/json", VALUE.repeat(5)),
        ] {
            let refused = extract(media, body.clone()).await.unwrap_err();
            assert_eq!(refused.status, status, "{body}");
            let said = format!("{refused:?}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn growing_keeps_what_is_there() {
        let mut text = Zeroizing::default();
        for byte in 0..=255_u8 {
            append(&mut text, &[byte]);
        }
        assert_eq!(*text, (0..=255).collect::<Vec<u8>>());
    }
}
