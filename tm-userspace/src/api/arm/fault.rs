//! What a client did wrong, in Azure's words: a status, a code, and a message.

use std::fmt;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

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
    /// Seconds after which it may be tried again.
    pub retry_after: Option<u64>,
    /// Where more than one thing is wrong: each property, and what is wrong with it.
    pub details: Vec<(Option<String>, String)>,
}

impl Fault {
    /// Any fault.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Fault { status, code, message: message.into(), target: None, retry_after: None, details: Vec::new() }
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

    /// The wrapped form: some clients print nothing for the other one.
    pub fn body(&self) -> Value {
        let one = |target: &Option<String>, message: &str| {
            let mut error = json!({ "code": self.code, "message": message });
            if let Some(target) = target {
                error["target"] = target.as_str().into();
            }
            error
        };
        let mut error = one(&self.target, &self.message);
        if !self.details.is_empty() {
            error["details"] = self.details.iter().map(|(target, message)| one(target, message)).collect();
        }
        json!({ "error": error })
    }

    /// What the response bears besides.
    pub fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        match self.status {
            StatusCode::NOT_FOUND if self.code.starts_with("Resource") => {
                vec![(HeaderName::from_static("x-ms-failure-cause"), HeaderValue::from_static("gateway"))]
            }
            StatusCode::UNAUTHORIZED => {
                vec![(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""))]
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                vec![(header::RETRY_AFTER, HeaderValue::from(self.retry_after.unwrap_or(5)))]
            }
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
