//! Errors of this face: `application/problem+json` ([RFC 9457]).
//!
//! [RFC 9457]: https://www.rfc-editor.org/rfc/rfc9457

use std::fmt;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use crate::{
    api::{access::Denied, body::BodyError, noted::Said},
    catalog::Refusal,
    config::FieldFault,
    store::StoreError,
};

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// What the status means.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong here.
    pub detail: String,
    /// The values at fault, where there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldFault>,
    /// Seconds to wait before it is worth another try.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem without values at fault.
    pub fn new(status: StatusCode, detail: impl fmt::Display) -> Self {
        Problem {
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.to_string(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// A request that says what cannot be.
    pub fn bad(detail: impl fmt::Display) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, detail)
    }

    /// There is no such thing.
    pub fn not_found(detail: impl fmt::Display) -> Self {
        Problem::new(StatusCode::NOT_FOUND, detail)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let said = Said(self.detail.clone());
        let mut response = (status, Json(self)).into_response();
        response.extensions_mut().insert(said);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let (status, retry_after) = match denied {
            Denied::Unknown => (StatusCode::UNAUTHORIZED, None),
            Denied::Forbidden(_) => (StatusCode::FORBIDDEN, None),
            Denied::TooMany(seconds) => (StatusCode::TOO_MANY_REQUESTS, Some(seconds)),
        };
        Problem { retry_after, ..Problem::new(status, denied) }
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        let status = match error {
            BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::TooSlow => StatusCode::REQUEST_TIMEOUT,
            BodyError::BrokenOff | BodyError::TooDeep | BodyError::NotJson(_) => StatusCode::BAD_REQUEST,
        };
        Problem::new(status, error)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::NotFound(_) => StatusCode::NOT_FOUND,
            Refusal::Precondition { .. } => StatusCode::PRECONDITION_FAILED,
            Refusal::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::ManagedByFile { .. }
            | Refusal::ServiceOfFile { .. }
            | Refusal::NameTaken { .. }
            | Refusal::Elsewhere { .. }
            | Refusal::InUse(_)
            | Refusal::Exists(_) => StatusCode::CONFLICT,
            Refusal::Store(StoreError::Full) => StatusCode::INSUFFICIENT_STORAGE,
            Refusal::Store(_) | Refusal::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut problem = Problem::new(status, &refusal);
        match refusal {
            Refusal::Invalid(errors) => {
                problem.detail = match &errors[..] {
                    [only] => only.message.clone(),
                    several => format!("{} values cannot be taken", several.len()),
                };
                problem.errors = errors;
            }
            Refusal::NameTaken { .. } => {
                let help = "choose another relative_name";
                problem.errors = vec![FieldFault::new("/relative_name", &problem.detail, help)];
            }
            Refusal::Store(_) | Refusal::Stopping => problem.retry_after = Some(5),
            _ => {}
        }
        problem
    }
}
