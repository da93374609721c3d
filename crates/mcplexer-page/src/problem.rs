//! Errors, as an answer tells them (RFC 9457).

use std::convert::Infallible;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mcplexer_gateway::{HttpClientsError, NoServer, NotStarted};
use mcplexer_home::calls::PageError;
use mcplexer_home::config::Error as ConfigError;
use mcplexer_secrets::{Error as StoreError, ErrorKind};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{hints, streams};

/// Why something was not done (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The status of the answer.
    pub(crate) status: u16,
    /// What went wrong.
    pub(crate) title: String,
    /// What else is wrong: the other mistakes of a file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) more: Vec<String>,
    /// The field of the body that is wrong, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<&'static str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) hints: Vec<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, title: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            title: title.into(),
            more: Vec::new(),
            field: None,
            hints: Vec::new(),
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says which field of the body is wrong.
    pub(crate) fn of(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// The request has no token of a session.
    pub(crate) fn no_session() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "the session has ended")
            .with_hint("mcplexer ui opens the page again")
    }

    /// A request to the API has no token that may use it.
    pub(crate) fn no_token() -> Self {
        let title = "this takes the token of a client, behind Authorization: Bearer";
        Self::new(StatusCode::UNAUTHORIZED, title)
            .with_hint("mcplexer client add NAME --api read makes a token for a script")
            .with_hint("if this is the page: its session has ended, and mcplexer ui opens it again")
    }

    /// The body of a request is longer than this many bytes.
    pub(crate) fn too_long(most: usize) -> Self {
        let title = format!("the body is longer than {most} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, title)
    }

    /// What was to be done has broken off.
    pub(crate) fn not_done() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "it could not be done")
    }

    /// Its token has as many streams open as it may.
    pub(crate) fn too_many_streams() -> Self {
        let title = format!("{} streams of calls are open already", streams::MOST);
        Self::new(StatusCode::TOO_MANY_REQUESTS, title).with_hint("end one of them before the next")
    }

    /// Who sends the request may not do this.
    pub(crate) fn forbidden(what: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, what)
    }

    /// A body is JSON, and not what it has to be. What the reader says of it may quote what it holds: names of our own alone are
    /// taken out of it.
    fn of_data(status: StatusCode, said: &str) -> Self {
        const FIELDS: [&str; 12] = [
            "id",
            "kind",
            "name",
            "keep_versions",
            "note",
            "expires",
            "rotate_every_days",
            "confirm",
            "api",
            "version",
            "if_state",
            "ticket",
        ];
        let is = |form: &dyn Fn(&str) -> String| {
            let mut fields = FIELDS.into_iter();
            fields.find(|it| said.contains(&form(it)))
        };
        if let Some(field) = is(&|it| format!("missing field `{it}`")) {
            return Self::new(status, format!("{field} is missing")).of(field);
        }
        if let Some(field) = is(&|it| format!("target type: {it}: ")) {
            let title = format!("{field} has not the form that the documentation gives");
            return Self::new(status, title).of(field);
        }
        let title = "the body has not the form that the documentation gives";
        Self::new(status, title)
    }

    /// Something is not as it has to be.
    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, what)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"mcplexer\"");
            headers.insert(WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let status = match error.kind() {
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Key => StatusCode::LOCKED,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self {
            hints: hints::of(&error),
            ..Self::new(status, hints::title(&error))
        }
    }
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Store(error) => error.into(),
            // Where the home is, a client need not know.
            error => {
                let title = match &error {
                    ConfigError::Invalid { problems, .. } => match problems.len() {
                        1 => "config.yaml has a problem".to_owned(),
                        count => format!("config.yaml has {count} problems"),
                    },
                    _ => "config.yaml cannot be read".to_owned(),
                };
                Self::new(StatusCode::CONFLICT, title)
                    .with_hint("mcplexer config check says what is wrong")
            }
        }
    }
}

impl From<HttpClientsError> for Problem {
    fn from(error: HttpClientsError) -> Self {
        let status = match &error {
            HttpClientsError::Exists { .. } => StatusCode::CONFLICT,
            HttpClientsError::NotFound { .. } => StatusCode::NOT_FOUND,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<Infallible> for Problem {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<NoServer> for Problem {
    fn from(error: NoServer) -> Self {
        Self::new(StatusCode::NOT_FOUND, error.to_string())
    }
}

impl From<NotStarted> for Problem {
    fn from(error: NotStarted) -> Self {
        match error {
            NotStarted::NoServer(error) => error.into(),
            error => Self::new(StatusCode::CONFLICT, error.to_string()),
        }
    }
}

impl From<PageError> for Problem {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Log(error) => Self::from(error).with_hint("mcplexer audit verify says more"),
            error => Self::new(StatusCode::CONFLICT, error.to_string())
                .with_hint("begin with the newest calls again"),
        }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        // What it says of a field may quote what the field holds.
        if let JsonRejection::JsonDataError(error) = &rejection {
            return Self::of_data(rejection.status(), &error.body_text());
        }
        let title = match &rejection {
            JsonRejection::JsonSyntaxError(_) => "the body is not JSON",
            JsonRejection::MissingJsonContentType(_) => "the body has to be application/json",
            _ if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => "the body is too long",
            _ => "the body cannot be read, or took too long",
        };
        Self::new(rejection.status(), title)
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::new(StatusCode::NOT_FOUND, rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        // What it says may quote what was given.
        let said = rejection.body_text();
        let names = |field: &str| said.contains(&format!(": {field}: "));
        let title = match ["limit", "before", "at"].into_iter().find(|it| names(it)) {
            Some(field) => format!("{field} takes a whole number"),
            None if names("last") => "last takes hour or day".to_owned(),
            None if said.contains("unknown field") => {
                "the query has a parameter that is not known here".to_owned()
            }
            None => "the query cannot be read".to_owned(),
        };
        Self::new(StatusCode::BAD_REQUEST, title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_does_not_fit_names_our_own_fields_alone() {
        let of = |said: &str| {
            let problem = Problem::of_data(StatusCode::UNPROCESSABLE_ENTITY, said);
            (problem.title, problem.field)
        };
        let said = "Failed to deserialize the JSON body into the target type: ";
        let (title, field) = of(&format!("{said}missing field `id` at line 1 column 2"));
        assert_eq!((title.as_str(), field), ("id is missing", Some("id")));
        let (title, field) = of(&format!("{said}name: invalid type: integer `5`"));
        assert!(title.starts_with("name has not") && field == Some("name"));
        let (title, field) = of(&format!("{said}hunter2: unknown field `hunter2`"));
        assert!(!title.contains("hunter2") && field.is_none());
    }
}
