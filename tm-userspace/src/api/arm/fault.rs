//! What a client did wrong, in Azure's words: a status, a code, and a message.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// A request that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Of the response.
    pub status: StatusCode,
    /// Azure's word for it, which clients tell faults apart by.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// The property that is meant.
    pub target: Option<String>,
}

impl Fault {
    /// Any fault.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Fault { status, code, message: message.into(), target: None }
    }

    /// A body that cannot be taken: 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// A value of a property that cannot be taken: 400.
    pub fn property(path: &str, message: impl Into<String>) -> Self {
        Fault { target: Some(path.to_owned()), ..Self::bad_request(message) }
    }

    /// Something is not there: 404.
    pub fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// What is there stands against it: 409.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "Conflict", message)
    }
}

impl IntoResponse for Fault {
    /// The wrapped form: some clients print nothing for the other one.
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(target) = self.target {
            error["target"] = target.into();
        }
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}
