//! What requests about secrets are answered with when they fail, for the documentation.

use utoipa::IntoResponses;

use crate::problem::Problem;

/// How every request about secrets can fail.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it is there for what is derived")]
pub(super) enum Refused {
    /// There is no session, or it has ended
    #[response(status = 401, content_type = "application/problem+json")]
    NoSession(Problem),
    /// The client may not do this
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// There is nothing of that name
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// A name or a field breaks a rule, which the title says
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
    /// No key opens the store; the hints say what to do
    #[response(status = 423, content_type = "application/problem+json")]
    Locked(Problem),
    /// The store is busy, damaged, full or cannot be reached
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// How a request with a body can fail besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it is there for what is derived")]
pub(super) enum BadBody {
    /// The body is not JSON
    #[response(status = 400, content_type = "application/problem+json")]
    NotJson(Problem),
    /// The body is too long
    #[response(status = 413, content_type = "application/problem+json")]
    TooLong(Problem),
    /// The body is not declared as `application/json`
    #[response(status = 415, content_type = "application/problem+json")]
    OtherType(Problem),
}

/// How a request fails that does not fit what the store holds.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it is there for what is derived")]
pub(super) enum Conflict {
    /// The store holds something else, or `config.yaml` has problems
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
}
