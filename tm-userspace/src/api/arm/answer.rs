//! What goes back to a client: a status and JSON, with the headers that Azure's answers bear.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Value, json};

use super::fault::Fault;
use crate::api::noted::Said;

/// An answer that is no fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Of the response.
    pub status: StatusCode,
    /// Nothing where there is no body.
    pub body: Option<Value>,
}

impl Answer {
    /// 200 with a body.
    pub fn ok(body: Value) -> Self {
        Answer { status: StatusCode::OK, body: Some(body) }
    }

    /// 201 with a body.
    pub fn created(body: Value) -> Self {
        Answer { status: StatusCode::CREATED, body: Some(body) }
    }

    /// 200 with a list, in one page: older clients do not ask for a second one.
    pub fn list(items: Vec<Value>) -> Self {
        Self::ok(json!({ "value": items }))
    }

    /// What was there is gone: some clients want a body to read.
    pub fn deleted() -> Self {
        Self::ok(json!({ "properties": { "boolean": true } }))
    }

    /// What was to go was not there: 204.
    pub fn nothing() -> Self {
        Answer { status: StatusCode::NO_CONTENT, body: None }
    }
}

/// The response to a request of this id.
pub fn respond(result: Result<Answer, Fault>, request: &str) -> Response<Body> {
    let (status, body, fault) = match result {
        Ok(answer) => (answer.status, answer.body, None),
        Err(fault) => (fault.status, Some(fault.body()), Some(fault)),
    };
    let text = body.map(|body| body.to_string()).unwrap_or_default();
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if status != StatusCode::NO_CONTENT {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(id) = HeaderValue::from_str(request) {
        for name in ["x-ms-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id"] {
            headers.insert(HeaderName::from_static(name), id.clone());
        }
    }
    for (name, value) in fault.iter().flat_map(Fault::headers) {
        headers.insert(name, value);
    }
    if let Some(fault) = fault {
        response.extensions_mut().insert(Said(fault.message));
    }
    response
}
