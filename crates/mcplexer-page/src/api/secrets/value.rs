//! A value that is stored.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mcplexer_home::config::ScopeToMake;
use mcplexer_home::generate::{self, Alphabet, LENGTHS};
use mcplexer_secrets::{Change, MAX_VALUE_LEN, PutMode, SecretEdit, SecretValue};
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{StoredVersion, names, state};
use crate::access::Writer;
use crate::api::confidential::Confidential;
use crate::api::{environment, invalid, said};
use crate::problem::Problem;
use crate::site::App;

/// The longest body: JSON can write a byte of a value as `\u0000`.
const MOST: usize = 6 * MAX_VALUE_LEN + (64 << 10);

/// A value to store, and what is said about it. Exactly one of `value`, `base64` and `generate` is there.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ValueToStore {
    /// The value: 1 byte to 1 MiB in UTF-8.
    #[schema(value_type = Option<String>)]
    value: Option<Zeroizing<String>>,
    /// The value in base64 (RFC 4648, section 4, with padding), for bytes that are not text.
    #[schema(value_type = Option<String>)]
    base64: Option<Zeroizing<String>>,
    /// Makes a random value of so many letters and digits, from 8 to 512. Nobody sees it.
    generate: Option<usize>,
    /// Fails unless this is the version that is replaced; 0 if there must be none.
    if_version: Option<u64>,
    /// Fails unless the secret is still in this state, as it was shown: nobody has changed it since.
    if_state: Option<String>,
    /// A note for people, one line of 1 to 200 characters. It is not encrypted.
    note: Option<String>,
    /// When the value expires: a date, which stands for its first moment in UTC, or a time (RFC 3339). It has not passed.
    expires: Option<String>,
    /// The number of days after which to replace the value, from 1 to 36,500.
    rotate_every_days: Option<u32>,
}

/// Stores a value: a new secret, or a new version of one. A scope that does not exist is created.
#[utoipa::path(
    put,
    path = "/api/v1/scopes/{scope}/secrets/{key}",
    operation_id = "put_secret",
    tag = "secrets",
    params(
        ("scope" = String, Path, description = "The id of the scope"),
        ("key" = String, Path, description = "The name of the secret"),
    ),
    request_body = ValueToStore,
    responses((status = 200, body = StoredVersion), (status = 409, description = "The store holds something else, or config.yaml has problems", body = Problem))
)]
pub(in crate::api) async fn put(
    State(app): State<App>,
    writer: Writer,
    path: Result<Path<(String, String)>, PathRejection>,
    Confidential(body): Confidential<ValueToStore, MOST>,
) -> Result<Json<StoredVersion>, Problem> {
    let (scope, key) = names(path)?;
    let value = value_of(body.value, body.base64, body.generate)?;
    let state = state(body.if_state.as_deref())?;
    if state.is_some() && body.if_version.is_some() {
        return Err(Problem::invalid("give if_state or if_version, not both"));
    }
    let mode = match body.if_version {
        None => PutMode::Overwrite,
        Some(0) => PutMode::Create,
        Some(version) => PutMode::Replace { version },
    };
    let edit = SecretEdit {
        note: set(body.note, said::note)?,
        expires: set(body.expires, said::future)?,
        rotate_every: set(body.rotate_every_days, said::interval)?,
    };
    let (id, name) = (scope.clone(), key.clone());
    let stored = app.with_home(move |home| {
        environment::check(&writer, &id, [&name], home)?;
        let new = ScopeToMake::find(&id, home)?;
        let (store, scope) = (home.store(), &new.scope);
        let stored = match state {
            None => store.put_with(scope, &name, &value, mode, &edit),
            Some(state) => store.put_if(scope, &name, &value, state, &edit),
        };
        stored.map_err(Problem::from)
    });
    Ok(StoredVersion::of(&scope, &key, &stored.await?))
}

/// A field that is missing or null leaves what is there.
fn set<T, U>(
    field: Option<T>,
    read: impl FnOnce(T) -> Result<U, Problem>,
) -> Result<Change<U>, Problem> {
    said::change(field.map(Some), read)
}

/// Returns the one value that is given.
fn value_of(
    text: Option<Zeroizing<String>>,
    base64: Option<Zeroizing<String>>,
    generate: Option<usize>,
) -> Result<SecretValue, Problem> {
    match (text, base64, generate) {
        (Some(text), None, None) => {
            SecretValue::copy_of(text.as_bytes()).map_err(|it| invalid(it).of("value"))
        }
        (None, Some(encoded), None) => decoded(&encoded).map_err(|it| it.of("base64")),
        (None, None, Some(length)) => generate::value(length, Alphabet::default())
            .map_err(|it| not_generated(it).of("generate")),
        _ => Err(Problem::invalid(
            "exactly one of value, base64 and generate has to be there",
        )),
    }
}

fn not_generated(error: generate::Error) -> Problem {
    match error {
        generate::Error::Length => Problem::invalid(format!(
            "generate has to be from {} to {}",
            LENGTHS.start(),
            LENGTHS.end()
        )),
        other => Problem::new(StatusCode::SERVICE_UNAVAILABLE, other.to_string()),
    }
}

fn decoded(encoded: &str) -> Result<SecretValue, Problem> {
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(encoded.len())]);
    let length = BASE64_STANDARD.decode_slice(encoded, &mut bytes);
    // What the decoder says has a byte of the value in it.
    let length = length.map_err(|_| Problem::invalid("base64 has to be base64 with padding"))?;
    bytes.truncate(length);
    SecretValue::copy_of(&bytes).map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn a_value_is_given_in_one_way() {
        let value = value_of(text("a\nb"), None, None).unwrap();
        assert_eq!(value.expose(), b"a\nb");
        let value = value_of(None, text("/wA="), None).unwrap();
        assert_eq!(value.expose(), [255, 0]);
        let value = value_of(None, None, Some(9)).unwrap();
        assert_eq!(value.expose().len(), 9);
        for (value, base64, generate) in [
            (None, None, None),
            (text("hunter2"), text("aHVudGVyMg=="), None),
            (text("hunter2"), None, Some(9)),
            (None, text("aHVudGVyMg=="), Some(9)),
            (text(""), None, None),
            (None, text(""), None),
            (None, text("hunter2"), None),
            (None, text("aHVudGVyMg"), None),
            (None, text("aHVudGVyMg==\n"), None),
            (None, None, Some(7)),
        ] {
            let refused = value_of(value, base64, generate).unwrap_err();
            assert_eq!(refused.status, 422);
            assert!(!refused.title.contains("hunter2"), "{}", refused.title);
        }
    }

    #[test]
    fn the_longest_value_fits_in_any_notation() {
        let longest = "\0".repeat(MAX_VALUE_LEN);
        let written = serde_json::json!({"value": longest}).to_string();
        assert!(written.len() > 6 * MAX_VALUE_LEN && written.len() < MOST);
        assert!(value_of(text(&longest), None, None).is_ok());
        let more = text(&(longest + "\0"));
        let refused = value_of(more, None, None).unwrap_err();
        assert!(refused.title.contains("longer than 1 MiB"));
    }
}
